namespace Microsoft.ML.Mamba.Data;

/// <summary>Labels of the positions of one sequence: a class from 0 each, or <see cref="None"/> where a position is not asked for.</summary>
internal static class PositionLabels
{
    internal const int None = -1;

    /// <summary>How many of a sequence's positions are asked for; without labels all.</summary>
    internal static int Asked(int[]? labels, int length)
    {
        if (labels is null)
        {
            return length;
        }
        var count = 0;
        foreach (var label in labels)
        {
            count += label >= 0 ? 1 : 0;
        }
        return count;
    }

    /// <summary>The labels of the sequence read from the other strand.</summary>
    /// <param name="labels">The labels.</param>
    /// <param name="opposite">The class that each class is there; null: the same.</param>
    internal static int[] OnOtherStrand(int[] labels, int[]? opposite)
    {
        var mirrored = new int[labels.Length];
        for (var i = 0; i < labels.Length; i++)
        {
            var label = labels[^(i + 1)];
            mirrored[i] = label >= 0 && opposite is not null ? opposite[label] : label;
        }
        return mirrored;
    }

    /// <summary>The labels of a sequence that was stretched to another length: each position has that of the nearest one.</summary>
    internal static int[] Stretched(int[] labels, int length)
    {
        var stretched = new int[length];
        for (var i = 0; i < length; i++)
        {
            // The same places as those that frames are interpolated from.
            var at = length == 1 ? 0 : (double)i * (labels.Length - 1) / (length - 1);
            stretched[i] = labels[(int)Math.Round(at)];
        }
        return stretched;
    }
}
