namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>A file of native/, which travels inside this assembly.</summary>
/// <param name="Name">File name without folder, e.g. <c>numbers.cuh</c>.</param>
/// <param name="Text">Its content.</param>
internal sealed record CudaSource(string Name, string Text)
{
    private const string Prefix = "native/";

    /// <summary>Every header, by name; each compilation can include any.</summary>
    public static IReadOnlyList<CudaSource> Headers { get; } = [.. Names(".cuh").Select(Read)];

    /// <summary>Names of the files that end so, in ordinal order.</summary>
    public static IEnumerable<string> Names(string ending) => typeof(CudaSource).Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(ending, StringComparison.Ordinal))
        .Select(name => name[Prefix.Length..])
        .Order(StringComparer.Ordinal);

    /// <summary>The file of that name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static CudaSource Read(string name)
    {
        using Stream stream = typeof(CudaSource).Assembly.GetManifestResourceStream(Prefix + name)
            ?? throw new ArgumentException($"There is no CUDA source {name}; there are {string.Join(", ", Names(""))}.", nameof(name));
        using var reader = new StreamReader(stream);
        return new CudaSource(name, reader.ReadToEnd());
    }
}
