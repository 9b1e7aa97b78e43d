using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>8 floats, on machines with AVX2: elsewhere nothing else accelerates vectors of 256 bits.</summary>
internal readonly unsafe struct Vector256Float : IFloatVector<Vector256Float>
{
    private readonly Vector256<float> _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector256Float(Vector256<float> value) => _value = value;

    public static int Count => 8;

    public static Vector256Float Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector256<float>.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float Broadcast(float value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float Load(float* address) => new(Vector256.Load(address));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256Float value, float* address) => Vector256.Store(value._value, address);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float operator +(Vector256Float a, Vector256Float b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float operator -(Vector256Float a, Vector256Float b) => new(a._value - b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float operator *(Vector256Float a, Vector256Float b) => new(a._value * b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float operator /(Vector256Float a, Vector256Float b) => new(a._value / b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float MultiplyAdd(Vector256Float a, Vector256Float b, Vector256Float c) =>
        new(Vector256.MultiplyAddEstimate(a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float Max(Vector256Float a, Vector256Float b) => new(Vector256.MaxNative(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float Min(Vector256Float a, Vector256Float b) => new(Vector256.MinNative(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float NegativeMagnitude(Vector256Float a) => new(Vector256.Create(-0f) | a._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float Sqrt(Vector256Float a) => new(Vector256.Sqrt(a._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float SelectLess(Vector256Float a, Vector256Float b, Vector256Float ifLess, Vector256Float otherwise) =>
        new(Vector256.ConditionalSelect(Vector256.LessThan(a._value, b._value), ifLess._value, otherwise._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float ScaleByPowerOfTwo(Vector256Float p, Vector256Float shifted) =>
        new((p._value.AsInt32() + (shifted._value.AsInt32() << 23)).AsSingle());

    public static bool HasLookup16 => false;

    public static Vector256Float Lookup16(Vector256Float table, Vector256Float index) => throw new NotSupportedException();

    public static Vector256Float ScaleByFloorPowerOfTwo(Vector256Float p, Vector256Float n) => throw new NotSupportedException();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector256Float a) => Vector256.Sum(a._value);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddRowSums(float* rows, long stride, float* sums)
    {
        var sum = AddNeighbours(AddNeighbours(AddHalves(rows, stride), AddHalves(rows + stride, stride)), AddNeighbours(AddHalves(rows + 2 * stride, stride), AddHalves(rows + 3 * stride, stride)));
        Vector256.Store(Vector256.Load(sums) + sum, sums);
    }

    /// <summary>The sums of the halves of row 0 and of the row four later, side by side.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> AddHalves(float* row, long stride)
    {
        var (a, b) = (Vector256.Load(row), Vector256.Load(row + 4 * stride));
        return Avx.Permute2x128(a, b, 0x20) + Avx.Permute2x128(a, b, 0x31);
    }

    /// <summary>In each half: a0 + a1, a2 + a3, b0 + b1, b2 + b3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> AddNeighbours(Vector256<float> a, Vector256<float> b) => Avx.Shuffle(a, b, 0x88) + Avx.Shuffle(a, b, 0xDD);
}
