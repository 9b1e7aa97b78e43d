namespace Microsoft.ML.Mamba;

/// <summary>
/// libtorch, the native library under TorchSharp, is missing or cannot be loaded. The message names the cause, the cure,
/// what the system's loader said and where was looked.
/// </summary>
public sealed class MambaNativeLibraryException : DllNotFoundException
{
    internal MambaNativeLibraryException(string message, IReadOnlyList<string> searchedFolders, Exception? inner = null)
        : base(message, inner) => SearchedFolders = searchedFolders;

    /// <summary>The folders that were looked through, in order.</summary>
    public IReadOnlyList<string> SearchedFolders { get; }
}
