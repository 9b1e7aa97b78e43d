using Microsoft.ML.Mamba.Data;

namespace Microsoft.ML.Mamba.Training;

/// <summary>
/// Holds out a share of the training rows, the same share of each class. Windows of longer sequences overlap and resemble each other, so
/// whole sequences are held out, or, where those are too few or too uneven for the share, one stretch of neighbouring windows.
/// </summary>
internal static class ValidationSplit
{
    /// <param name="set">All rows; windows of one sequence follow each other.</param>
    /// <param name="classes">Classes of the target; 0 when targets are numbers.</param>
    /// <param name="fraction">The share to hold out, in [0, 1); rounded per class, and one row of each class always trains.</param>
    /// <param name="random">Which rows.</param>
    /// <returns>Row numbers in rising order; Validation may be empty.</returns>
    internal static (int[] Train, int[] Validation) Choose(SequenceSet set, int classes, double fraction, Random random)
    {
        var sequences = Sequences(set);
        if (sequences.Count < set.Count)
        {
            var held = WholeSequences(sequences, set.Count, fraction, random) ?? Stretch(set.Count, fraction, random);
            return ([.. Enumerable.Range(0, set.Count).Except(held)], held);
        }

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

    /// <summary>First row and number of rows of each sequence.</summary>
    private static List<(int First, int Count)> Sequences(SequenceSet set)
    {
        var sequences = new List<(int First, int Count)>();
        for (var row = 0; row < set.Count; row++)
        {
            if (row > 0 && set.GetSourceRow(row) == set.GetSourceRow(row - 1))
            {
                sequences[^1] = (sequences[^1].First, sequences[^1].Count + 1);
            }
            else
            {
                sequences.Add((row, 1));
            }
        }
        return sequences;
    }

    /// <summary>Sequences in random order, each held out if that comes nearer to the share; null when it stays below half of it.</summary>
    private static int[]? WholeSequences(List<(int First, int Count)> sequences, int rows, double fraction, Random random)
    {
        var wanted = rows * fraction;
        var order = sequences.ToArray();
        random.Shuffle(order);
        var held = new List<int>();
        foreach (var (first, count) in order)
        {
            if (Math.Abs(held.Count + count - wanted) < Math.Abs(held.Count - wanted) && held.Count + count < rows)
            {
                held.AddRange(Enumerable.Range(first, count));
            }
        }
        held.Sort();
        return held.Count >= wanted / 2 ? [.. held] : null;
    }

    private static int[] Stretch(int rows, double fraction, Random random)
    {
        var count = Math.Clamp((int)Math.Round(rows * fraction), 0, rows - 1);
        return [.. Enumerable.Range(random.Next(rows - count + 1), count)];
    }
}
