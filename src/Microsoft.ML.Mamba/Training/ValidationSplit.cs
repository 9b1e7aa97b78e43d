using Microsoft.ML.Mamba.Data;

namespace Microsoft.ML.Mamba.Training;

/// <summary>Holds out a share of the training rows, the same share of each class.</summary>
internal static class ValidationSplit
{
    /// <param name="set">All rows.</param>
    /// <param name="classes">Classes of the target; 0 when targets are numbers.</param>
    /// <param name="fraction">The share to hold out, in [0, 1); rounded per class, and one row of each class always trains.</param>
    /// <param name="random">Which rows.</param>
    /// <returns>Row numbers in rising order; Validation may be empty.</returns>
    internal static (int[] Train, int[] Validation) Choose(SequenceSet set, int classes, double fraction, Random random)
    {
        var groups = new List<int>[Math.Max(1, classes)];
        for (var i = 0; i < groups.Length; i++)
        {
            groups[i] = [];
        }
        for (var row = 0; row < set.Count; row++)
        {
            groups[classes == 0 ? 0 : (int)set.GetTarget(row)].Add(row);
        }

        var train = new List<int>();
        var validation = new List<int>();
        foreach (var group in groups)
        {
            var rows = group.ToArray();
            random.Shuffle(rows);
            var held = Math.Clamp((int)Math.Round(rows.Length * fraction), 0, Math.Max(0, rows.Length - 1));
            validation.AddRange(rows.AsSpan(0, held));
            train.AddRange(rows.AsSpan(held));
        }
        train.Sort();
        validation.Sort();
        return ([.. train], [.. validation]);
    }
}
