using System.Runtime.CompilerServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// Elementary functions on vectors. Errors are the largest found over the stated interval against double precision, in
/// <c>FastMathTests</c>, for every width; one unit in the last place (ulp) of a float is 1.2e-7 or less, relative.
/// </summary>
internal static class FastMath
{
    /// <summary>log2(e): exp(x) = exp2(x·log2(e)).</summary>
    internal const float Log2E = 1.44269504f;

    /// <summary>1.5·2^23. A float added to it loses its fraction by rounding to nearest; the integer is left in the low bits.</summary>
    internal const float RoundingShift = 12582912f;

    internal const float LeastExponent = -126f;
    internal const float GreatestExponent = 128f;

    // 2^x = 1 + x·q(x) on [-0.5, 0.5]: minimax in relative error (9.2e-8), exact at 0 so that slow decays keep their rate.
    internal const float Exp2C1 = 6.931469776e-01f;
    internal const float Exp2C2 = 2.402224209e-01f;
    internal const float Exp2C3 = 5.550733742e-02f;
    internal const float Exp2C4 = 9.671512627e-03f;
    internal const float Exp2C5 = 1.326472752e-03f;

    // ln(1 + t) = t + t²·q(t) on [0, 1]: minimax in relative error (3.4e-8), exact at 0.
    private const float LogC1 = -4.999964796e-01f;
    private const float LogC2 = 3.332132264e-01f;
    private const float LogC3 = -2.485716382e-01f;
    private const float LogC4 = 1.915365552e-01f;
    private const float LogC5 = -1.375380350e-01f;
    private const float LogC6 = 7.920454864e-02f;
    private const float LogC7 = -3.006579998e-02f;
    private const float LogC8 = 5.364826178e-03f;

    /// <summary>
    /// 2^x. Relative error ≤ 2.0e-7 on [-126, 128); 2^-126 (1.2e-38) below, +infinity from 128. What NaN gives depends on the machine.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Exp2<V>(V x)
        where V : struct, IFloatVector<V> =>
        Exp2InRange(V.Min(V.Max(x, V.Broadcast(LeastExponent)), V.Broadcast(GreatestExponent)));

    /// <summary>2^x for x ≤ 0, one instruction less than <see cref="Exp2"/>. Relative error ≤ 2.0e-7 on [-126, 0]; 2^-126 below.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Exp2NonPositive<V>(V x)
        where V : struct, IFloatVector<V> =>
        Exp2InRange(V.Max(x, V.Broadcast(LeastExponent)));

    /// <summary>e^x. Relative error ≤ 2.0e-7 + 8e-8·|x| on [-87, 88.7]; 1.2e-38 below, +infinity above.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Exp<V>(V x)
        where V : struct, IFloatVector<V> =>
        Exp2(x * V.Broadcast(Log2E));

    /// <summary>e^x for x ≤ 0. Relative error ≤ 2.0e-7 + 8e-8·|x| on [-87, 0]; 1.2e-38 below.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V ExpNonPositive<V>(V x)
        where V : struct, IFloatVector<V> =>
        Exp2NonPositive(x * V.Broadcast(Log2E));

    /// <summary>e^-|x|, from which <see cref="Softplus{V}(V, V)"/> and <see cref="Sigmoid{V}(V, V)"/> are made.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V ExpOfNegativeMagnitude<V>(V x)
        where V : struct, IFloatVector<V> =>
        ExpNonPositive(V.NegativeMagnitude(x));

    /// <summary>The same with constants in registers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V ExpOfNegativeMagnitude<V>(V x, in Exp2<V> exp2)
        where V : struct, IFloatVector<V> =>
        exp2.Of(V.NegativeMagnitude(x) * V.Broadcast(Log2E));

    /// <summary>
    /// ln(1 + e^x) = max(x, 0) + ln(1 + t), t = e^-|x|, which needs no guard: from 17 on it is x to the last bit.
    /// Relative error ≤ 4e-7 + 8e-8·max(0, -x) on [-87, infinity); 1.2e-38 below.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Softplus<V>(V x)
        where V : struct, IFloatVector<V> =>
        Softplus(x, ExpOfNegativeMagnitude(x));

    /// <summary><see cref="Softplus{V}(V)"/> when t = e^-|x| is known.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Softplus<V>(V x, V t)
        where V : struct, IFloatVector<V> =>
        V.Max(x, V.Zero) + LogOnePlus(t);

    /// <summary>1 / (1 + e^-x), the derivative of softplus. Relative error ≤ 3e-7 + 8e-8·max(0, -x) on [-87, infinity).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Sigmoid<V>(V x)
        where V : struct, IFloatVector<V> =>
        Sigmoid(x, ExpOfNegativeMagnitude(x));

    /// <summary><see cref="Sigmoid{V}(V)"/> when t = e^-|x| is known.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Sigmoid<V>(V x, V t)
        where V : struct, IFloatVector<V>
    {
        var one = V.Broadcast(1f);
        return V.SelectLess(x, V.Zero, t, one) / (one + t);
    }

    /// <summary>x·sigmoid(x). Relative error ≤ 3.6e-7 + 8e-8·max(0, -x) on [-87, infinity).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Silu<V>(V x)
        where V : struct, IFloatVector<V> =>
        x * Sigmoid(x);

    /// <summary>The derivative of SiLU: s·(1 + x·(1 - s)) with s = sigmoid(x).</summary>
    /// <param name="x">Argument of SiLU.</param>
    /// <param name="sigmoid">sigmoid(x), which the caller has already.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V SiluDerivative<V>(V x, V sigmoid)
        where V : struct, IFloatVector<V>
    {
        var one = V.Broadcast(1f);
        return sigmoid * V.MultiplyAdd(x, one - sigmoid, one);
    }

    /// <summary>ln(1 + t) for t in [0, 1]. Relative error ≤ 1.6e-7, also for the smallest t. The tree of the polynomial is short rather than small.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V LogOnePlus<V>(V t)
        where V : struct, IFloatVector<V>
    {
        var t2 = t * t;
        var q1 = V.MultiplyAdd(V.Broadcast(LogC2), t, V.Broadcast(LogC1));
        var q3 = V.MultiplyAdd(V.Broadcast(LogC4), t, V.Broadcast(LogC3));
        var q5 = V.MultiplyAdd(V.Broadcast(LogC6), t, V.Broadcast(LogC5));
        var q7 = V.MultiplyAdd(V.Broadcast(LogC8), t, V.Broadcast(LogC7));
        var q = V.MultiplyAdd(V.MultiplyAdd(q7, t2, q5), t2 * t2, V.MultiplyAdd(q3, t2, q1));
        return V.MultiplyAdd(q, t2, t);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Exp2InRange<V>(V x)
        where V : struct, IFloatVector<V>
    {
        var shifted = x + V.Broadcast(RoundingShift);
        var r = x - (shifted - V.Broadcast(RoundingShift));
        var p = V.MultiplyAdd(V.Broadcast(Exp2C5), r, V.Broadcast(Exp2C4));
        p = V.MultiplyAdd(p, r, V.Broadcast(Exp2C3));
        p = V.MultiplyAdd(p, r, V.Broadcast(Exp2C2));
        p = V.MultiplyAdd(p, r, V.Broadcast(Exp2C1));
        p = V.MultiplyAdd(p, r, V.Broadcast(1f));
        return V.ScaleByPowerOfTwo(p, shifted);
    }
}
