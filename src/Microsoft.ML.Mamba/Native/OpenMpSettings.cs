using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Native;

/// <summary>
/// Settings of libgomp, the thread pool under libtorch's matrix products on Linux. It reads them from the process
/// environment once, when it is loaded. A value that the user has set stays.
/// </summary>
internal static class OpenMpSettings
{
    /// <summary>What is set: nothing as long as no measurement says that it pays.</summary>
    private static readonly (string Name, string Value)[] Defaults = [];

    /// <summary>Puts the defaults into the environment; must run before libgomp is loaded.</summary>
    public static void Apply()
    {
        if (!OperatingSystem.IsLinux())
            return;
        foreach ((string name, string value) in Defaults)
            SetEnvironment(name, value, overwrite: 0);
    }

    // Environment.SetEnvironmentVariable changes .NET's copy of the environment, which getenv does not see.
    [DllImport("libc", EntryPoint = "setenv", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int SetEnvironment(string name, string value, int overwrite);
}
