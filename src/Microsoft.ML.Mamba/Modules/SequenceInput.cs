using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>
/// A right-padded batch of sequences of ids or of frames, with the real length of each. It owns its tensors.
/// Padding may hold anything finite: no result depends on it.
/// </summary>
public sealed class SequenceInput : IDisposable
{
    private SequenceInput(Tensor? ids, Tensor? frames, int[] lengths)
    {
        Ids = ids;
        Frames = frames;
        Lengths = lengths;
        var content = (ids ?? frames)!;
        (Batch, Length) = (content.shape[0], content.shape[1]);
        if (lengths.Length != Batch)
            throw new ArgumentException($"{nameof(SequenceInput)}: there are {lengths.Length} lengths; expected B = {Batch}.", nameof(lengths));
        foreach (var length in lengths)
        {
            if (length < 0 || length > Length)
                throw new ArgumentException($"{nameof(SequenceInput)}: a length is {length}; expected 0 to L = {Length}.", nameof(lengths));
        }
    }

    /// <summary>(B, L) int64 ids, or null when the batch holds frames.</summary>
    public Tensor? Ids { get; }

    /// <summary>(B, L, F) frames, or null when the batch holds ids.</summary>
    public Tensor? Frames { get; }

    /// <summary>Real positions of each sequence, from 0 to L.</summary>
    public int[] Lengths { get; }

    /// <summary>B: number of sequences.</summary>
    public long Batch { get; }

    /// <summary>L: positions of the padded batch.</summary>
    public long Length { get; }

    /// <summary>Takes over a tensor of ids.</summary>
    /// <param name="ids">(B, L) int64.</param>
    /// <param name="lengths">Real length of each sequence; null when all have L.</param>
    /// <exception cref="ArgumentException">Shape, type or lengths do not fit.</exception>
    public static SequenceInput FromIds(Tensor ids, int[]? lengths = null)
    {
        ArgumentNullException.ThrowIfNull(ids);
        if (ids.dim() != 2 || ids.dtype != ScalarType.Int64)
            throw new ArgumentException($"{nameof(SequenceInput)}: ids is {ids.dtype} ({string.Join(", ", ids.shape)}); expected Int64 (B, L).", nameof(ids));
        return new SequenceInput(ids, null, lengths ?? FullLengths(ids));
    }

    /// <summary>Copies ids that lie row after row.</summary>
    /// <param name="ids">rows·length ids.</param>
    /// <param name="rows">B.</param>
    /// <param name="length">L.</param>
    /// <param name="lengths">Real length of each sequence.</param>
    public static SequenceInput FromIds(int[] ids, int rows, int length, int[] lengths)
    {
        ArgumentNullException.ThrowIfNull(ids);
        TorchLibrary.EnsureLoaded();
        return FromIds(tensor(Array.ConvertAll(ids, id => (long)id), [rows, length]), lengths);
    }

    /// <summary>Takes over a tensor of frames.</summary>
    /// <param name="frames">(B, L, F) of the model's floating type.</param>
    /// <param name="lengths">Real length of each sequence; null when all have L.</param>
    /// <exception cref="ArgumentException">Shape, type or lengths do not fit.</exception>
    public static SequenceInput FromFrames(Tensor frames, int[]? lengths = null)
    {
        ArgumentNullException.ThrowIfNull(frames);
        if (frames.dim() != 3 || !frames.is_floating_point())
            throw new ArgumentException($"{nameof(SequenceInput)}: frames is {frames.dtype} ({string.Join(", ", frames.shape)}); expected a floating type (B, L, F).", nameof(frames));
        return new SequenceInput(null, frames, lengths ?? FullLengths(frames));
    }

    /// <summary>Copies frames that lie row after row.</summary>
    /// <param name="frames">rows·length·width values.</param>
    /// <param name="rows">B.</param>
    /// <param name="length">L.</param>
    /// <param name="width">F.</param>
    /// <param name="lengths">Real length of each sequence.</param>
    public static SequenceInput FromFrames(float[] frames, int rows, int length, int width, int[] lengths)
    {
        ArgumentNullException.ThrowIfNull(frames);
        TorchLibrary.EnsureLoaded();
        using var inArray = tensor(frames, [rows, length, width]);
        return FromFrames(inArray.clone(), lengths); // aligned, so that equal frames give equal bits
    }

    /// <summary>The same batch on a device; this one is taken over.</summary>
    internal SequenceInput MovedTo(Device device) => device.type == DeviceType.CPU
        ? this
        : new SequenceInput(Ids?.MovedTo(device), Frames?.MovedTo(device), Lengths);

    /// <summary>Positions start to start + count of every sequence, as a view; lengths are those that remain within the piece.</summary>
    internal SequenceInput Slice(long start, long count)
    {
        var lengths = Array.ConvertAll(Lengths, length => (int)Math.Clamp(length - start, 0, count));
        return new SequenceInput(Ids?.narrow(1, start, count), Frames?.narrow(1, start, count), lengths);
    }

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        Ids?.Dispose();
        Frames?.Dispose();
    }

    private static int[] FullLengths(Tensor content)
    {
        var lengths = new int[content.shape[0]];
        Array.Fill(lengths, checked((int)content.shape[1]));
        return lengths;
    }
}
