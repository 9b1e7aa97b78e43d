using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Native;

/// <summary>
/// Settings of libgomp, the threads under libtorch's matrix products on Linux. It reads them from the process environment
/// once, when it is loaded. A value that the user has set stays.
/// </summary>
/// <remarks>
/// Nothing is set at present. libgomp's threads spin for some milliseconds after each product, which could slow the kernels'
/// own threads. With GOMP_SPINCOUNT at 1,000 and 10,000 the roofline benchmark's models ran within the noise of the default
/// while the machine was nearly free, the smallest (DModel 128, 32 × 60) up to half slower; at a load of ten per core, with
/// 1,000, the two smaller ones ran 4 to 17 times faster and the largest 1.1 times (one run each). So the default stays, and docs/performance.md tells users of busy machines.
/// </remarks>
internal static class OpenMpSettings
{
    private static readonly (string Name, string Value)[] Defaults = [];

    /// <summary>Puts the defaults into the environment; must run before libgomp is loaded.</summary>
    public static void Apply()
    {
        if (!OperatingSystem.IsLinux())
            return;
        foreach ((string name, string value) in Defaults)
            SetUnlessSet(name, value);
    }

    /// <summary>Sets a variable where native code sees it: .NET's own method changes a copy that getenv does not read.</summary>
    public static void SetUnlessSet(string name, string value) => SetEnvironment(name, value, overwrite: 0);

    [DllImport("libc", EntryPoint = "setenv", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int SetEnvironment(string name, string value, int overwrite);
}
