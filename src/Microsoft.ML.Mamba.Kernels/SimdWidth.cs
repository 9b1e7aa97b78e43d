using System.Runtime.Intrinsics;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// The vector width that the kernels use: the widest that this machine accelerates. Results of different widths differ by
/// rounding; on one machine they are the same in every run.
/// </summary>
public static class SimdWidth
{
    [ThreadStatic]
    private static int s_forced;

    [ThreadStatic]
    private static bool s_isForced;

    /// <summary>Width in use in bits: 512, 256, 128, or 0 for scalar code (no vector hardware, or switched off).</summary>
    public static int Bits => s_isForced ? s_forced : Widest;

    /// <summary>Every width that this machine accelerates, ascending; the first is 0 (scalar).</summary>
    public static IReadOnlyList<int> Supported { get; } = FindSupported();

    private static int Widest =>
        Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : Vector128.IsHardwareAccelerated ? 128 : 0;

    /// <summary>Makes calls from this thread use another width, until the result is disposed. For tests.</summary>
    /// <param name="bits">A member of <see cref="Supported"/>.</param>
    internal static IDisposable Force(int bits)
    {
        if (!Supported.Contains(bits))
        {
            throw new ArgumentOutOfRangeException(nameof(bits), bits, $"SimdWidth: expected one of {string.Join(", ", Supported)}.");
        }

        var restore = new Restore(s_isForced, s_forced);
        (s_isForced, s_forced) = (true, bits);
        return restore;
    }

    /// <summary>Runs <paramref name="body"/> compiled for the width in use.</summary>
    internal static void Dispatch<TBody>(in TBody body)
        where TBody : struct, IVectorBody
    {
        switch (Bits)
        {
            case 512:
                body.Run<Vector512Float>();
                break;
            case 256:
                body.Run<Vector256Float>();
                break;
            case 128:
                body.Run<Vector128Float>();
                break;
            default:
                body.Run<ScalarFloat>();
                break;
        }
    }

    private static List<int> FindSupported()
    {
        var widths = new List<int> { 0 };
        if (Vector128.IsHardwareAccelerated)
        {
            widths.Add(128);
        }

        if (Vector256.IsHardwareAccelerated)
        {
            widths.Add(256);
        }

        if (Vector512.IsHardwareAccelerated)
        {
            widths.Add(512);
        }

        return widths;
    }

    private sealed class Restore(bool isForced, int forced) : IDisposable
    {
        public void Dispose() => (s_isForced, s_forced) = (isForced, forced);
    }
}
