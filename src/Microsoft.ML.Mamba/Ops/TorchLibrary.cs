using System.Runtime.InteropServices;
using Microsoft.ML.Mamba.Native;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// What the layers above call before they touch a TorchSharp type for the first time. From constructors and methods, never
/// from a static constructor: what that throws arrives as a TypeInitializationException, which explains nothing.
/// </summary>
internal static class TorchLibrary
{
    /// <summary>Loads libtorch if nobody has yet.</summary>
    /// <exception cref="MambaNativeLibraryException">libtorch is missing or cannot be loaded.</exception>
    public static void EnsureLoaded() => LibTorchLoader.EnsureLoaded();

    /// <summary>Whether the libtorch that was loaded is one for CUDA, whatever devices there are.</summary>
    public static bool HasCuda => OperatingSystem.IsWindows()
        ? NativeLibrary.TryLoad("torch_cuda", typeof(TorchSharp.torch).Assembly, null, out _)
        : NativeLibrary.TryLoad("libtorch_cuda.so", out _);

    /// <summary>Loads libtorch before a module's base constructor runs: <c>: base(TorchLibrary.Loaded(nameof(MambaModel)))</c>.</summary>
    /// <param name="name">Handed back.</param>
    /// <exception cref="MambaNativeLibraryException">libtorch is missing or cannot be loaded.</exception>
    public static string Loaded(string name)
    {
        EnsureLoaded();
        return name;
    }
}
