using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;

namespace Microsoft.ML.Mamba.Native;

/// <summary>
/// Answers when .NET cannot find TorchSharp's native library by itself, so that code which uses TorchSharp next to this
/// library works without a call of ours in between.
/// </summary>
/// <remarks>
/// The module initialiser only subscribes to the load context: no file is touched and nothing is loaded until TorchSharp
/// asks. Entry points still call <see cref="LibTorchLoader.EnsureLoaded"/>, because TorchSharp swallows what a resolver
/// throws and a user should read our explanation.
/// </remarks>
internal static class TorchSharpResolver
{
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255:The 'ModuleInitializer' attribute should not be used in libraries",
        Justification = "TorchSharp's static constructor may run before any member of ours is called; two event subscriptions are cheap and cannot fail.")]
    internal static void Subscribe()
    {
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += Resolve;
        if (AssemblyLoadContext.GetLoadContext(typeof(TorchSharpResolver).Assembly) is { } own && own != AssemblyLoadContext.Default)
            own.ResolvingUnmanagedDll += Resolve;
    }

    private static nint Resolve(System.Reflection.Assembly assembly, string library)
    {
        if (library != "LibTorchSharp" || !OperatingSystem.IsLinux() || LibTorchLoader.Result.Failure is not null)
            return 0;
        return System.Runtime.InteropServices.NativeLibrary.TryLoad("libLibTorchSharp.so", out nint handle) ? handle : 0;
    }
}
