using System.Diagnostics;
using System.Reflection;

namespace Microsoft.ML.Mamba.Tests.Support;

/// <summary>Runs a static method of this assembly in a process of its own: nothing is loaded, cached or warmed up there.</summary>
internal static class FreshProcess
{
    /// <summary>What a process left behind.</summary>
    public sealed record Outcome(int ExitCode, string Output, string Error)
    {
        /// <summary>What it printed, after making sure that it ended well.</summary>
        public string Success()
        {
            Assert.True(ExitCode == 0, $"The process ended with {ExitCode}:\n{Output}\n{Error}");
            return Output.Trim();
        }
    }

    /// <summary>Runs a parameterless or string-taking static method and waits for its end.</summary>
    /// <param name="method">For example <c>SomeTests.Load_and_print</c>; it may be private.</param>
    /// <param name="environment">Environment variables beyond this process's own.</param>
    /// <param name="arguments">The method's arguments.</param>
    public static Task<Outcome> Run(Delegate method, IReadOnlyDictionary<string, string?>? environment = null, params string[] arguments) =>
        RunIn(AppContext.BaseDirectory, method, environment, arguments);

    /// <summary>The same in a copy of this assembly's folder.</summary>
    public static async Task<Outcome> RunIn(
        string folder, Delegate runs, IReadOnlyDictionary<string, string?>? environment = null, params string[] arguments)
    {
        MethodInfo method = runs.Method;
        Assert.True(method.IsStatic && method.DeclaringType is not null, "only a static method can be found again in another process");
        var start = new ProcessStartInfo(KnowsExec(Environment.ProcessPath!) ? Environment.ProcessPath! : "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string argument in (string[])["exec", Path.Combine(folder, Path.GetFileName(typeof(FreshProcess).Assembly.Location)), method.DeclaringType.FullName!, method.Name, .. arguments])
            start.ArgumentList.Add(argument);
        foreach ((string name, string? value) in environment ?? new Dictionary<string, string?>())
            start.Environment[name] = value;

        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return new Outcome(process.ExitCode, await output, await error);
    }

    /// <summary>Where there is no SDK the tests run in a program of ours, which runs an assembly as dotnet exec does.</summary>
    private static bool KnowsExec(string program) =>
        program.EndsWith("dotnet", StringComparison.Ordinal) || program.EndsWith("Microsoft.ML.Mamba.TestRunner", StringComparison.Ordinal);

    /// <summary>The other side: TYPE METHOD [ARGUMENT…].</summary>
    private static int Main(string[] arguments)
    {
        if (arguments.Length < 2)
        {
            Console.Error.WriteLine("This is a test assembly: run it with dotnet test.");
            return 2;
        }

        MethodInfo method = typeof(FreshProcess).Assembly.GetType(arguments[0], throwOnError: true)!
            .GetMethod(arguments[1], BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)!;
        try
        {
            method.Invoke(null, arguments[2..]);
            return 0;
        }
        catch (TargetInvocationException e)
        {
            Console.Error.WriteLine(e.InnerException);
            return 1;
        }
    }
}
