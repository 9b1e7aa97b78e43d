using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Support;

/// <summary>Tensors from a managed generator: the same on every machine, and torch's own generator is left alone.</summary>
internal static class RandomTensor
{
    /// <summary>Float64, uniform in ±1.</summary>
    public static Tensor Of(Random random, params ReadOnlySpan<long> shape)
    {
        long count = 1;
        foreach (var size in shape)
            count *= size;
        var values = new double[count];
        for (var i = 0; i < values.Length; i++)
            values[i] = random.NextDouble() * 2 - 1;
        return tensor(values, shape.ToArray(), dtype: float64);
    }

    /// <summary>Float32, uniform in ±1.</summary>
    public static Tensor Single(Random random, params ReadOnlySpan<long> shape) => Of(random, shape).to(float32);
}
