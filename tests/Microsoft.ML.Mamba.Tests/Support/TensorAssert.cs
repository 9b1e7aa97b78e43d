using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Support;

/// <summary>Comparisons of tensors, written so that NaN fails.</summary>
internal static class TensorAssert
{
    /// <summary>Asserts max|got - want| ≤ tolerance·max|want| (tolerance alone when want is all zero).</summary>
    public static void Close(Tensor want, Tensor got, double tolerance, string what)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        Assert.True(want.shape.SequenceEqual(got.shape), $"{what}: shape ({string.Join(", ", got.shape)}); expected ({string.Join(", ", want.shape)})");
        if (want.numel() == 0)
            return;
        var expected = want.detach().to(float64).cpu().flatten();
        var actual = got.detach().to(float64).cpu().flatten();
        var size = expected.abs().max().item<double>();
        var bound = size < 1e-30 ? tolerance : tolerance * size;
        var differences = (actual - expected).abs();
        var worst = isnan(differences).any().item<bool>() ? isnan(differences).to(int64).argmax().item<long>() : differences.argmax().item<long>();
        var difference = differences[worst].item<double>();
        Assert.True(difference <= bound,
            $"{what}: element {worst} is {actual[worst].item<double>():g9}; expected {expected[worst].item<double>():g9} ± {bound:g3} (difference {difference:g3})");
    }

    /// <summary>Asserts that two tensors have the same bits.</summary>
    public static void BitEqual(Tensor want, Tensor got, string what)
    {
        using var scope = NewDisposeScope();
        Assert.True(want.shape.SequenceEqual(got.shape), $"{what}: shape ({string.Join(", ", got.shape)}); expected ({string.Join(", ", want.shape)})");
        Assert.Equal(want.dtype, got.dtype);
        var (a, b) = (want.detach().cpu().contiguous(), got.detach().cpu().contiguous());
        if (a.numel() > 0 && !a.bytes.SequenceEqual(b.bytes))
            Assert.Fail($"{what}: bits differ; largest difference {(a - b).abs().max().to(float64).item<double>():g3}");
    }
}
