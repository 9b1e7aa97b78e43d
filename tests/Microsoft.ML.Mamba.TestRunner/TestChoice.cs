namespace Microsoft.ML.Mamba.TestRunner;

/// <param name="Assemblies">Files with tests.</param>
/// <param name="Wanted">Parts of full test names; a test with any of them runs. Empty: all do.</param>
/// <param name="Unwanted">Parts of full test names; a test with any of them does not run.</param>
/// <param name="Serial">One test after the other.</param>
/// <param name="PrintNames">Print each test when it has ended, not only those that failed or were skipped.</param>
internal sealed record TestChoice(string[] Assemblies, string[] Wanted, string[] Unwanted, bool Serial, bool PrintNames)
{
    /// <summary>Reads the command line; null when it is not one.</summary>
    public static TestChoice? Parse(string[] args)
    {
        List<string> assemblies = [], wanted = [], unwanted = [];
        (bool serial, bool names) = (false, false);
        for (int i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--filter" or "--not" when i + 1 < args.Length:
                    (args[i] == "--filter" ? wanted : unwanted).Add(args[++i]);
                    break;
                case "--serial":
                    serial = true;
                    break;
                case "--names":
                    names = true;
                    break;
                default:
                    if (args[i].StartsWith('-'))
                        return null;
                    assemblies.Add(args[i]);
                    break;
            }
        }

        return assemblies.Count == 0 ? null : new TestChoice([.. assemblies], [.. wanted], [.. unwanted], serial, names);
    }

    public bool Includes(string test) =>
        (Wanted.Length == 0 || Wanted.Any(part => test.Contains(part, StringComparison.OrdinalIgnoreCase)))
        && !Unwanted.Any(part => test.Contains(part, StringComparison.OrdinalIgnoreCase));
}
