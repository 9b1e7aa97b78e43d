using System.Numerics;

namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>
/// Reverses each sequence of a right-padded batch in a GPU's memory within its own length; padding is copied in place.
/// It is its own inverse, and its own gradient: see <see cref="SequenceReverse"/>.
/// </summary>
public static class CudaSequenceReverse
{
    private const int Threads = 256;

    /// <summary>Elements of 2 and of 4 bytes; with the widest loads that addresses and strides allow.</summary>
    internal static IReadOnlyList<CudaKernelVariant> Variants { get; } =
        [.. from bytes in new[] { 2, 4, 8, 16 } select new CudaKernelVariant("sequence_reverse", "sequence_reverse", $"UNIT={Unit(bytes)}")];

    /// <summary>Copies rows: y[b, t] = x[b, lengths[b] - 1 - t] for t &lt; lengths[b], else x[b, t].</summary>
    /// <param name="device">The GPU.</param>
    /// <param name="x">x, (batch·length, width), in the device's memory.</param>
    /// <param name="xStride">Elements from one row of x to the next.</param>
    /// <param name="lengths">Length of each sequence, 0 to <paramref name="length"/>, 32-bit integers in the device's memory. They are not checked here; a length outside is taken as the nearest bound.</param>
    /// <param name="batch">Number of sequences, B.</param>
    /// <param name="length">Rows per sequence, L.</param>
    /// <param name="width">Elements per row, D.</param>
    /// <param name="elementBytes">2 or 4.</param>
    /// <param name="y">Output, (batch·length, width), in the device's memory; must not overlap x.</param>
    /// <param name="yStride">Elements from one row of y to the next.</param>
    /// <exception cref="ArgumentException">The element size is another.</exception>
    /// <exception cref="CudaException">The kernel cannot be compiled or launched.</exception>
    public static void Launch(
        CudaDevice device, nint x, long xStride, nint lengths, long batch, long length, long width, int elementBytes, nint y, long yStride)
    {
        if (elementBytes is not (2 or 4))
        {
            throw new ArgumentException($"SequenceReverse: elements of {elementBytes} bytes; expected 2 or 4.", nameof(elementBytes));
        }

        // A unit is what one thread moves at a time. It divides every row, every stride and both addresses.
        long alike = x | y | (xStride * elementBytes) | (yStride * elementBytes) | (width * elementBytes) | 16;
        int unit = (int)(alike & -alike);
        var arguments = new CudaSequenceReverseArguments
        {
            X = x,
            Y = y,
            Lengths = lengths,
            XStride = xStride * elementBytes / unit,
            YStride = yStride * elementBytes / unit,
            Batch = batch,
            Length = length,
            Width = width * elementBytes / unit,
        };
        arguments.ThreadsPerRowLog2 = BitOperations.Log2((ulong)Math.Clamp(arguments.Width * 2 - 1, 1, Threads));
        long rowsPerBlock = Threads >> arguments.ThreadsPerRowLog2;
        long blocks = (checked(batch * length) + rowsPerBlock - 1) / rowsPerBlock;
        Variants[BitOperations.Log2((uint)unit) - 1].On(device).Launch(arguments, (width == 0 ? 0 : blocks, 1, 1), Threads);
    }

    private static string Unit(int bytes) => bytes switch { 2 => "ushort1", 4 => "uint1", 8 => "uint2", _ => "uint4" };
}
