using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>A tensor as it lies in a file: found and checked, but not read yet.</summary>
/// <param name="Name">Name in the file.</param>
/// <param name="File">The file.</param>
/// <param name="Type">Element type.</param>
/// <param name="Shape">Sizes.</param>
/// <param name="Offset">First byte of its first element, from the start of the file.</param>
/// <param name="Strides">Elements from one index to the next in each dimension; null when row-major without gaps.</param>
internal sealed record StoredTensor(string Name, CheckpointFile File, ScalarType Type, long[] Shape, long Offset, long[]? Strides = null)
{
    private const int BufferSize = 1 << 16;

    /// <summary>Elements converted at a time.</summary>
    private const long Piece = 1 << 18;

    /// <summary>Elements from the first to the last, gaps included.</summary>
    public long Span => Shape.Contains(0) ? 0
        : Strides is null ? Shape.Aggregate(1L, (product, size) => product * size)
        : 1 + Shape.Zip(Strides, (size, stride) => (size - 1) * stride).Sum();

    /// <summary>One past the last byte.</summary>
    public long End => Offset + Span * TensorEntry.SizeOf(Type, []);

    /// <summary>Reads it into a contiguous tensor of the same shape, on any device, converting piece by piece where the types differ.</summary>
    /// <param name="stream">The open file.</param>
    /// <param name="target">Where to.</param>
    public void ReadInto(Stream stream, Tensor target)
    {
        if (Span == 0)
            return;
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        File.Seek(stream, Offset);
        try
        {
            if (Strides is not null)
                ReadSpread(stream, target);
            else if (Type == target.dtype && target.device_type == DeviceType.CPU)
                target.ReadBytesFromStream(stream, BufferSize);
            else
                ReadConverted(stream, target.view(-1));
        }
        catch (EndOfStreamException e)
        {
            throw new MambaCheckpointException($"{File.Name}: it ends inside tensor '{Name}'; it was changed after it was checked. Load the checkpoint again.", e);
        }
    }

    private void ReadConverted(Stream stream, Tensor flat)
    {
        var count = flat.shape[0];
        var buffer = empty(Math.Min(Piece, count), dtype: Type);
        for (long begin = 0; begin < count; begin += Piece)
        {
            using var piece = buffer.narrow(0, 0, Math.Min(Piece, count - begin));
            using var destination = flat.narrow(0, begin, piece.shape[0]);
            piece.ReadBytesFromStream(stream, BufferSize);
            destination.copy_(piece);
        }
    }

    private void ReadSpread(Stream stream, Tensor target)
    {
        var elements = empty(Span, dtype: Type);
        elements.ReadBytesFromStream(stream, BufferSize);
        target.copy_(elements.as_strided(Shape, Strides!));
    }
}
