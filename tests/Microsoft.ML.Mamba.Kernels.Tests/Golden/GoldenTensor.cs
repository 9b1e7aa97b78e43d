namespace Microsoft.ML.Mamba.Kernels.Tests.Golden;

/// <summary>A stored tensor, row-major.</summary>
internal sealed record GoldenTensor(int[] Shape, float[] Values)
{
    /// <summary>(B, X, Y) as (B, Y, X): the files keep time last, the kernels keep channels last.</summary>
    public float[] SwapLastTwo() => SwapLastTwo(Values, Shape);

    /// <summary>The same for computed values, back into the order of a file.</summary>
    public static T[] SwapLastTwo<T>(IReadOnlyList<T> values, int[] shape)
    {
        var (rows, columns) = (shape[^2], shape[^1]);
        var swapped = new T[values.Count];
        for (var i = 0; i < swapped.Length; i++)
        {
            var (matrix, row, column) = (i / (rows * columns), i / columns % rows, i % columns);
            swapped[(matrix * columns + column) * rows + row] = values[i];
        }

        return swapped;
    }
}
