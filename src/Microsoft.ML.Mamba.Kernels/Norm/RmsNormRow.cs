using System.Runtime.CompilerServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// Passes of RMSNorm over one row, which stays in the first-level cache between them. Sums across a row run in four vectors of
/// partial sums, so their order, and the last bit, depend on the vector width.
/// </summary>
internal static unsafe class RmsNormRow<V>
    where V : struct, IFloatVector<V>
{
    /// <summary>1 / sqrt(squares / width + epsilon).</summary>
    public static float InverseRoot(float squares, long width, double epsilon) => (float)(1 / Math.Sqrt((double)squares / width + epsilon));

    /// <summary>The sum of s².</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static float Squares(float* s, long width)
    {
        var sum0 = V.Zero;
        var (sum1, sum2, sum3) = (sum0, sum0, sum0);
        long c = 0;
        for (; c + 4 * V.Count <= width; c += 4 * V.Count)
        {
            sum0 = Square(s + c, sum0);
            sum1 = Square(s + c + V.Count, sum1);
            sum2 = Square(s + c + 2 * V.Count, sum2);
            sum3 = Square(s + c + 3 * V.Count, sum3);
        }

        for (; c + V.Count <= width; c += V.Count)
        {
            sum0 = Square(s + c, sum0);
        }

        var rest = 0f;
        for (; c < width; c++)
        {
            rest += s[c] * s[c];
        }

        return V.Sum((sum0 + sum1) + (sum2 + sum3)) + rest;
    }

    /// <summary>s = x + residual, and the sum of s².</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static float AddSquares(float* x, float* residual, float* s, long width)
    {
        var sum0 = V.Zero;
        var (sum1, sum2, sum3) = (sum0, sum0, sum0);
        long c = 0;
        for (; c + 4 * V.Count <= width; c += 4 * V.Count)
        {
            sum0 = AddSquare(x + c, residual + c, s + c, sum0);
            sum1 = AddSquare(x + c + V.Count, residual + c + V.Count, s + c + V.Count, sum1);
            sum2 = AddSquare(x + c + 2 * V.Count, residual + c + 2 * V.Count, s + c + 2 * V.Count, sum2);
            sum3 = AddSquare(x + c + 3 * V.Count, residual + c + 3 * V.Count, s + c + 3 * V.Count, sum3);
        }

        for (; c + V.Count <= width; c += V.Count)
        {
            sum0 = AddSquare(x + c, residual + c, s + c, sum0);
        }

        var rest = 0f;
        for (; c < width; c++)
        {
            s[c] = x[c] + residual[c];
            rest += s[c] * s[c];
        }

        return V.Sum((sum0 + sum1) + (sum2 + sum3)) + rest;
    }

    /// <summary>y = s·r·weight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Scale(float* s, float r, float* weight, float* y, long width)
    {
        var scale = V.Broadcast(r);
        long c = 0;
        for (; c + V.Count <= width; c += V.Count)
        {
            V.Store(V.Load(s + c) * scale * V.Load(weight + c), y + c);
        }

        for (; c < width; c++)
        {
            y[c] = s[c] * r * weight[c];
        }
    }

    /// <summary>The sums of s² and of dy·weight·s.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static (float Squares, float Dot) Moments(float* s, float* dy, float* weight, long width)
    {
        var squares0 = V.Zero;
        var (squares1, dot0, dot1) = (squares0, squares0, squares0);
        long c = 0;
        for (; c + 2 * V.Count <= width; c += 2 * V.Count)
        {
            squares0 = Square(s + c, squares0);
            squares1 = Square(s + c + V.Count, squares1);
            dot0 = Dot(s + c, dy + c, weight + c, dot0);
            dot1 = Dot(s + c + V.Count, dy + c + V.Count, weight + c + V.Count, dot1);
        }

        for (; c + V.Count <= width; c += V.Count)
        {
            squares0 = Square(s + c, squares0);
            dot0 = Dot(s + c, dy + c, weight + c, dot0);
        }

        var (squares, dot) = (0f, 0f);
        for (; c < width; c++)
        {
            squares += s[c] * s[c];
            dot += s[c] * (dy[c] * weight[c]);
        }

        return (V.Sum(squares0 + squares1) + squares, V.Sum(dot0 + dot1) + dot);
    }

    /// <summary>dx = r·dy·weight - k·s (+ dResidual, unless null), and dweight += dy·s·r.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Gradients(float* s, float* dy, float* weight, float* dResidual, float r, float k, float* dx, float* dweight, long width)
    {
        var (scale, pull) = (V.Broadcast(r), V.Broadcast(-k));
        long c = 0;
        for (; c + V.Count <= width; c += V.Count)
        {
            var (sum, g) = (V.Load(s + c), V.Load(dy + c) * scale);
            var d = V.MultiplyAdd(pull, sum, g * V.Load(weight + c));
            V.Store(V.MultiplyAdd(g, sum, V.Load(dweight + c)), dweight + c);
            V.Store(dResidual == null ? d : d + V.Load(dResidual + c), dx + c);
        }

        for (; c < width; c++)
        {
            var (sum, g) = (s[c], dy[c] * r);
            var d = g * weight[c] - k * sum;
            dweight[c] += g * sum;
            dx[c] = dResidual == null ? d : d + dResidual[c];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Square(float* s, V sum)
    {
        var value = V.Load(s);
        return V.MultiplyAdd(value, value, sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V AddSquare(float* x, float* residual, float* s, V sum)
    {
        var value = V.Load(x) + V.Load(residual);
        V.Store(value, s);
        return V.MultiplyAdd(value, value, sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Dot(float* s, float* dy, float* weight, V sum) => V.MultiplyAdd(V.Load(s), V.Load(dy) * V.Load(weight), sum);
}
