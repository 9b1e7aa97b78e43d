using System.Numerics;

namespace Microsoft.ML.Mamba.Kernels.Reference;

/// <summary>The truth that <see cref="Kernels.LinearStep"/> is compared with: plain loops, sums in double.</summary>
public static unsafe class LinearStep
{
    /// <summary>Multiplies.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">Input, (B, inputs), any row stride.</param>
    /// <param name="weight">(outputs, inputs), any row stride.</param>
    /// <param name="bias">(1, outputs), or absent for zeros.</param>
    /// <param name="y">Output: (B, outputs), any row stride; not the rows of x.</param>
    /// <exception cref="ArgumentException">A shape does not fit.</exception>
    public static void Apply<T>(Rows<T> x, Rows<T> weight, Rows<T> bias, Rows<T> y)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Kernels.LinearStep.Require(x, weight, bias, y);
        for (long row = 0; row < y.Count; row++)
        {
            for (long output = 0; output < y.Width; output++)
            {
                var sum = bias.IsAbsent ? 0 : double.CreateSaturating(bias.Pointer[output]);
                for (long input = 0; input < x.Width; input++)
                {
                    sum += double.CreateSaturating(x.Row(row)[input]) * double.CreateSaturating(weight.Row(output)[input]);
                }

                y.Row(row)[output] = T.CreateSaturating(sum);
            }
        }
    }
}
