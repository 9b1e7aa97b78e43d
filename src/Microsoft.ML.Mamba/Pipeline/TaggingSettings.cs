using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>What of a tagger's options only its task needs, out of the caller's reach.</summary>
internal sealed class TaggingSettings(MambaTaggingTrainer.Options options)
{
    /// <summary>Positions that a bidirectional model scores whole where training had no longest length.</summary>
    private const int DefaultWindow = 1 << 15;

    /// <summary>How many windows of training are scored together where there is a longest length: more context does no harm, and costs nothing.</summary>
    private const int WindowsOfTraining = 4;

    private readonly double _hop = options.FrameHop;
    private readonly double? _first = options.FirstFrame;
    private readonly string _background = options.BackgroundLabel;
    private readonly Dictionary<string, string>? _coarse = options.CoarseLabels is null ? null : new(options.CoarseLabels, StringComparer.Ordinal);
    private readonly string[] _opposites = [.. options.OppositeStrandLabels ?? []];

    public string LabelColumnName { get; } = options.LabelColumnName;

    public string PredictedLabelName { get; } = options.PredictedLabelColumnName;

    public string ScoreName { get; } = options.ScoreColumnName;

    public MambaTagUnit Unit { get; } = options.Unit;

    public bool ByMacroF1 { get; } = options.ValidationMetric == MambaTaggingMetric.MacroF1;

    public double TransitionPenalty { get; } = options.TransitionPenalty;

    public int Window { get; } = options.ScoringWindow > 0 ? options.ScoringWindow
        : options.Training is { MaxLength: > 0 } training ? (int)Math.Clamp((long)WindowsOfTraining * training.MaxLength, Modules.OverlappingWindows.Shortest, int.MaxValue)
        : DefaultWindow;

    /// <summary>How labels belong to the positions of a sequence column.</summary>
    public TagAlignment AlignmentFor(IExceptionContext context, DataViewSchema.Column sequence)
    {
        if (Unit != MambaTagUnit.Event)
            return TagAlignment.ByPosition with { Unit = Unit };
        var hop = _hop > 0 ? _hop : Time(sequence, AudioAnnotations.HopSeconds) ?? throw context.ExceptParam("schema",
            $"Sequence column '{sequence.Name}' does not tell the time between frames. Set FrameHop (in seconds), or make the frames with Transforms.LogMelFrames.");
        return new TagAlignment(Unit, hop, _first ?? Time(sequence, AudioAnnotations.FirstFrameSeconds) ?? hop / 2, _background);
    }

    public bool ReportsCoarseLabels => _coarse is not null;

    /// <summary>The labels that are reported in place of those learnt; null: the same.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They do not fit the labels learnt.</exception>
    public CoarseLabels? CoarseLabelsFor(IExceptionContext context, string[] names) => _coarse is null ? null
        : names.Length > 0 ? CoarseLabels.Of(context, _coarse, names)
        : throw context.ExceptUserArg(nameof(MambaTaggingTrainer.Options.CoarseLabels), "CoarseLabels is set, but the labels have no names; expected keys with text as values (KeyValues), or text.");

    /// <summary>The class that each class is on the other strand.</summary>
    /// <exception cref="ArgumentException">A label is none of the classes.</exception>
    public int[]? Opposite(IReadOnlyDictionary<string, int> classOfName, int classes)
    {
        if (_opposites.Length == 0)
            return null;
        int[] opposite = [.. Enumerable.Range(0, classes)];
        for (var i = 0; i < _opposites.Length; i += 2)
        {
            var (one, other) = (ClassOf(_opposites[i]), ClassOf(_opposites[i + 1]));
            (opposite[one], opposite[other]) = (other, one);
        }
        return opposite;

        int ClassOf(string name) => classOfName.TryGetValue(name, out var label) ? label
            : throw new ArgumentException($"OppositeStrandLabels has '{name}', which is no label; the labels are {string.Join(", ", classOfName.Keys.Select(k => $"'{k}'"))}.");
    }

    private static double? Time(DataViewSchema.Column column, string kind)
    {
        if (column.Annotations.Schema.GetColumnOrNull(kind)?.Type != NumberDataViewType.Double)
            return null;
        var seconds = 0.0;
        column.Annotations.GetValue(kind, ref seconds);
        return seconds;
    }
}
