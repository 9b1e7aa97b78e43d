using System.Diagnostics;
using System.Globalization;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>Runs a hidden command of this program in a process of its own, for its peak memory.</summary>
internal static class OwnProcess
{
    /// <returns>The numbers that the command printed, separated by spaces.</returns>
    public static double[] Numbers(params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath!) == "dotnet")
            start.ArgumentList.Add(typeof(OwnProcess).Assembly.Location);
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? [.. output.Trim().Split(' ').Select(number => double.Parse(number, CultureInfo.InvariantCulture))]
            : throw new InvalidOperationException($"The process '{string.Join(' ', arguments)}' ended with {process.ExitCode}.");
    }
}
