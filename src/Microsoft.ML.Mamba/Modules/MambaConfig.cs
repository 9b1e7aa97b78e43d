using System.Text.Json.Serialization;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.SearchSpace;

namespace Microsoft.ML.Mamba;

/// <summary>
/// The architecture of a Mamba encoder: what the weights mean. Immutable, and the same for every task.
/// Names and defaults are those of the Mamba paper (arXiv 2312.00752) where it has them.
/// </summary>
public sealed record MambaConfig
{
    private readonly ComplementMap? _complements;

    /// <summary>Features of the residual stream. Default 64.</summary>
    [Range(16, 512, 64, true)]
    public int DModel { get; init; } = 64;

    /// <summary>Number of blocks. Default 2.</summary>
    [Range(1, 8, 2, false)]
    public int NLayer { get; init; } = 2;

    /// <summary>States of each channel, 1 to 256. Default 16.</summary>
    [Choice(new object[] { 4, 8, 16, 32 }, 16)]
    public int DState { get; init; } = 16;

    /// <summary>Taps of the causal convolution, 2 to 8. Default 4.</summary>
    [Range(2, 8, 4, false)]
    public int DConv { get; init; } = 4;

    /// <summary>Channels inside a mixer for each feature outside: DInner = Expand·DModel. Default 2.</summary>
    [Range(1, 4, 2, false)]
    public int Expand { get; init; } = 2;

    /// <summary>Rank of the step size projection. Default 0, which means ceil(DModel / 16).</summary>
    public int DtRank { get; init; }

    /// <summary>Channels inside a mixer. Default 0, which means Expand·DModel; otherwise Expand is ignored.</summary>
    public int IntermediateSize { get; init; }

    /// <summary>Number of different ids, for sequences of ids. Default 0: taken from the data, or the model reads frames.</summary>
    public int VocabSize { get; init; }

    /// <summary>Width of each frame, for sequences of frames. Default 0: taken from the data, or the model reads ids.</summary>
    public int FrameWidth { get; init; }

    /// <summary>
    /// Whether each block also reads the sequence backwards, with parameters of its own; the two results are merged. Default true.
    /// Twice the work of a causal model. Only causal models can carry state from one piece of a sequence to the next.
    /// </summary>
    [BooleanChoice(true)]
    public bool Bidirectional { get; init; } = true;

    /// <summary>What becomes of the results of the two directions. Default <see cref="MambaDirectionMerge.Mean"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public MambaDirectionMerge DirectionMerge { get; init; }

    /// <summary>Whether the two directions share the projections into and out of their mixers, as in Caduceus. Default false.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool TieDirections { get; init; }

    /// <summary>
    /// Whether the model reads both strands of DNA with the same weights, so that results are exactly those of the reverse
    /// complement. Default <see cref="MambaReverseComplement.None"/>. Bidirectional models of ids only.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public MambaReverseComplement ReverseComplement { get; init; }

    /// <summary>
    /// The complement of each id, for <see cref="ReverseComplement"/>: at most VocabSize numbers; ids beyond them are their own
    /// complement. Default null: taken from the tokenizer. Two lists of the same numbers are equal.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public IReadOnlyList<int>? Complements
    {
        get => _complements;
        init => _complements = value is null ? null : new(value);
    }

    /// <summary>
    /// Number of positions that have a learned vector of their own, added to the input. Default 0: none. For windows that are aligned
    /// on a site, not for motifs that may be anywhere. Positions beyond the maximum share the last vector, unless
    /// <see cref="PeriodicPositions"/> is set.
    /// </summary>
    public int MaxPositions { get; init; }

    /// <summary>
    /// Whether the vectors of positions repeat, position i having that of i mod MaxPositions. Default false. A clock for what recurs
    /// with a known period, such as 3 for genes (codons): a state that only decays, as that of Mamba, cannot count by itself.
    /// </summary>
    public bool PeriodicPositions { get; init; }

