using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Microsoft.ML.Mamba.Kernels.Cuda;

namespace Microsoft.ML.Mamba.Kernels.Tests.Cuda;

/// <summary>
/// Runs CUDA kernels on the processor: their sources, built by g++ with the small stand-in for CUDA in Cuda/host, so that their
/// arithmetic is tested where there is no GPU. Tests skip where there is no g++ or the sources are not beside the tests.
/// </summary>
internal static class HostCuda
{
    private static readonly ConcurrentDictionary<string, Lazy<LaunchDelegate>> Kernels = new();
    private static readonly Lazy<string> Build = new(() => Directory.CreateTempSubdirectory("mamba-host-kernels-").FullName);
    private static readonly Lazy<(string? Root, string Reason)> Place = new(Look);

    // Kernels share the stand-in's variables of one library, and a launch uses them all.
    private static readonly Lock Launching = new();

    [UnmanagedFunctionPointer(CallingConvention.Cdecl)]
    private delegate void LaunchDelegate(nint arguments, long x, int y, int z, int threads);

    public static void SkipIfMissing() => Skip.If(Place.Value.Root is null, Place.Value.Reason);

    /// <summary>Runs a planned launch; addresses in its arguments are of the processor's memory.</summary>
    public static void Run<TArguments>(in CudaLaunch<TArguments> launch)
        where TArguments : unmanaged =>
        Run(launch.Variant, launch.Arguments, launch.Blocks, 1, 1, launch.Threads);

    /// <summary>The processor as a target of launches.</summary>
    /// <param name="multiprocessors">How many it pretends to have.</param>
    public static ICudaTarget Target(int multiprocessors) => new HostTarget(multiprocessors);

    /// <summary>Runs a kernel on a grid.</summary>
    public static void Run<TArguments>(CudaKernelVariant variant, in TArguments arguments, long x, int y, int z, int threads)
        where TArguments : unmanaged
    {
        if (x == 0 || y == 0 || z == 0)
        {
            return;
        }

        var kernel = Kernels.GetOrAdd(variant.ToString(), _ => new Lazy<LaunchDelegate>(() => Compile(variant))).Value;
        var copy = new NativeArray<TArguments>([arguments]);
        lock (Launching)
        {
            kernel(copy.Address, x, y, z, threads);
        }

        copy.Dispose();
    }

    private static LaunchDelegate Compile(CudaKernelVariant variant)
    {
        var root = Place.Value.Root!;
        var host = Path.Combine(root, "tests", "Microsoft.ML.Mamba.Kernels.Tests", "Cuda", "host");
        var library = Path.Combine(Build.Value, Guid.NewGuid().ToString("N") + ".so");
        string[] arguments =
        [
            "-std=c++17", "-O1", "-U_FORTIFY_SOURCE", "-Wall", "-Wno-unknown-pragmas", "-Wno-unused-function", "-shared", "-fPIC", "-DMAMBA_HOST", $"-DMAMBA_KERNEL={variant.Function}",
            .. variant.Defines.Select(define => "-D" + define),
            "-I", Path.Combine(root, "native"), "-include", Path.Combine(host, "cuda_host.h"), "-include", Path.Combine(root, "native", variant.Source + ".cu"),
            Path.Combine(host, "launch.cpp"), "-o", library,
        ];
        var (code, output) = Start(arguments);
        Assert.True(code == 0, $"g++ refused {variant}:\n{output}");
        return Marshal.GetDelegateForFunctionPointer<LaunchDelegate>(NativeLibrary.GetExport(NativeLibrary.Load(library), "launch"));
    }

    private static (string? Root, string Reason) Look()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !Directory.Exists(Path.Combine(folder.FullName, "native")))
        {
            folder = folder.Parent;
        }

        if (folder is null)
        {
            return (null, "The sources of the CUDA kernels (native/) are not above the tests' folder.");
        }

        if (!OperatingSystem.IsLinux())
        {
            return (null, "CUDA kernels run on the processor on Linux only.");
        }

        try
        {
            return Start(["--version"]).Code == 0 ? (folder.FullName, "") : (null, "g++ does not start, so CUDA kernels are not run on the processor.");
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return (null, "There is no g++, so CUDA kernels are not run on the processor.");
        }
    }

    private static (int Code, string Output) Start(string[] arguments)
    {
        var start = new ProcessStartInfo("g++", arguments) { RedirectStandardError = true, RedirectStandardOutput = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output.Result + errors);
    }

    private sealed record HostTarget(int Multiprocessors) : ICudaTarget
    {
        public void Run<TArguments>(in CudaLaunch<TArguments> launch)
            where TArguments : unmanaged => HostCuda.Run(launch);
    }
}
