using System.IO.Compression;
using System.Reflection;
using System.Text;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

/// <summary>A saved model, entry by entry, so that tests can alter it.</summary>
internal sealed class ModelZip(IEnumerable<KeyValuePair<string, byte[]>> entries)
{
    public Dictionary<string, byte[]> Entries { get; } = new(entries);

    public static ModelZip Save(MLContext ml, ITransformer model, DataViewSchema schema)
    {
        using var stream = new MemoryStream();
        ml.Model.Save(model, schema, stream);
        using var archive = new ZipArchive(stream, ZipArchiveMode.Read);
        return new ModelZip(archive.Entries.Select(e => KeyValuePair.Create(e.FullName, Read(e))));
    }

    /// <summary>Replaces text in one of the model's JSON files; it must be there.</summary>
    public void Replace(string file, string text, string by)
    {
        var before = Encoding.UTF8.GetString(Entries[$"TransformerChain/{file}"]);
        Assert.Contains(text, before, StringComparison.Ordinal);
        Entries[$"TransformerChain/{file}"] = Encoding.UTF8.GetBytes(before.Replace(text, by, StringComparison.Ordinal));
    }

    public ITransformer Load(MLContext ml)
    {
        using var stream = new MemoryStream();
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, bytes) in Entries)
            {
                using var entry = archive.CreateEntry(name).Open();
                entry.Write(bytes);
            }
        }
        stream.Position = 0;
        return ml.Model.Load(stream, out _);
    }

    /// <summary>The error of loading, without the wrappers that ML.NET's reflection puts around it; null when there is none.</summary>
    public Exception? LoadError()
    {
        var error = Record.Exception(() => ((IDisposable)Load(new MLContext())).Dispose());
        while (error is TargetInvocationException || (error is InvalidOperationException && error.InnerException is TargetInvocationException))
            error = error.InnerException;
        return error;
    }

    private static byte[] Read(ZipArchiveEntry entry)
    {
        using var content = new MemoryStream();
        using var stream = entry.Open();
        stream.CopyTo(content);
        return content.ToArray();
    }
}
