using System.Numerics;

namespace Microsoft.ML.Mamba.Kernels.Reference;

/// <summary>The truth that <see cref="Kernels.SumOfSquares"/> is compared with: a plain loop in double.</summary>
public static unsafe class SumOfSquares
{
    /// <summary>Sums.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="values">Any shape without gaps between rows.</param>
    /// <exception cref="ArgumentException">There are gaps between rows.</exception>
    public static double Of<T>(Rows<T> values)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        values.RequireDense("SumOfSquares", "values", values.Count, values.Width);
        var sum = 0.0;
        for (long i = 0; i < values.Count * values.Width; i++)
        {
            var value = double.CreateSaturating(values.Pointer[i]);
            sum += value * value;
        }

        return sum;
    }
}
