using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba;

/// <summary>What the trainers have in common beyond <see cref="MambaSequenceOptions"/>: label, sequence and score columns, and what becomes of a pretrained encoder.</summary>
public abstract class MambaLabelledOptions : MambaSequenceOptions
{
    private protected MambaLabelledOptions()
    {
    }

    /// <summary>The column to learn from. Default "Label".</summary>
    public string LabelColumnName { get; set; } = DefaultColumnNames.Label;

    /// <summary>
    /// The column with the sequences: text, a vector of keys, a vector of integers (ids from 0) or a vector of
    /// <see cref="float"/> (frames). Default "Sequence".
    /// </summary>
    public string SequenceColumnName { get; set; } = "Sequence";

    /// <summary>The column that the scores go to. Default "Score".</summary>
    public string ScoreColumnName { get; set; } = DefaultColumnNames.Score;

    /// <summary>
    /// Whether a pretrained encoder stays as it is, and only what stands behind it is trained: faster, and safer with few rows.
    /// Default false. Only with <see cref="MambaSequenceOptions.Pretrained"/>.
    /// </summary>
    public bool FreezeEncoder { get; set; }

    /// <summary>
    /// The learning rate of a pretrained encoder as a share of <see cref="MambaTrainingOptions.LearningRate"/>, above 0 and at
    /// most 1. Default 1. Only with <see cref="MambaSequenceOptions.Pretrained"/>.
    /// </summary>
    public double EncoderLearningRateScale { get; set; } = 1;

    internal override IEnumerable<(string Property, string Name)> InputColumns =>
        [(nameof(LabelColumnName), LabelColumnName), (nameof(SequenceColumnName), SequenceColumnName)];

    internal override bool EncoderIsFrozen => FreezeEncoder;

    internal override double EncoderRateScale => EncoderLearningRateScale;

    internal override IEnumerable<string> OwnViolations()
    {
        if (!(EncoderLearningRateScale > 0 && EncoderLearningRateScale <= 1))
            yield return FormattableString.Invariant($"EncoderLearningRateScale is {EncoderLearningRateScale}; expected a number above 0 and at most 1. To leave the encoder alone, set FreezeEncoder.");
        if (Pretrained is null && (FreezeEncoder || EncoderLearningRateScale != 1))
            yield return "FreezeEncoder or EncoderLearningRateScale is set; they need an encoder in Pretrained.";
    }

    /// <summary>Options with only what the short overloads of the catalog take.</summary>
    internal static TOptions Short<TOptions>(string labelColumnName, string sequenceColumnName, SequenceTokenizer? tokenizer, int epochs)
        where TOptions : MambaLabelledOptions, new() => new()
        {
            LabelColumnName = labelColumnName,
            SequenceColumnName = sequenceColumnName,
            Tokenizer = tokenizer,
            Training = new MambaTrainingOptions { Epochs = epochs },
        };
}
