using System.Globalization;

namespace Microsoft.ML.Mamba.Tests.Support;

/// <summary>The most memory that this process has held at a time. Linux.</summary>
internal static class PeakMemory
{
    /// <summary>A young generation of 16 MB for a process whose peak is judged: by default it is as large as the processor's cache, up to hundreds.</summary>
    public static IReadOnlyDictionary<string, string?> SmallYoungGeneration { get; } = new Dictionary<string, string?> { ["DOTNET_GCgen0size"] = "1000000" };

    /// <summary>Resident bytes at the peak since the process began.</summary>
    public static long Bytes()
    {
        var line = File.ReadLines("/proc/self/status").Single(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture);
    }
}
