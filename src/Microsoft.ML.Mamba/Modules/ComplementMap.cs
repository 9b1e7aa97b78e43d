using System.Collections;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>The complement of each id; two maps are equal when their ids are, so that architectures can be compared.</summary>
internal sealed class ComplementMap(IEnumerable<int> complements) : IReadOnlyList<int>, IEquatable<ComplementMap>
{
    private readonly int[] _complements = [.. complements];

    public int Count => _complements.Length;

    public int this[int index] => _complements[index];

    /// <summary>The first id whose complement is no id, or has another complement than it; null when there is none.</summary>
    public int? FirstDefect()
    {
        for (var id = 0; id < _complements.Length; id++)
        {
            var other = _complements[id];
            if ((uint)other >= (uint)_complements.Length || _complements[other] != id)
                return id;
        }

        return null;
    }

    public bool Equals(ComplementMap? other) => other is not null && _complements.AsSpan().SequenceEqual(other._complements);

    public override bool Equals(object? obj) => Equals(obj as ComplementMap);

    public override int GetHashCode()
    {
        var hash = default(HashCode);
        foreach (var id in _complements)
            hash.Add(id);
        return hash.ToHashCode();
    }

    public override string ToString() => $"[{string.Join(", ", _complements)}]";

    public IEnumerator<int> GetEnumerator() => ((IEnumerable<int>)_complements).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
