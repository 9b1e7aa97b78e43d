using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels;

internal readonly unsafe struct Exp2Constants<V>
    where V : struct, IFloatVector<V>
{
    private readonly V _lo, _hi, _shift, _c5, _c4, _c3, _c2, _c1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Exp2Constants(float* c)
    {
        _lo = V.Broadcast(c[0]);
        _hi = V.Broadcast(c[1]);
        _shift = V.Broadcast(c[2]);
        _c5 = V.Broadcast(c[3]);
        _c4 = V.Broadcast(c[4]);
        _c3 = V.Broadcast(c[5]);
        _c2 = V.Broadcast(c[6]);
        _c1 = V.Broadcast(c[7]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Exp2(V x)
    {
        x = V.Min(V.Max(x, _lo), _hi);
        var shifted = x + _shift;
        var r = x - (shifted - _shift);
        var p = V.MultiplyAdd(_c5, r, _c4);
        p = V.MultiplyAdd(p, r, _c3);
        p = V.MultiplyAdd(p, r, _c2);
        p = V.MultiplyAdd(p, r, _c1);
        p = V.MultiplyAdd(p, r, V.Broadcast(1f));
        return V.ScaleByPowerOfTwo(p, shifted);
    }
}
internal static unsafe class Exp2Table
{
    public static readonly float* Address = Make();
    private static float* Make()
    {
        var p = (float*)NativeMemory.AlignedAlloc(256, 64);
        p[0] = -126; p[1] = 128; p[2] = 12582912f; p[3] = 1.326472752e-03f; p[4] = 9.671512627e-03f; p[5] = 5.550733742e-02f; p[6] = 2.402224209e-01f; p[7] = 6.931469776e-01f;
        return p;
    }
}
