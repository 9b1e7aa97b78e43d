using System.Numerics;

namespace Microsoft.ML.Mamba.Kernels.Reference;

/// <summary>
/// The truth that <see cref="Kernels.RmsNorm"/> is compared with: plain loops, sums in double.
/// <code>
/// s = x + residual,  r = 1 / sqrt(mean(s²) + eps),  y = s·r·weight
/// </code>
/// Source: <c>rms_norm_ref</c> of state-spaces/mamba at e9594ce1c732d97440f0332fdc43170a2294dbfa.
/// </summary>
public static unsafe class RmsNorm
{
    /// <inheritdoc cref="Kernels.RmsNorm.Forward"/>
    /// <typeparam name="T">float or double.</typeparam>
    public static void Forward<T>(Rows<T> x, Rows<T> residual, Rows<T> weight, double epsilon, Rows<T> y, Rows<T> residualOut)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        RmsNormArguments.RequireForward(x, residual, weight, epsilon, y, residualOut);
        var sums = new double[x.Width];
        for (long row = 0; row < x.Count; row++)
        {
            for (long c = 0; c < x.Width; c++)
            {
                sums[c] = At(x, row, c) + (residual.IsAbsent ? 0 : At(residual, row, c));
                if (!residualOut.IsAbsent)
                {
                    residualOut.Row(row)[c] = T.CreateSaturating(sums[c]);
                }
            }

            var r = InverseRoot(sums, epsilon);
            for (long c = 0; c < x.Width; c++)
            {
                y.Row(row)[c] = T.CreateSaturating(sums[c] * r * At(weight, 0, c));
            }
        }
    }

    /// <inheritdoc cref="Kernels.RmsNorm.Backward"/>
    /// <typeparam name="T">float or double.</typeparam>
    public static void Backward<T>(Rows<T> sum, Rows<T> weight, double epsilon, Rows<T> dy, Rows<T> dResidualOut, Rows<T> dx, Rows<T> dWeight)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        RmsNormArguments.RequireBackward(sum, weight, epsilon, dy, dResidualOut, dx, dWeight);
        var width = sum.Width;
        var (sums, dweight) = (new double[width], new double[width]);
        for (long row = 0; row < sum.Count; row++)
        {
            for (long c = 0; c < width; c++)
            {
                sums[c] = At(sum, row, c);
            }

            var r = InverseRoot(sums, epsilon);
            var mean = 0.0;
            for (long c = 0; c < width; c++)
            {
                mean += At(dy, row, c) * At(weight, 0, c) * sums[c] * r / width;
                dweight[c] += At(dy, row, c) * sums[c] * r;
            }

            for (long c = 0; c < width && !dx.IsAbsent; c++)
            {
                var d = r * (At(dy, row, c) * At(weight, 0, c) - sums[c] * r * mean);
                dx.Row(row)[c] = T.CreateSaturating(d + (dResidualOut.IsAbsent ? 0 : At(dResidualOut, row, c)));
            }
        }

        for (long c = 0; c < width && !dWeight.IsAbsent; c++)
        {
            dWeight.Pointer[c] = T.CreateSaturating(dweight[c]);
        }
    }

    private static double InverseRoot(double[] sums, double epsilon)
    {
        var squares = 0.0;
        foreach (var s in sums)
        {
            squares += s * s;
        }

        return 1 / Math.Sqrt(squares / sums.Length + epsilon);
    }

    private static double At<T>(Rows<T> rows, long row, long column)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => double.CreateSaturating(rows.Row(row)[column]);
}
