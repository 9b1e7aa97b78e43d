namespace Microsoft.ML.Mamba.Training;

/// <summary>
/// Entities of words labelled B-TYPE (begins), I-TYPE (goes on) and O (none). Strict: an entity begins with B and goes on over I of its
/// type; an I that goes on from nothing is no entity (scheme IOB2 of seqeval, mode strict).
/// </summary>
internal sealed class BioEntities
{
    private readonly (char Part, string Type)[] _labels;

    private BioEntities((char Part, string Type)[] labels) => _labels = labels;

    /// <summary>The entities of labels of these names; null where the names are not of that form.</summary>
    internal static BioEntities? For(IReadOnlyList<string> names)
    {
        var labels = names.Select(name => name == "O" ? ('O', "") : name.Length > 2 && name[1] == '-' && name[0] is ('B' or 'I') ? (name[0], name[2..]) : ('?', "")).ToArray();
        return labels.Any(l => l.Item1 == 'B') && labels.All(l => l.Item1 != '?') ? new BioEntities(labels) : null;
    }

    /// <summary>Start, end and type of each entity.</summary>
    internal HashSet<(int Start, int End, string Type)> In(ReadOnlySpan<int> labels)
    {
        var entities = new HashSet<(int Start, int End, string Type)>();
        for (var start = 0; start < labels.Length; start++)
        {
            var (part, type) = _labels[labels[start]];
            if (part != 'B')
            {
                continue;
            }
            var end = start + 1;
            while (end < labels.Length && _labels[labels[end]] == ('I', type))
            {
                end++;
            }
            entities.Add((start, end, type));
        }
        return entities;
    }
}
