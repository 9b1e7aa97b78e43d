using System.Reflection;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Microsoft.ML.Mamba.TestRunner;

/// <summary>Finds and runs the chosen tests of one assembly in this process, through xunit's own execution library.</summary>
internal static class TestAssembly
{
    public static void Run(string path, TestChoice choice, Tally tally)
    {
        Assembly assembly = Assembly.LoadFrom(path);
        using var framework = new XunitTestFramework(new NullMessageSink());
        using ITestFrameworkDiscoverer discoverer = framework.GetDiscoverer(Reflector.Wrap(assembly));
        var settings = new Settings();
        settings.SetValue("xunit.execution.DisableParallelization", choice.Serial);

        using var found = new FoundTests();
        discoverer.Find(includeSourceInformation: false, found, settings);
        found.Ended.WaitOne();
        ITestCase[] cases = [.. found.Cases.Where(test => choice.Includes(test.DisplayName) || choice.Includes(FullName(test)))];
        if (cases.Length == 0)
            return;

        using ITestFrameworkExecutor executor = framework.GetExecutor(assembly.GetName());
        using var results = new Results(tally);
        executor.RunTests(cases, results, settings);
        results.Ended.WaitOne();
    }

    private static string FullName(ITestCase test) => $"{test.TestMethod.TestClass.Class.Name}.{test.TestMethod.Method.Name}";

    private sealed class FoundTests : MarshalByRefObject, IMessageSink, IDisposable
    {
        public List<ITestCase> Cases { get; } = [];

        public ManualResetEvent Ended { get; } = new(false);

        public bool OnMessage(IMessageSinkMessage message)
        {
            if (message is ITestCaseDiscoveryMessage { TestCase: { } test })
                Cases.Add(test);
            else if (message is IDiscoveryCompleteMessage)
                Ended.Set();
            return true;
        }

        public void Dispose() => Ended.Dispose();
    }

    private sealed class Results(Tally tally) : MarshalByRefObject, IMessageSink, IDisposable
    {
        public ManualResetEvent Ended { get; } = new(false);

        public bool OnMessage(IMessageSinkMessage message)
        {
            switch (message)
            {
                case ITestPassed passed:
                    tally.Passed(passed.Test.DisplayName, passed.ExecutionTime);
                    break;
                case ITestSkipped skipped:
                    tally.Skipped(skipped.Test.DisplayName, skipped.Reason);
                    break;
                case ITestFailed failed:
                    tally.Failed(failed.Test.DisplayName, failed.Messages, failed.StackTraces);
                    break;
                case IFailureInformation failure: // a fixture, a clean-up, the framework itself
                    tally.Failed(message.GetType().Name, failure.Messages, failure.StackTraces);
                    break;
                case ITestAssemblyFinished:
                    Ended.Set();
                    break;
            }

            return true;
        }

        public void Dispose() => Ended.Dispose();
    }

    /// <summary>xunit's settings by name; what is not set has xunit's default.</summary>
    private sealed class Settings : ITestFrameworkDiscoveryOptions, ITestFrameworkExecutionOptions
    {
        private readonly Dictionary<string, object?> _values = [];

        public TValue GetValue<TValue>(string name) => _values.TryGetValue(name, out object? value) ? (TValue)value! : default!;

        public void SetValue<TValue>(string name, TValue value) => _values[name] = value;
    }
}
