using System.Diagnostics.CodeAnalysis;

namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>What is wrong with a checkpoint, collected so that all of it is reported at once.</summary>
internal sealed class CheckpointProblems
{
    /// <summary>More than this many would not be read.</summary>
    private const int MaxReported = 50;

    private readonly List<string> _found = [];
    private Exception? _first;

    public bool Any => _found.Count > 0;

    /// <param name="file">File that is to blame.</param>
    /// <param name="what">A sentence: what was found, what was expected, the cure if there is one.</param>
    public void Add(string file, string what) => _found.Add($"{file}: {what}");

    /// <summary>Adds what another collection holds.</summary>
    public void Add(CheckpointProblems others)
    {
        _found.AddRange(others._found);
        _first ??= others._first;
    }

    /// <summary>Runs a check; a problem that it throws is kept, so that the checks after it run, too.</summary>
    public bool Try<T>(Func<T> check, [NotNullWhen(true)] out T? result)
        where T : notnull
    {
        try
        {
            result = check();
            return true;
        }
        catch (MambaCheckpointException e)
        {
            _first ??= e;
            _found.Add(e.Message);
            result = default;
            return false;
        }
    }

    /// <summary>Reports all problems, if there are any.</summary>
    /// <exception cref="MambaCheckpointException">There are.</exception>
    public void ThrowIfAny()
    {
        if (_found.Count == 0)
            return;
        var lines = _found.Take(MaxReported).ToList();
        if (_found.Count > MaxReported)
            lines.Add($"… and {_found.Count - MaxReported} more.");
        throw new MambaCheckpointException(string.Join('\n', lines), _first);
    }
}
