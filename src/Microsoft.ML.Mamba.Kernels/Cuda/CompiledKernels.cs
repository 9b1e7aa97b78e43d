using System.Security.Cryptography;
using System.Text;

namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>Compiled kernels on disk, one file per key, for the next process.</summary>
/// <remarks>
/// A file carries the hash of its content, so a damaged one is not found and is written anew. Writing goes to a neighbour file
/// that is then renamed: processes that start together see the old or the new file, never half of one. A folder that cannot be
/// read or written costs the time of compiling, no more.
/// </remarks>
internal sealed class CompiledKernels(string folder)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>The cache of the current user: <c>~/.local/share/Microsoft.ML.Mamba/cuda</c>.</summary>
    public static CompiledKernels OfCurrentUser { get; } = new(Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
        "Microsoft.ML.Mamba", "cuda"));

    /// <summary>Hash of everything that decides what comes out of the compiler.</summary>
    public static string Key(Version compiler, IEnumerable<string> options, IEnumerable<CudaSource> sources)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Add(compiler.ToString());
        foreach (string option in options)
        {
            Add(option);
        }

        foreach (CudaSource source in sources)
        {
            Add(source.Name);
            Add(source.Text);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());

        // With its length, so that no two lists of texts are the same stream of bytes.
        void Add(string text)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            hash.AppendData(BitConverter.GetBytes(bytes.LongLength));
            hash.AppendData(bytes);
        }
    }

    /// <summary>Where the image of that key belongs.</summary>
    public string FileOf(string key) => Path.Combine(folder, key);

    /// <summary>The image of that key; null where there is none, or a damaged one.</summary>
    public byte[]? Find(string key)
    {
        try
        {
            // An empty folder name would mean: relative to the working directory.
            if (!Path.IsPathFullyQualified(folder) || !File.Exists(FileOf(key)))
            {
                return null;
            }

            byte[] content = File.ReadAllBytes(FileOf(key));
            if (content.Length <= SHA256.HashSizeInBytes)
            {
                return null;
            }

            byte[] image = content[SHA256.HashSizeInBytes..];
            return Sealed(key, image).AsSpan().SequenceEqual(content) ? image : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Keeps the image, if the folder can be written.</summary>
    public void Store(string key, byte[] image)
    {
        if (!Path.IsPathFullyQualified(folder))
        {
            return;
        }

        string beside = $"{FileOf(key)}.{Environment.ProcessId}.{Guid.NewGuid():N}";
        try
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(folder);
            }
            else
            {
                Directory.CreateDirectory(folder, OwnerOnly);
            }

            try
            {
                File.WriteAllBytes(beside, Sealed(key, image));
                File.Move(beside, FileOf(key), overwrite: true);
            }
            finally
            {
                File.Delete(beside);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next process compiles again.
        }
    }

    /// <summary>The hash of key and image, then the image: a file under another key's name is as good as damaged.</summary>
    private static byte[] Sealed(string key, byte[] image) =>
        [.. SHA256.HashData([.. Encoding.ASCII.GetBytes(key), .. image]), .. image];
}
