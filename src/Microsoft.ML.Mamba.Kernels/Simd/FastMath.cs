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

    private const float LeastExponent = -126f;
    private const float GreatestExponent = 128f;

    // 2^x = 1 + x·q(x) on [-0.5, 0.5]: minimax in relative error (9.2e-8), exact at 0 so that slow decays keep their rate.
    private const float Exp2C1 = 6.931469776e-01f;
    private const float Exp2C2 = 2.402224209e-01f;
    private const float Exp2C3 = 5.550733742e-02f;
    private const float Exp2C4 = 9.671512627e-03f;
    private const float Exp2C5 = 1.326472752e-03f;

    // atanh(s)/s = 1 + w·q(w), w = s² on [0, 1/9]: minimax in relative error (4.5e-9).
    private const float AtanhC1 = 3.333320814e-01f;
    private const float AtanhC2 = 2.001076362e-01f;
    private const float AtanhC3 = 1.400090266e-01f;
    private const float AtanhC4 = 1.400599333e-01f;

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

    /// <summary>
    /// ln(1 + e^x) = max(x, 0) + ln(1 + t), t = e^-|x|, which needs no guard: from 17 on it is x to the last bit.
    /// Relative error ≤ 4e-7 + 8e-8·max(0, -x) on [-87, infinity); 1.2e-38 below.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Softplus<V>(V x)
        where V : struct, IFloatVector<V> =>
        V.Max(x, V.Zero) + LogOnePlus(ExpNonPositive(V.Zero - V.Abs(x)));

    /// <summary>1 / (1 + e^-x), the derivative of <see cref="Softplus"/>. Relative error ≤ 3e-7 + 8e-8·max(0, -x) on [-87, infinity).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Sigmoid<V>(V x)
        where V : struct, IFloatVector<V>
    {
        var one = V.Broadcast(1f);
        var t = ExpNonPositive(V.Zero - V.Abs(x));
        return V.SelectLess(x, V.Zero, t, one) / (one + t);
    }

    /// <summary>x·sigmoid(x). Relative error ≤ 3.6e-7 + 8e-8·max(0, -x) on [-87, infinity).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V Silu<V>(V x)
        where V : struct, IFloatVector<V> =>
        x * Sigmoid(x);

    /// <summary>The derivative of SiLU: s·(1 + x·(1 - s)) with s = <see cref="Sigmoid"/>(x).</summary>
    /// <param name="x">Argument of SiLU.</param>
    /// <param name="sigmoid">sigmoid(x), which the caller has already.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V SiluDerivative<V>(V x, V sigmoid)
        where V : struct, IFloatVector<V>
    {
        var one = V.Broadcast(1f);
        return sigmoid * V.MultiplyAdd(x, one - sigmoid, one);
    }

    /// <summary>ln(1 + t) for t in [0, 1], as 2·atanh(t / (2 + t)). Relative error ≤ 2.5e-7, also for the smallest t.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static V LogOnePlus<V>(V t)
        where V : struct, IFloatVector<V>
    {
        var s = t / (t + V.Broadcast(2f));
        var w = s * s;
        var q = V.MultiplyAdd(V.Broadcast(AtanhC4), w, V.Broadcast(AtanhC3));
        q = V.MultiplyAdd(q, w, V.Broadcast(AtanhC2));
        q = V.MultiplyAdd(q, w, V.Broadcast(AtanhC1));
        q = V.MultiplyAdd(q, w, V.Broadcast(1f));
        return (s + s) * q;
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
