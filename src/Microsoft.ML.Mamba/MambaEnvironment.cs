using System.Diagnostics;
using System.Reflection;
using System.Runtime.InteropServices;
using Microsoft.ML.Mamba.Kernels;
using Microsoft.ML.Mamba.Native;
using Microsoft.ML.Mamba.Ops;
using TorchSharp;

namespace Microsoft.ML.Mamba;

/// <summary>What this library finds on the machine it runs on.</summary>
public static class MambaEnvironment
{
    /// <summary>
    /// Loads libtorch. Needed only by programs that use TorchSharp themselves before they first use this library;
    /// everything in this library does it by itself. Cheap when called again, from any thread.
    /// </summary>
    /// <exception cref="MambaNativeLibraryException">libtorch is missing or cannot be loaded; the message says why and what helps.</exception>
    public static void LoadLibTorch() => LibTorchLoader.EnsureLoaded();

    /// <summary>
    /// Looks at runtime, libtorch, devices and kernels, for a bug report or a first look at a new machine:
    /// <c>Console.WriteLine(MambaEnvironment.Diagnose())</c>. Never throws: what went wrong is in
    /// <see cref="MambaDiagnosis.Problem"/>.
    /// </summary>
    public static MambaDiagnosis Diagnose()
    {
        LibTorchLoad load = LibTorchLoader.Result;
        string? problem = load.Failure?.Message;
        IReadOnlyList<string> devices = [];
        int? torchThreads = null;
        IReadOnlyList<MambaKernelDiagnosis> kernels = [];
        if (problem is null)
        {
            try
            {
                devices = FindDevices();
                torchThreads = torch.get_num_threads();
                kernels = [.. KernelBackends.All.Select(Describe)];
            }
            catch (Exception e) // TorchSharp's static constructor may fail in ways of its own; a diagnosis reports it
            {
                problem = (e.InnerException ?? e).Message;
            }
        }

        return new MambaDiagnosis
        {
            Runtime = RuntimeInformation.FrameworkDescription,
            OperatingSystem = $"{RuntimeInformation.OSDescription} ({RuntimeInformation.RuntimeIdentifier})",
            TorchSharpVersion = VersionOf(typeof(torch).Assembly),
            TorchSharpLibrary = load.TorchSharpLibrary ?? LoadedFile("LibTorchSharp"),
            TorchSharpLibraryIsPatched = load.Patched,
            LibTorchVersion = problem is null ? torch.__version__ : null,
            LibTorchLibrary = LoadedFile("torch_cpu"),
            Devices = devices,
            TorchThreads = torchThreads,
            SimdBits = SimdWidth.Bits,
            KernelThreads = KernelThreads.Count,
            Kernels = kernels,
            Problem = problem,
        };
    }

    private static MambaKernelDiagnosis Describe(IKernelBackend backend)
    {
        bool onCpu = backend.Supports(DeviceType.CPU, torch.ScalarType.Float32, out string reason);
        bool usable = onCpu || (torch.cuda.is_available() && backend.Supports(DeviceType.CUDA, torch.ScalarType.Float32, out reason));
        if (usable && backend.Name == "cuda" && KernelBackends.Withdrawn.Count > 0)
            (usable, reason) = (false, string.Join("; ", KernelBackends.Withdrawn));
        return new MambaKernelDiagnosis(backend.Name, usable ? null : reason);
    }

    private static List<string> FindDevices()
    {
        List<string> devices = ["cpu"];
        if (torch.cuda.is_available())
            devices.AddRange(Enumerable.Range(0, torch.cuda.device_count()).Select(i => $"cuda:{i}"));
        return devices;
    }

    private static string? LoadedFile(string name)
    {
        try
        {
            using var process = Process.GetCurrentProcess();
            return process.Modules.Cast<ProcessModule>().FirstOrDefault(m => Path.GetFileNameWithoutExtension(m.ModuleName) is { } module
                && (module == name || module == "lib" + name))?.FileName;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or InvalidOperationException or IOException or UnauthorizedAccessException)
        {
            return null; // a sandbox may hide the process's modules
        }
    }

    private static string VersionOf(Assembly assembly) =>
        assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]
        ?? assembly.GetName().Version?.ToString() ?? "unknown";
}
