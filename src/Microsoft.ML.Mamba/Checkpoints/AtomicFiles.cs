namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>
/// Files that appear in a folder whole or not at all: each is written beside its place, and takes it only when all have been written.
/// </summary>
internal static class AtomicFiles
{
    /// <param name="directory">The folder; it is made when it does not exist.</param>
    /// <param name="files">Name and content of each, in the order in which they take their places.</param>
    public static void Write(string directory, params IReadOnlyList<(string Name, Action<Stream> Write)> files)
    {
        var isNew = !Directory.Exists(directory);
        Directory.CreateDirectory(directory);
        var moves = files.Select(file => (
            From: Path.Combine(directory, $".{file.Name}.{Guid.NewGuid():N}.tmp"), To: Path.Combine(directory, file.Name), file.Write)).ToArray();
        var done = false;
        try
        {
            foreach (var (from, _, write) in moves)
            {
                using var stream = new FileStream(from, FileMode.CreateNew, FileAccess.Write, FileShare.None);
                write(stream);
                stream.Flush(flushToDisk: true);
            }

            foreach (var (from, to, _) in moves)
                File.Move(from, to, overwrite: true);
            done = true;
        }
        finally
        {
            foreach (var (from, _, _) in moves)
                File.Delete(from);
            if (!done && isNew && !Directory.EnumerateFileSystemEntries(directory).Any())
                Directory.Delete(directory);
        }
    }
}
