using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Text;

namespace Microsoft.ML.Mamba.Tests.Checkpoints;

/// <summary>Writes files as torch.save does: a zip of stored members, with a pickle that describes the tensors.</summary>
internal static class TorchFile
{
    /// <summary>A tensor; those of one storage key share their bytes.</summary>
    public sealed record Item(string Name, string Key, float[] Storage, long[] Shape, long[] Strides, long Offset = 0);

    public static byte[] Write(params IReadOnlyList<Item> items) => Archive(
        [("archive/data.pkl", Pickle(items)), ("archive/byteorder", "little"u8.ToArray()), .. items.DistinctBy(item => item.Key).Select(item =>
            ($"archive/data/{item.Key}", MemoryMarshal.AsBytes<float>(item.Storage).ToArray()))]);

    public static byte[] Archive(params IReadOnlyList<(string Name, byte[] Content)> members) => Archive(CompressionLevel.NoCompression, members);

    public static byte[] Archive(CompressionLevel level, params IReadOnlyList<(string Name, byte[] Content)> members)
    {
        using var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, content) in members)
            {
                using var entry = zip.CreateEntry(name, level).Open();
                entry.Write(content);
            }
        }

        return file.ToArray();
    }

    public static byte[] Pickle(IReadOnlyList<Item> items)
    {
        using var pickle = new MemoryStream();
        Put([0x80, 2]);
        OrderedDict();
        Put("("u8);
        foreach (var item in items)
        {
            Text(item.Name);
            Put("ctorch._utils\n_rebuild_tensor_v2\n(("u8);
            Text("storage");
            Put("ctorch\nFloatStorage\n"u8);
            Text(item.Key);
            Text("cpu");
            Integer(item.Storage.Length);
            Put("tQ"u8);
            Integer(item.Offset);
            Tuple(item.Shape);
            Tuple(item.Strides);
            Put([0x89]);
            OrderedDict();
            Put("tR"u8);
        }

        Put("u."u8);
        return pickle.ToArray();

        void Put(ReadOnlySpan<byte> bytes) => pickle.Write(bytes);
        void OrderedDict() => Put("ccollections\nOrderedDict\n)R"u8);
        void Integer(long value) => Put([(byte)'J', .. BitConverter.GetBytes((int)value)]);
        void Text(string text) => Put([(byte)'X', .. BitConverter.GetBytes(Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)]);
        void Tuple(long[] values)
        {
            Put("("u8);
            foreach (var value in values)
                Integer(value);
            Put("t"u8);
        }
    }
}
