using Microsoft.ML.Mamba.Data;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>
/// Rows with a label per position or word. Sequences longer than the longest length come in windows of it that overlap by a quarter;
/// in half of an overlap, labels count in the one window, in the other half in the other, so that each counts once and with context on
/// both sides.
/// </summary>
/// <param name="sequence">Reads sequences, with their words marked where labels belong to words.</param>
/// <param name="labels">Reads labels.</param>
/// <param name="whole">An empty set of the sequences' kind, to use.</param>
internal sealed class TagRows(SequenceReader sequence, TagReader labels, SequenceSet whole) : ITrainingRows
{
    private static readonly TruncationPolicy NoTruncation = new(0, default);

    private int[] _ids = [];
    private float[] _frames = [];

    public bool Add(SequenceSet set, TruncationPolicy truncation, long row)
    {
        whole.Clear();
        sequence.AppendTo(whole, NoTruncation, 0f, row);
        var length = whole.GetLength(0);
        if (labels.Read(whole.GetAnswers(0)) is not { } classes)
            return false;
        if (whole.GetLabels(0) is { } marks)
            classes = AtMarks(classes, marks);
        if (length > 0 && !Array.Exists(classes, label => label >= 0))
            return false;
        Copy(length);
        foreach (var (from, to, coreFrom, coreTo) in Windows(length, truncation.MaxLength))
            AddWindow(set, classes, from, to, coreFrom, coreTo, row);
        return true;
    }

    /// <summary>Where windows begin and end, and where the labels that count in each do.</summary>
    internal static IEnumerable<(int From, int To, int CoreFrom, int CoreTo)> Windows(int length, int window)
    {
        if (window == 0 || length <= window)
        {
            yield return (0, length, 0, length);
            yield break;
        }
        var margin = window / 8;
        var core = 0;
        for (var from = 0; core < length; from += window - (2 * margin))
        {
            var start = Math.Min(from, length - window);
            var coreTo = start + window == length ? length : start + window - margin;
            yield return (start, start + window, core, coreTo);
            core = coreTo;
        }
    }

    private static int[] AtMarks(int[] classes, int[] marks)
    {
        var all = new int[marks.Length];
        for (int i = 0, word = 0; i < marks.Length; i++)
            all[i] = marks[i] >= 0 ? classes[word++] : PositionLabels.None;
        return all;
    }

    private void Copy(int length)
    {
        if (whole.Kind == SequenceKind.Ids)
        {
            Grow(ref _ids, length);
            whole.CopyIds(0, _ids);
        }
        else
        {
            Grow(ref _frames, length * whole.FrameWidth);
            whole.CopyFrames(0, _frames);
        }
    }

    private void AddWindow(SequenceSet set, int[] classes, int from, int to, int coreFrom, int coreTo, long row)
    {
        var own = new int[to - from];
        Array.Fill(own, PositionLabels.None);
        classes.AsSpan(coreFrom, coreTo - coreFrom).CopyTo(own.AsSpan(coreFrom - from));
        if (!Array.Exists(own, label => label >= 0))
            return; // also empty sequences: there is nothing to learn from them
        if (whole.Kind == SequenceKind.Ids)
        {
            set.AddIds(_ids.AsSpan(from, to - from), 0f, row);
        }
        else
        {
            set.AddFrames(_frames.AsSpan(from * whole.FrameWidth, (to - from) * whole.FrameWidth), 0f, row);
        }
        set.LabelLast(own);
    }

    private static void Grow<T>(ref T[] buffer, int length)
    {
        if (buffer.Length < length)
            buffer = new T[length];
    }
}
