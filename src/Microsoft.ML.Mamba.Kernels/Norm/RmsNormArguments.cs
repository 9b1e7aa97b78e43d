namespace Microsoft.ML.Mamba.Kernels;

/// <summary>Checks that <see cref="RmsNorm"/> and its reference share.</summary>
internal static class RmsNormArguments
{
    public static void RequireForward<T>(Rows<T> x, Rows<T> residual, Rows<T> weight, double epsilon, Rows<T> y, Rows<T> residualOut)
        where T : unmanaged
    {
        const string Operation = "RmsNorm.Forward";
        RequireSizes(Operation, "x", x, epsilon);
        residual.RequireIfPresent(Operation, "residual", "(rows, D)", x.Count, x.Width);
        weight.Require(Operation, "weight", "(1, D)", 1, x.Width);
        y.RequireOutput(Operation, "y", "(rows, D)", x.Count, x.Width);
        residualOut.RequireOutputIfPresent(Operation, "residualOut", "(rows, D)", x.Count, x.Width);
    }

    public static void RequireBackward<T>(
        Rows<T> sum, Rows<T> weight, double epsilon, Rows<T> dy, Rows<T> dResidualOut, Rows<T> dx, Rows<T> dWeight)
        where T : unmanaged
    {
        const string Operation = "RmsNorm.Backward";
        RequireSizes(Operation, "sum", sum, epsilon);
        weight.Require(Operation, "weight", "(1, D)", 1, sum.Width);
        dy.Require(Operation, "dy", "(rows, D)", sum.Count, sum.Width);
        dResidualOut.RequireIfPresent(Operation, "dResidualOut", "(rows, D)", sum.Count, sum.Width);
        dx.RequireOutputIfPresent(Operation, "dx", "(rows, D)", sum.Count, sum.Width);
        dWeight.RequireOutputIfPresent(Operation, "dWeight", "(1, D)", 1, sum.Width);
    }

    private static void RequireSizes<T>(string operation, string argument, Rows<T> rows, double epsilon)
        where T : unmanaged
    {
        if (rows.Count < 0 || rows.Width < 1)
        {
            throw new ArgumentException($"{operation}: {argument} has shape ({rows.Count}, {rows.Width}); expected (rows, D) with rows ≥ 0 and D ≥ 1.", argument);
        }

        rows.Require(operation, argument, "(rows, D)", rows.Count, rows.Width);
        if (!(epsilon > 0 && double.IsFinite(epsilon)))
        {
            throw new ArgumentException($"{operation}: epsilon is {epsilon}; expected a finite number > 0.", nameof(epsilon));
        }
    }
}
