using System.Runtime.InteropServices;
using Microsoft.ML.Mamba.Native;
using Microsoft.ML.Mamba.Tests.Support;

namespace Microsoft.ML.Mamba.Tests.Native;

public class OpenMpSettingsTests
{
    [SkippableFact]
    public async Task Native_code_sees_what_is_set_and_what_the_user_set_stays()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "libgomp is Linux's");

        FreshProcess.Outcome outcome = await FreshProcess.Run(SetBoth, new Dictionary<string, string?> { ["MAMBA_TEST_SET"] = "user" });

        Assert.Equal("ours user", outcome.Success());
    }

    private static void SetBoth()
    {
        OpenMpSettings.SetUnlessSet("MAMBA_TEST_UNSET", "ours");
        OpenMpSettings.SetUnlessSet("MAMBA_TEST_SET", "ours");
        Console.WriteLine($"{Read("MAMBA_TEST_UNSET")} {Read("MAMBA_TEST_SET")}");
    }

    private static string? Read(string name) => Marshal.PtrToStringAnsi(GetEnvironment(name));

    [DllImport("libc", EntryPoint = "getenv", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern nint GetEnvironment(string name);
}
