using System.Buffers.Binary;
using System.Text.Json;
using Microsoft.ML.Mamba.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>Reads and writes tensors in the safetensors format, readable by anyone's tools.</summary>
internal static class SafeTensors
{
    private const int BufferSize = 1 << 20;

    /// <summary>Reads every tensor, after the whole header has been found valid.</summary>
    /// <param name="stream">At the start of the file.</param>
    /// <param name="length">Bytes of the file.</param>
    /// <param name="file">What messages call the file.</param>
    /// <param name="check">Looks at names, types and shapes before anything is allocated; throws what it dislikes.</param>
    /// <returns>Name → tensor on the CPU; the caller owns them.</returns>
    /// <exception cref="MambaCheckpointException">The file is not valid.</exception>
    public static Dictionary<string, Tensor> Read(
        Stream stream, long length, string file = "model.safetensors", Action<IReadOnlyList<TensorEntry>>? check = null)
    {
        LibTorchLoader.EnsureLoaded();
        var header = SafeTensorsHeader.Read(stream, length, file);
        check?.Invoke(header.Entries);
        var tensors = new Dictionary<string, Tensor>();
        try
        {
            foreach (var entry in header.Entries)
            {
                var tensor = empty(entry.Shape, dtype: entry.Type).DetachFromDisposeScope();
                tensors.Add(entry.Name, tensor);
                if (entry.End > entry.Begin)
                    tensor.ReadBytesFromStream(stream, BufferSize);
            }
        }
        catch (Exception e) when (e is EndOfStreamException or MambaCheckpointException)
        {
            foreach (var tensor in tensors.Values)
                tensor.Dispose();
            throw new MambaCheckpointException($"{file}: it ends early; it is truncated.", e);
        }

        return tensors;
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">Path of the file.</param>
    public static Dictionary<string, Tensor> Read(string path)
    {
        using var stream = File.OpenRead(path);
        return Read(stream, stream.Length, path);
    }

    /// <summary>Writes tensors in the order of their names, so that equal weights give equal bytes.</summary>
    /// <param name="stream">Where to.</param>
    /// <param name="tensors">Names and tensors of any device.</param>
    /// <param name="metadata">Free texts beside them, or null.</param>
    /// <exception cref="ArgumentException">A name comes twice, or a type has no place in the format.</exception>
    public static void Write(Stream stream, IEnumerable<(string Name, Tensor Value)> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var ordered = tensors.OrderBy(t => t.Name, StringComparer.Ordinal).ToArray();
        var json = Header(ordered, metadata);
        var prefix = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)json.Length);
        stream.Write(prefix);
        stream.Write(json);
        using var noGradient = no_grad();
        foreach (var (_, value) in ordered)
        {
            using var scope = NewDisposeScope();
            if (value.numel() > 0)
                value.detach().cpu().contiguous().WriteBytesToStream(stream, BufferSize);
        }
    }

    private static byte[] Header((string Name, Tensor Value)[] tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, text) in metadata.OrderBy(m => m.Key, StringComparer.Ordinal))
                    json.WriteString(key, text);
                json.WriteEndObject();
            }

            long offset = 0;
            string? previous = null;
            foreach (var (name, value) in tensors)
            {
                if (name == previous)
                    throw new ArgumentException($"{nameof(SafeTensors)}: tensor '{name}' comes twice.", nameof(tensors));
                var type = TensorEntry.NameOf(value.dtype)
                    ?? throw new ArgumentException($"{nameof(SafeTensors)}: tensor '{name}' is {value.dtype}; expected one of {TensorEntry.TypeNames}.", nameof(tensors));
                var end = offset + TensorEntry.SizeOf(value.dtype, value.shape);
                json.WriteStartObject(name);
                json.WriteString("dtype", type);
                WriteIntegers(json, "shape", value.shape);
                WriteIntegers(json, "data_offsets", offset, end);
                json.WriteEndObject();
                (offset, previous) = (end, name);
            }

            json.WriteEndObject();
        }

        while (buffer.Length % 8 != 0)
            buffer.WriteByte((byte)' '); // the format aligns the data with spaces
        return buffer.ToArray();
    }

    private static void WriteIntegers(Utf8JsonWriter json, string name, params ReadOnlySpan<long> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteNumberValue(value);
        json.WriteEndArray();
    }
}
