using System.Globalization;
using System.Text;

namespace Microsoft.ML.Mamba;

/// <summary>What <see cref="MambaEnvironment.Diagnose"/> found; <see cref="ToString"/> is a readable table.</summary>
public sealed record MambaDiagnosis
{
    /// <summary>The .NET runtime, e.g. <c>.NET 10.0.1</c>.</summary>
    public required string Runtime { get; init; }

    /// <summary>The operating system and its runtime identifier.</summary>
    public required string OperatingSystem { get; init; }

    /// <summary>The version of TorchSharp.</summary>
    public required string TorchSharpVersion { get; init; }

    /// <summary>The file that TorchSharp's native library was loaded from; null if none was loaded.</summary>
    public string? TorchSharpLibrary { get; init; }

    /// <summary>Whether that file is a copy made to fit this system's older C++ library (docs/troubleshooting.md).</summary>
    public bool TorchSharpLibraryIsPatched { get; init; }

    /// <summary>The version of libtorch that TorchSharp was built for; null if it did not load.</summary>
    public string? LibTorchVersion { get; init; }

    /// <summary>The file that libtorch's CPU part was loaded from; null if none was loaded.</summary>
    public string? LibTorchLibrary { get; init; }

    /// <summary>The devices that libtorch can use: <c>cpu</c>, <c>cuda:0</c>, …; empty if it did not load.</summary>
    public IReadOnlyList<string> Devices { get; init; } = [];

    /// <summary>The threads of libtorch's matrix products; null if it did not load.</summary>
    public int? TorchThreads { get; init; }

    /// <summary>The width in bits of the vectors that the kernels use; 0 for scalar code.</summary>
    public int SimdBits { get; init; }

    /// <summary>The threads of the kernels.</summary>
    public int KernelThreads { get; init; }

    /// <summary>The kernel backends in the order in which they are asked.</summary>
    public IReadOnlyList<MambaKernelDiagnosis> Kernels { get; init; } = [];

    /// <summary>Why libtorch cannot be used and what helps; null if it can.</summary>
    public string? Problem { get; init; }

    /// <summary>One line per fact.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        Line("runtime", Runtime);
        Line("system", OperatingSystem);
        Line("TorchSharp", TorchSharpVersion);
        Line("  loaded from", (TorchSharpLibrary ?? "not loaded") + (TorchSharpLibraryIsPatched ? " (patched for this system's older libstdc++)" : ""));
        Line("libtorch", LibTorchVersion ?? "not usable");
        Line("  loaded from", LibTorchLibrary ?? "not loaded");
        Line("devices", Devices.Count > 0 ? string.Join(", ", Devices) : "none");
        Line("vectors", SimdBits == 0 ? "none" : $"{SimdBits} bits");
        foreach (MambaKernelDiagnosis kernel in Kernels)
            Line($"kernels {kernel.Name}", kernel.Reason is null ? "available" : $"not available: {kernel.Reason}");
        Line("threads", $"{KernelThreads} (kernels), {TorchThreads?.ToString(CultureInfo.InvariantCulture) ?? "unknown"} (libtorch)");
        if (Problem is not null)
            Line("problem", Problem);
        return text.ToString();

        void Line(string name, string value) => text.AppendLine(CultureInfo.InvariantCulture, $"{name,-18} {value}");
    }
}

/// <summary>Whether a backend of the kernels can be used here.</summary>
/// <param name="Name">Its name, as the environment variable <c>MAMBA_KERNELS</c> takes it.</param>
/// <param name="Reason">Why it computes on none of the devices; null if it does.</param>
public sealed record MambaKernelDiagnosis(string Name, string? Reason);