    /// <summary>The norm in front of every block and after the last. Default RmsNorm, with which Mamba was published.</summary>
    public MambaNorm Norm { get; init; }

    /// <summary>Added to the mean square inside these norms (LayerNorm: to the variance). Default 1e-5.</summary>
    public float NormEpsilon { get; init; } = 1e-5f;

    /// <summary>
    /// Falcon-Mamba: added to the mean square inside norms without weights, through which the mixer's B, C and low-rank step sizes
    /// pass. Default 0: no such norms, as in Mamba.
    /// </summary>
    public float MixerNormEpsilon { get; init; }

    /// <summary>Whether the projections into and out of a mixer have biases. Default false.</summary>
    public bool UseBias { get; init; }

    /// <summary>Whether the causal convolution has a bias. Default true.</summary>
    public bool UseConvBias { get; init; } = true;

    /// <summary>Smallest initial step size. Default 0.001.</summary>
    public double DtMin { get; init; } = 1e-3;

    /// <summary>Largest initial step size. Default 0.1.</summary>
    public double DtMax { get; init; } = 0.1;

    /// <summary>Initial step sizes below this are raised to it. Default 0.0001.</summary>
    public double DtFloor { get; init; } = 1e-4;

    /// <summary>Channels inside a mixer.</summary>
    public int DInner => IntermediateSize > 0 ? IntermediateSize : checked(Expand * DModel);

    /// <summary>Rank of the step size projection after the default has been resolved.</summary>
    public int EffectiveDtRank => DtRank > 0 ? DtRank : (DModel + 15) / 16;

    /// <summary>Checks every property.</summary>
    /// <exception cref="ArgumentException">Lists all violations at once.</exception>
    public void Validate()
    {
        var violations = Violations().ToArray();
        if (violations.Length > 0)
            throw new ArgumentException($"{nameof(MambaConfig)}: {string.Join(" ", violations)}");
    }

    /// <summary>Checks every property, and that the model knows what it reads: exactly one of VocabSize and FrameWidth.</summary>
    internal void ValidateForModel()
    {
        var violations = Violations().ToList();
        if (VocabSize == 0 && FrameWidth == 0)
            violations.Add("VocabSize and FrameWidth are both 0; expected exactly one of them > 0 when a model is built.");
        if (ReverseComplement != MambaReverseComplement.None && Complements is null)
            violations.Add($"ReverseComplement is {ReverseComplement} and Complements is null; expected the complement of each id when a model is built.");
        if (violations.Count > 0)
            throw new ArgumentException($"{nameof(MambaConfig)}: {string.Join(" ", violations)}");
    }

    /// <summary>Whether the model reads both strands.</summary>
    internal bool ReadsBothStrands => ReverseComplement != MambaReverseComplement.None;

