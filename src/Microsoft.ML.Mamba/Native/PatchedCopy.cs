using System.Security.Cryptography;

namespace Microsoft.ML.Mamba.Native;

/// <summary>
/// Loads the patched copy of a library from a per-user cache, one folder per original file (SHA-256 of its bytes).
/// </summary>
/// <remarks>
/// A cache entry is compared byte for byte with what it should be before it is loaded (2 MB, a few milliseconds), so a
/// damaged, stale or planted entry is rewritten. Writing goes to a neighbour file that is then renamed: processes that
/// start together see the old or the new entry, never half of one. Where the cache cannot be written or must not hold
/// code (read-only or noexec home folder), the copy lives in a private temporary folder for as long as loading takes.
/// </remarks>
internal sealed class PatchedCopy(string cacheFolder)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>The cache of the current user: <c>~/.local/share/Microsoft.ML.Mamba/native</c>.</summary>
    public static PatchedCopy OfCurrentUser { get; } = new(Path.Combine(
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
        "Microsoft.ML.Mamba", "native"));

    /// <summary>Where the patched copy of a file with these bytes belongs.</summary>
    public string EntryOf(byte[] original, string fileName) =>
        Path.Combine(cacheFolder, Convert.ToHexStringLower(SHA256.HashData(original)), fileName);

    /// <summary>Makes sure that the entry is there and whole, and gives its path.</summary>
    /// <exception cref="IOException">The cache cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The cache cannot be written.</exception>
    public string Prepare(byte[] original, byte[] patched, string fileName)
    {
        string entry = EntryOf(original, fileName);
        if (!Holds(entry, patched))
            WriteByRename(entry, patched);
        return entry;
    }

    /// <summary>Loads the patched copy: from the cache, else from a temporary folder that is removed again.</summary>
    /// <returns>Where the copy was loaded from.</returns>
    /// <exception cref="DllNotFoundException">The system's loader refused the copy; its message is the exception's.</exception>
    public string Load(byte[] original, byte[] patched, string fileName)
    {
        // An empty folder name would mean: relative to the working directory.
        if (Path.IsPathFullyQualified(cacheFolder))
        {
            try
            {
                string entry = Prepare(original, patched, fileName);
                System.Runtime.InteropServices.NativeLibrary.Load(entry);
                return entry;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or DllNotFoundException)
            {
                // The temporary folder below often allows what the home folder does not.
            }
        }

        DirectoryInfo folder = Directory.CreateTempSubdirectory("Microsoft.ML.Mamba-");
        try
        {
            string file = Path.Combine(folder.FullName, fileName);
            File.WriteAllBytes(file, patched);
            System.Runtime.InteropServices.NativeLibrary.Load(file);
            return file;
        }
        finally
        {
            folder.Delete(recursive: true); // a loaded library needs its mapping, not its name
        }
    }

    private static bool Holds(string entry, byte[] expected)
    {
        try
        {
            var file = new FileInfo(entry);
            return file.Exists && file.Length == expected.Length && File.ReadAllBytes(entry).AsSpan().SequenceEqual(expected);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static void WriteByRename(string entry, byte[] content)
    {
        string folder = Path.GetDirectoryName(entry)!;
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, OwnerOnly);

        string beside = $"{entry}.{Environment.ProcessId}.{Guid.NewGuid():N}";
        try
        {
            File.WriteAllBytes(beside, content);
            File.Move(beside, entry, overwrite: true);
        }
        finally
        {
            File.Delete(beside);
        }
    }
}
