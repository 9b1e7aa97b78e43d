using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Native;

/// <summary>
/// Settings of libgomp, the threads under libtorch's matrix products on Linux. It reads them from the process environment
/// once, when it is loaded. A value that the user has set stays.
/// </summary>
/// <remarks>
/// Nothing is set at present. libgomp's threads spin for some milliseconds after each product, so that the next one, or the next
/// kernel on the same threads, begins at once. Shorter spinning costs the largest models up to a tenth on a free machine and is
/// several times faster on a busy one; docs/performance.md has the figures and tells users of busy machines what to set.
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
