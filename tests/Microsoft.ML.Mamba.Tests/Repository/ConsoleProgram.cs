using System.Diagnostics;

namespace Microsoft.ML.Mamba.Tests.Repository;

/// <summary>A .NET program in a process of its own.</summary>
internal static class ConsoleProgram
{
    private static string DotNet =>
        Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet" ? Environment.ProcessPath! : "dotnet";

    /// <summary>Runs <c>dotnet ARGUMENTS</c> in a folder, to the end.</summary>
    public static (int ExitCode, string Output, string Errors) Run(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo(DotNet, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // Other tests run at the same time, and threads of libtorch that spin while they wait would take their processors.
        start.Environment["OMP_WAIT_POLICY"] = "PASSIVE";
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result);
    }
}
