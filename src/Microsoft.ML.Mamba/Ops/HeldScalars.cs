using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// Sums whose Scalar stays alive. TorchSharp passes a Scalar's address to libtorch and lets go of the object, which the collector
/// may then free while libtorch reads it: a crash, or a wrong number. Its a + b makes such a Scalar, the factor 1 of b.
/// Everywhere else a number is held with <c>using Scalar name = …</c>; HeldScalarsTests reads the sources for it.
/// </summary>
internal static class HeldScalars
{
    private static readonly Scalar One = 1;

    /// <summary>a + b.</summary>
    public static Tensor Plus(this Tensor a, Tensor b) => a.add(b, One);

    /// <summary>a += b.</summary>
    public static Tensor PlusInPlace(this Tensor a, Tensor b) => a.add_(b, One);
}