    private IEnumerable<string> Violations()
    {
        if (DModel < 1)
            yield return $"DModel is {DModel}; expected ≥ 1.";
        if (NLayer < 1)
            yield return $"NLayer is {NLayer}; expected ≥ 1.";
        if (DState is < 1 or > 256)
            yield return $"DState is {DState}; expected 1 to 256.";
        if (DConv is < 2 or > 8)
            yield return $"DConv is {DConv}; expected 2 to 8.";
        if (Expand < 1)
            yield return $"Expand is {Expand}; expected ≥ 1.";
        if (DtRank < 0)
            yield return $"DtRank is {DtRank}; expected ≥ 0 (0 means ceil(DModel / 16)).";
        if (IntermediateSize < 0)
            yield return $"IntermediateSize is {IntermediateSize}; expected ≥ 0 (0 means Expand·DModel).";
        if (IntermediateSize == 0 && DModel >= 1 && Expand >= 1 && (long)Expand * DModel > int.MaxValue)
            yield return $"Expand·DModel is {(long)Expand * DModel}; expected at most {int.MaxValue}.";
        if (VocabSize < 0)
            yield return $"VocabSize is {VocabSize}; expected ≥ 0 (0 means from the data).";
        if (FrameWidth < 0)
            yield return $"FrameWidth is {FrameWidth}; expected ≥ 0 (0 means from the data).";
        if (VocabSize > 0 && FrameWidth > 0)
            yield return $"VocabSize is {VocabSize} and FrameWidth is {FrameWidth}; expected at most one of them > 0.";
        foreach (var violation in DirectionViolations())
            yield return violation;
        if (MaxPositions < 0)
            yield return $"MaxPositions is {MaxPositions}; expected ≥ 0 (0 means none).";
        if (PeriodicPositions && MaxPositions < 2)
            yield return $"PeriodicPositions is true and MaxPositions is {MaxPositions}; expected the period, ≥ 2.";
        if (!Enum.IsDefined(Norm))
            yield return $"Norm is {Norm}; expected {nameof(MambaNorm.RmsNorm)} or {nameof(MambaNorm.LayerNorm)}.";
        if (!(NormEpsilon > 0) || !float.IsFinite(NormEpsilon))
            yield return $"NormEpsilon is {NormEpsilon}; expected a finite number > 0.";
        if (!(MixerNormEpsilon >= 0) || !float.IsFinite(MixerNormEpsilon))
            yield return $"MixerNormEpsilon is {MixerNormEpsilon}; expected a finite number ≥ 0 (0 means no norms inside the mixer).";
        if (!(DtMin > 0) || !(DtMax >= DtMin) || !double.IsFinite(DtMax))
            yield return $"DtMin is {DtMin} and DtMax is {DtMax}; expected 0 < DtMin ≤ DtMax.";
        if (!(DtFloor > 0) || !double.IsFinite(DtFloor))
            yield return $"DtFloor is {DtFloor}; expected a finite number > 0.";
    }

    /// <summary>The row of the table of position vectors that a position has.</summary>
    internal long PositionRow(long position) => PeriodicPositions ? position % MaxPositions : Math.Min(position, MaxPositions - 1);

    /// <summary>The complement of an id; those beyond the list are their own.</summary>
    internal int ComplementOf(int id) => _complements is { } map && id < map.Count ? map[id] : id;

    private IEnumerable<string> DirectionViolations()
    {
        if (!Enum.IsDefined(DirectionMerge))
            yield return $"DirectionMerge is {DirectionMerge}; expected one of {string.Join(", ", Enum.GetNames<MambaDirectionMerge>())}.";
        if (!Enum.IsDefined(ReverseComplement))
            yield return $"ReverseComplement is {ReverseComplement}; expected one of {string.Join(", ", Enum.GetNames<MambaReverseComplement>())}.";
        if (!Bidirectional && DirectionMerge != MambaDirectionMerge.Mean)
            yield return $"DirectionMerge is {DirectionMerge} and Bidirectional is false; expected Mean, or two directions.";
        if (!Bidirectional && TieDirections)
            yield return "TieDirections is true and Bidirectional is false; expected false, or two directions.";
        if (!Bidirectional && ReadsBothStrands)
            yield return $"ReverseComplement is {ReverseComplement} and Bidirectional is false; expected None, or two directions.";
        if (FrameWidth > 0 && ReadsBothStrands)
            yield return $"ReverseComplement is {ReverseComplement} and FrameWidth is {FrameWidth}; expected None, since frames have no complements.";
        if (_complements is not { } map)
            yield break;
        if (!ReadsBothStrands)
            yield return "Complements is set and ReverseComplement is None; expected null, or a model of both strands.";
        if (VocabSize > 0 && map.Count > VocabSize)
            yield return $"Complements has {map.Count} ids; expected at most VocabSize = {VocabSize}.";
        if (map.FirstDefect() is { } id)
            yield return $"Complements of id {id} is {map[id]}; expected an id from 0 to {map.Count - 1} whose complement is {id}.";
    }
}
