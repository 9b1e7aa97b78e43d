using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>
/// The labels that a tagger reports where they are coarser than those that it learns: the probability of one is the sum of those of
/// its finer labels.
/// </summary>
/// <param name="coarseOf">The reported label of each label learnt.</param>
/// <param name="names">The reported labels, in the order in which their finer ones come first.</param>
internal sealed class CoarseLabels(int[] coarseOf, string[] names)
{
    public string[] Names => names;

    private int LearntCount => coarseOf.Length;

    /// <param name="context">What errors are reported through.</param>
    /// <param name="coarse">Names of labels learnt, with those reported in their place; labels that it lacks stay as they are.</param>
    /// <param name="fine">The labels learnt.</param>
    /// <exception cref="ArgumentOutOfRangeException">A name is no label, or fewer than two labels would be left.</exception>
    public static CoarseLabels Of(IExceptionContext context, IReadOnlyDictionary<string, string> coarse, string[] fine)
    {
        if (coarse.Keys.FirstOrDefault(name => !fine.Contains(name)) is { } unknown)
            throw context.ExceptUserArg(nameof(MambaTaggingTrainer.Options.CoarseLabels), $"CoarseLabels has '{unknown}', which is no label; the labels are {Listed(fine)}.");
        string[] reported = [.. fine.Select(name => coarse.GetValueOrDefault(name, name))], names = [.. reported.Distinct()];
        return names.Length >= 2
            ? new([.. reported.Select(name => Array.IndexOf(names, name))], names)
            : throw context.ExceptUserArg(nameof(MambaTaggingTrainer.Options.CoarseLabels), $"CoarseLabels leaves the one label '{names.FirstOrDefault()}' of {Listed(fine)}; expected at least two.");
    }

    /// <summary>The scores of rows with those of the reported labels in place of those learnt.</summary>
    public IRowScores Over(IRowScores scores) => new Summed(new Sums(this), scores);

    public void Save(ModelSaveContext context)
    {
        // *** Binary format *** as in Load.
        context.Writer.Write(names.Length);
        foreach (var name in names)
            context.SaveNonEmptyString(name);
        foreach (var label in coarseOf)
            context.Writer.Write(label);
    }

    public static CoarseLabels Load(IHost host, ModelLoadContext context, int classes)
    {
        // *** Binary format ***
        // int: number of reported labels
        // strings: their names
        // ints: the reported label of each label learnt
        var count = context.Reader.ReadInt32();
        host.CheckDecode(count >= 2 && count <= classes, $"The model claims {count} labels in place of {classes}.");
        string[] names = [.. Enumerable.Range(0, count).Select(_ => context.LoadNonEmptyString())];
        int[] coarseOf = [.. Enumerable.Range(0, classes).Select(_ => context.Reader.ReadInt32())];
        host.CheckDecode(Array.TrueForAll(coarseOf, label => label >= 0 && label < count), $"The model has a label in place of which it claims one that is not among {count}.");
        return new CoarseLabels(coarseOf, names);
    }

    private int ReportedFor(int learnt) => coarseOf[learnt];

    private static string Listed(string[] names) => string.Join(", ", names.Select(name => $"'{name}'"));

    /// <summary>Probabilities of the reported labels; the memory that they are in serves for the next ones.</summary>
    internal sealed class Sums(CoarseLabels labels)
    {
        private float[] _values = [];

        /// <param name="fine">(positions, labels learnt), position after position.</param>
        /// <returns>(positions, labels reported). Valid until the next call.</returns>
        public ReadOnlySpan<float> Of(ReadOnlySpan<float> fine)
        {
            var (from, to) = (labels.LearntCount, labels.Names.Length);
            var count = fine.Length / from * to;
            if (_values.Length < count)
                _values = new float[Math.Max(count, 2 * _values.Length)];
            var sums = _values.AsSpan(0, count);
            sums.Clear();
            for (var (at, sum) = (0, 0); at < fine.Length; at += from, sum += to)
            {
                for (var label = 0; label < from; label++)
                    sums[sum + labels.ReportedFor(label)] += fine[at + label];
            }
            return sums;
        }
    }

    private sealed class Summed(Sums sums, IRowScores scores) : IRowScores
    {
        public ReadOnlySpan<float> Current => sums.Of(scores.Current);
    }
}
