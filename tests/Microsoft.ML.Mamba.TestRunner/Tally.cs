namespace Microsoft.ML.Mamba.TestRunner;

/// <summary>Counts results, prints what a reader must see at once, and the closing line.</summary>
internal sealed class Tally(bool printNames)
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, int> _skipped = new(StringComparer.Ordinal);
    private int _passed, _failed;

    public void Passed(string test, decimal seconds)
    {
        lock (_lock)
        {
            _passed++;
            if (printNames)
                Console.WriteLine($"passed   {test} ({seconds:0.00} s)");
        }
    }

    public void Failed(string test, IEnumerable<string> messages, IEnumerable<string> stacks)
    {
        lock (_lock)
        {
            _failed++;
            Console.WriteLine($"FAILED   {test}");
            foreach (string line in messages.Concat(stacks).SelectMany(text => (text ?? "").Split('\n')))
                Console.WriteLine($"         {line.TrimEnd()}");
        }
    }

    public void Skipped(string test, string reason)
    {
        lock (_lock)
        {
            _skipped[reason] = _skipped.GetValueOrDefault(reason) + 1;
            if (printNames)
                Console.WriteLine($"skipped  {test}: {reason}");
        }
    }

    /// <summary>Prints why tests were skipped, then "N passed, N failed, N skipped"; 0 only when tests ran and none failed.</summary>
    public int Close()
    {
        foreach ((string reason, int tests) in _skipped)
            Console.WriteLine($"skipped {tests}: {reason}");
        Console.WriteLine($"{_passed} passed, {_failed} failed, {_skipped.Values.Sum()} skipped");
        return _failed == 0 && _passed > 0 ? 0 : 1;
    }
}
