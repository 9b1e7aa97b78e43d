using System.Buffers.Binary;
using System.Text.Json;
using TorchSharp;

namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>
/// The header of a safetensors file, checked whole before any tensor is made: 8 bytes of little-endian length, then JSON that maps
/// each name to dtype, shape and byte range. Ranges must cover the rest of the file without gap or overlap.
/// Format: https://github.com/huggingface/safetensors.
/// </summary>
internal sealed class SafeTensorsHeader
{
    /// <summary>Longest header that is read, as in the format's own library.</summary>
    private const long MaxHeaderLength = 100_000_000;

    private const string MetadataKey = "__metadata__";

    private SafeTensorsHeader(IReadOnlyList<TensorEntry> entries, IReadOnlyDictionary<string, string> metadata, long dataStart) =>
        (Entries, Metadata, DataStart) = (entries, metadata, dataStart);

    /// <summary>Tensors in the order of their bytes.</summary>
    public IReadOnlyList<TensorEntry> Entries { get; }

    /// <summary>Byte of the file at which the first tensor begins.</summary>
    public long DataStart { get; }

    /// <summary>Free texts beside the tensors.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Reads the header and leaves the stream at the first tensor's first byte.</summary>
    /// <param name="stream">At the start of the file.</param>
    /// <param name="length">Bytes of the file.</param>
    /// <param name="file">What messages call the file.</param>
    /// <exception cref="MambaCheckpointException">The header is not valid.</exception>
    public static SafeTensorsHeader Read(Stream stream, long length, string file)
    {
        if (length < 8)
            throw Bad(file, $"it has {length} bytes; expected at least the 8 bytes of the header's length.");
        var prefix = new byte[8];
        ReadExactly(stream, prefix, file);
        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerLength > MaxHeaderLength || (long)headerLength > length - 8)
            throw Bad(file, $"its header claims {headerLength} bytes; expected at most {Math.Min(MaxHeaderLength, length - 8)} in a file of {length} bytes.");
        var json = new byte[headerLength];
        ReadExactly(stream, json, file);
        return Parse(json, 8 + (long)headerLength, length, file);
    }

    private static SafeTensorsHeader Parse(byte[] json, long dataStart, long length, string file)
    {
        var entries = new List<TensorEntry>();
        var metadata = new Dictionary<string, string>();
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw Bad(file, $"its header is a JSON {document.RootElement.ValueKind}; expected an object.");
            var names = new HashSet<string>();
            foreach (var property in document.RootElement.EnumerateObject())
            {
                if (!names.Add(property.Name))
                    throw Bad(file, $"tensor '{property.Name}' is described twice.");
                if (property.Name == MetadataKey)
                    ReadMetadata(property.Value, metadata, file);
                else
                    entries.Add(ReadEntry(property, file));
            }
        }
        catch (JsonException e)
        {
            throw new MambaCheckpointException($"{file}: its header is not valid JSON: {e.Message}", e);
        }

        catch (InvalidOperationException e)
        {
            throw new MambaCheckpointException($"{file}: its header holds a name that is not valid text.", e);
        }

        entries.Sort((x, y) => x.Begin != y.Begin ? x.Begin.CompareTo(y.Begin) : x.End.CompareTo(y.End));
        CheckRanges(entries, length - dataStart, file);
        return new SafeTensorsHeader(entries, metadata, dataStart);
    }

    private static void ReadMetadata(JsonElement value, Dictionary<string, string> metadata, string file)
    {
        if (value.ValueKind != JsonValueKind.Object)
            throw Bad(file, $"its {MetadataKey} is a JSON {value.ValueKind}; expected an object of texts.");
        foreach (var item in value.EnumerateObject())
        {
            if (item.Value.ValueKind != JsonValueKind.String)
                throw Bad(file, $"its {MetadataKey} entry '{item.Name}' is a JSON {item.Value.ValueKind}; expected a text.");
            metadata[item.Name] = item.Value.GetString()!;
        }
    }

    private static TensorEntry ReadEntry(JsonProperty property, string file)
    {
        var (name, value) = (property.Name, property.Value);
        if (value.ValueKind != JsonValueKind.Object
            || !value.TryGetProperty("dtype", out var dtype) || dtype.ValueKind != JsonValueKind.String
            || !value.TryGetProperty("shape", out var shape) || shape.ValueKind != JsonValueKind.Array
            || !value.TryGetProperty("data_offsets", out var offsets) || offsets.ValueKind != JsonValueKind.Array)
        {
            throw Bad(file, $"tensor '{name}' is not described by dtype, shape and data_offsets.");
        }

        var type = TensorEntry.TypeOf(dtype.GetString()!)
            ?? throw Bad(file, $"tensor '{name}' has dtype '{dtype.GetString()}'; expected one of {TensorEntry.TypeNames}.");
        var sizes = Integers(shape) ?? throw Bad(file, $"tensor '{name}' has a shape of {shape.GetRawText()}; expected integers ≥ 0.");
        var range = Integers(offsets);
        if (range is not { Length: 2 } || range[0] > range[1])
            throw Bad(file, $"tensor '{name}' has data_offsets {offsets.GetRawText()}; expected two integers 0 ≤ begin ≤ end.");
        long expected;
        try
        {
            expected = TensorEntry.SizeOf(type, sizes);
        }
        catch (OverflowException)
        {
            throw Bad(file, $"tensor '{name}' has shape ({string.Join(", ", sizes)}), which is larger than any file.");
        }

        if (range[1] - range[0] != expected)
            throw Bad(file, $"tensor '{name}' takes {range[1] - range[0]} bytes; expected {expected} for {dtype.GetString()} ({string.Join(", ", sizes)}).");
        return new TensorEntry(name, type, sizes, range[0], range[1]);
    }

    private static long[]? Integers(JsonElement array)
    {
        var values = new List<long>();
        foreach (var item in array.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out var value) || value < 0)
                return null;
            values.Add(value);
        }

        return [.. values];
    }

    private static void CheckRanges(List<TensorEntry> entries, long dataLength, string file)
    {
        long end = 0;
        TensorEntry? previous = null;
        foreach (var entry in entries)
        {
            if (entry.End > dataLength)
                throw Bad(file, $"tensor '{entry.Name}' ends at byte {entry.End} of the data; the file has {dataLength}. It is truncated, or altered.");
            if (entry.Begin < end)
                throw Bad(file, $"tensors '{previous!.Name}' and '{entry.Name}' overlap at byte {entry.Begin} of the data.");
            if (entry.Begin > end)
                throw Bad(file, $"bytes {end} to {entry.Begin} of the data, before tensor '{entry.Name}', belong to no tensor.");
            (end, previous) = (entry.End, entry);
        }

        if (end != dataLength)
            throw Bad(file, $"the last {dataLength - end} bytes belong to no tensor.");
    }

    internal static void ReadExactly(Stream stream, byte[] buffer, string file)
    {
        try
        {
            stream.ReadExactly(buffer);
        }
        catch (EndOfStreamException e)
        {
            throw new MambaCheckpointException($"{file}: it ends early; it is truncated.", e);
        }
    }

    internal static MambaCheckpointException Bad(string file, string what) => new($"{file}: {what}");
}
