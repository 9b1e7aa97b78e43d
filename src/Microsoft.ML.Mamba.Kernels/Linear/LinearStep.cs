namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// A linear layer for a few rows, as inference token by token has them: y = x·weightᵀ + bias. Memory gives the weights more slowly
/// than a processor multiplies, so each is read once for all rows. Results depend neither on the number of threads nor on the
/// other rows.
/// </summary>
public static class LinearStep
{
    private const string Operation = "LinearStep";

    /// <summary>Multiplies.</summary>
    /// <param name="x">Input, (B, inputs), any row stride.</param>
    /// <param name="weight">(outputs, inputs), any row stride.</param>
    /// <param name="bias">(1, outputs), or absent for zeros.</param>
    /// <param name="y">Output: (B, outputs), any row stride; not the rows of x.</param>
    /// <param name="threads">Threads at most; 0 for <see cref="KernelThreads.Count"/>.</param>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public static void Apply(Rows<float> x, Rows<float> weight, Rows<float> bias, Rows<float> y, int threads = 0)
    {
        Require(x, weight, bias, y);
        SimdWidth.Dispatch(new LinearStepBody(x, weight, bias, y, threads));
    }

    internal static void Require<T>(Rows<T> x, Rows<T> weight, Rows<T> bias, Rows<T> y)
        where T : unmanaged
    {
        weight.Require(Operation, "weight", "(outputs, inputs)", y.Width, x.Width);
        x.Require(Operation, "x", "(B, inputs)", y.Count, x.Width);
        bias.RequireIfPresent(Operation, "bias", "(1, outputs)", 1, y.Width);
        y.RequireOutput(Operation, "y", "(B, outputs)", x.Count, y.Width);
        y.RequireApart(Operation, "y", "x", x);
    }
}
