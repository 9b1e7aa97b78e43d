using System.Numerics;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// Dropout whose mask is a function of a key and of each value's place, and of nothing else: no generator is moved, the backward
/// pass makes the mask again instead of keeping it, and the result is the same on every machine and for every vector width.
/// </summary>
public static class CounterDropout
{
    // Spans are counted with 31 bits; a slice's number is part of its key.
    private const long SliceLength = 1 << 28;

    /// <summary>Sets values to 0 with the given probability and scales the others by 1/(1 - probability).</summary>
    /// <param name="x">Any shape, any floating type, any device. Values are counted row-major.</param>
    /// <param name="probability">From 0 to below 1.</param>
    /// <param name="key">Chooses the mask.</param>
    /// <exception cref="ArgumentOutOfRangeException">The probability is not from 0 to below 1.</exception>
    public static Tensor Apply(Tensor x, double probability, ulong key)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (!(probability >= 0 && probability < 1))
            throw new ArgumentOutOfRangeException(nameof(probability), probability, $"{nameof(CounterDropout)}: expected a probability from 0 to below 1.");
        return AutogradNeed.Any(x) ? Function.Apply(x, probability, key) : Mask(x, probability, key);
    }

    private static Tensor Mask(Tensor x, double probability, ulong key)
    {
        using var scope = NewDisposeScope();
        var (scale, threshold) = ((float)(1 / (1 - probability)), (uint)Math.Round(probability * uint.MaxValue));
        if (x.device_type == DeviceType.CUDA && KernelBackends.Choose(nameof(CounterDropout), x) is CudaBackend kernels)
            return kernels.Dropout(x, key, threshold, scale).MoveToOuterDisposeScope();
        if (x.device_type != DeviceType.CPU)
            return MaskThere(x, probability, key).MoveToOuterDisposeScope();
        if (x.dtype != ScalarType.Float32)
        {
            var mask = Mask(ones(x.shape, dtype: ScalarType.Float32, device: CPU), probability, key);
            return (x * mask.to(x.dtype)).MoveToOuterDisposeScope();
        }

        var y = empty(x.shape, dtype: ScalarType.Float32);
        var (from, to) = (x.contiguous().view(-1), y.view(-1));
        for (long start = 0, slice = 0; start < from.shape[0]; start += SliceLength, slice++)
        {
            var count = Math.Min(SliceLength, from.shape[0] - start);
            var mixed = Mix(key + (ulong)slice * 0x9E3779B97F4A7C15);
            Mask(Numbers(from.narrow(0, start, count)), Numbers(to.narrow(0, start, count)), scale, threshold, (uint)mixed, (uint)(mixed >> 32));
        }

        return y.MoveToOuterDisposeScope();
    }

    /// <summary>The same mask by operations on the device: a mask that comes from the processor would take longer than the layer it falls on.</summary>
    internal static Tensor MaskThere(Tensor x, double probability, ulong key)
    {
        var flat = x.reshape(-1);
        var threshold = (uint)Math.Round(probability * uint.MaxValue);
        var slices = new List<Tensor>();
        for (long start = 0, slice = 0; start < flat.shape[0]; start += SliceLength, slice++)
        {
            using var scope = NewDisposeScope();
            var values = flat.narrow(0, start, Math.Min(SliceLength, flat.shape[0] - start));
            var mixed = Mix(key + (ulong)slice * 0x9E3779B97F4A7C15);
            using Scalar first = 0L, key1 = (long)(uint)(mixed >> 32), one = 1L, limit = (long)threshold, zero = 0, count = values.shape[0];
            using Scalar scale = 1 / (1 - probability);
            var counters = arange(first, count, one, dtype: ScalarType.Int64, device: x.device).bitwise_xor(tensor((long)(uint)mixed, device: x.device));
            var hashes = Scramble(Scramble(counters).add(key1, one).bitwise_and(tensor(0xFFFFFFFFL, device: x.device)));
            slices.Add(values.mul(scale).masked_fill(hashes.lt(limit), zero).MoveToOuterDisposeScope());
        }

        return (slices.Count == 1 ? slices[0] : cat(slices, 0)).view(x.shape);
    }

    /// <summary>As for vectors, of 32 bits within 64: torch knows no unsigned numbers.</summary>
    private static Tensor Scramble(Tensor value)
    {
        using var scope = NewDisposeScope();
        var (mask, half, odd) = (tensor(0xFFFFFFFFL, device: value.device), tensor(16L, device: value.device), tensor(15L, device: value.device));
        using Scalar first = 0x7FEB352DL, second = 0x846CA68BL;
        value = value.bitwise_xor(value.bitwise_right_shift(half)).mul(first).bitwise_and(mask);
        value = value.bitwise_xor(value.bitwise_right_shift(odd)).mul(second).bitwise_and(mask);
        return value.bitwise_xor(value.bitwise_right_shift(half)).MoveToOuterDisposeScope();
    }

    private static void Mask(ReadOnlySpan<float> x, Span<float> y, float scale, uint threshold, uint key0, uint key1)
    {
        var (width, i) = (Vector<float>.Count, 0);
        var counters = Vector<uint>.Indices;
        for (; i <= x.Length - width; i += width)
        {
            var keep = Vector.GreaterThanOrEqual(Hash(counters ^ new Vector<uint>(key0), new Vector<uint>(key1)), new Vector<uint>(threshold));
            Vector.ConditionalSelect(Vector.AsVectorSingle(keep), new Vector<float>(x[i..]) * scale, Vector<float>.Zero).CopyTo(y[i..]);
            counters += new Vector<uint>((uint)width);
        }

        for (; i < x.Length; i++)
            y[i] = Hash(new Vector<uint>((uint)i ^ key0), new Vector<uint>(key1))[0] >= threshold ? x[i] * scale : 0;
    }

    /// <summary>A bijection of 32 bits whose every output bit depends on every input bit, twice, with a key in between.</summary>
    private static Vector<uint> Hash(Vector<uint> value, Vector<uint> key) => Scramble(Scramble(value) + key);

    // Constants: Chris Wellons, hash-prospector, "lowbias32" (bias 0.17).
    private static Vector<uint> Scramble(Vector<uint> value)
    {
        value ^= Vector.ShiftRightLogical(value, 16);
        value *= 0x7FEB352Du;
        value ^= Vector.ShiftRightLogical(value, 15);
        value *= 0x846CA68Bu;
        return value ^ Vector.ShiftRightLogical(value, 16);
    }

    /// <summary>The finaliser of SplitMix64: neighbouring keys become unlike ones.</summary>
    private static ulong Mix(ulong key)
    {
        key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9;
        key = (key ^ (key >> 27)) * 0x94D049BB133111EB;
        return key ^ (key >> 31);
    }

    private static Span<float> Numbers(Tensor contiguous) => MemoryMarshal.Cast<byte, float>(contiguous.bytes);

    private sealed class Function : autograd.SingleTensorFunction<Function>
    {
        private const string CallKey = "call";

        public override string Name => nameof(CounterDropout);

        public static Tensor Apply(Tensor x, double probability, ulong key)
        {
            var call = new Call(probability, key);
            var result = apply(call, x);
            call.ForwardTensors.Release();
            return result;
        }

        public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
        {
            var call = (Call)vars[0];
            var y = Mask((Tensor)vars[1], call.Probability, call.Key);
            ctx.save_data(CallKey, call);
            call.ForwardTensors.Keep(y);
            return y;
        }

        public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
        {
            ReturnedGradients.Release();
            var call = (Call)ctx.get_data(CallKey);
            using var dy = grad_output;
            return ReturnedGradients.Hold(null, Mask(dy, call.Probability, call.Key));
        }

        private sealed record Call(double Probability, ulong Key)
        {
            public ForwardTensors ForwardTensors { get; } = new();
        }
    }
}
