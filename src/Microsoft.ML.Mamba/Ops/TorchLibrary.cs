using Microsoft.ML.Mamba.Native;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>What the layers above call before they touch a TorchSharp type for the first time.</summary>
internal static class TorchLibrary
{
    /// <summary>Loads libtorch if nobody has yet.</summary>
    /// <exception cref="MambaNativeLibraryException">libtorch is missing or cannot be loaded.</exception>
    public static void EnsureLoaded() => LibTorchLoader.EnsureLoaded();
}
