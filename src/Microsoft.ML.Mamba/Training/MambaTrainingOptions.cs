using Microsoft.ML.SearchSpace;

namespace Microsoft.ML.Mamba;

/// <summary>
/// How a model is trained: optimizer, schedule, regularisation, validation, augmentation. The defaults suit small
/// classification tasks. A training run works on a copy and never changes the object it was given.
/// </summary>
public sealed class MambaTrainingOptions
{
    /// <summary>Passes over the training rows. Default 20.</summary>
    [Range(5, 40, 20)]
    public int Epochs { get; set; } = 20;

    /// <summary>Rows per step. Default 64. Smaller batches take more, noisier steps.</summary>
    [Choice(new object[] { 16, 32, 64, 128 }, 64)]
    public int BatchSize { get; set; } = 64;

    /// <summary>Stops after this many steps even if epochs are left; the schedule ends there too. 0 (default) = no limit.</summary>
    public int MaxSteps { get; set; }

    /// <summary>The highest learning rate of AdamW, reached after the warm-up. Default 2e-3.</summary>
    [Range(3e-4, 5e-3, 2e-3, true)]
    public double LearningRate { get; set; } = 2e-3;

    /// <summary>The share of <see cref="LearningRate"/> that the cosine decay ends at, 0 to 1. Default 0.01.</summary>
    public double MinLearningRateRatio { get; set; } = 0.01;

    /// <summary>The share of all steps over which the learning rate rises linearly from 0, 0 to 1. Default 0.05.</summary>
    public double WarmupRatio { get; set; } = 0.05;

    /// <summary>
    /// AdamW's decoupled weight decay, at least 0. Default 0.1. It applies to the matrices and convolutions of the model;
    /// A_log, D, biases, norms, embeddings and positions are left alone.
    /// </summary>
    [Range(0.01, 0.5, 0.1, true)]
    public double WeightDecay { get; set; } = 0.1;

    /// <summary>AdamW's decay of the mean gradient, in [0, 1). Default 0.9.</summary>
    public double Beta1 { get; set; } = 0.9;

    /// <summary>AdamW's decay of the mean squared gradient, in [0, 1). Default 0.98.</summary>
    public double Beta2 { get; set; } = 0.98;

    /// <summary>The longest gradient (2-norm over all parameters); longer ones are scaled down. 0 = no clipping. Default 1.</summary>
    public double GradientClip { get; set; } = 1;

    /// <summary>The share of the target that classification spreads evenly over all classes, in [0, 1). Default 0.05. Regression has none.</summary>
    [Range(0.0, 0.2, 0.05)]
    public double LabelSmoothing { get; set; } = 0.05;

    /// <summary>The probability that an activation is dropped in training, in [0, 1). Default 0.1.</summary>
    [Range(0.0, 0.5, 0.1)]
    public double Dropout { get; set; } = 0.1;

    /// <summary>How much each class counts. Default <see cref="MambaClassWeighting.None"/>: every row counts the same.</summary>
    public MambaClassWeighting ClassWeighting { get; set; } = MambaClassWeighting.None;

    /// <summary>
    /// The weight of each class, in the order of the label's keys (binary: negative, positive); each above 0. Null (default):
    /// <see cref="ClassWeighting"/> decides; when set, it must be <see cref="MambaClassWeighting.None"/>.
    /// </summary>
    public float[]? ClassWeights { get; set; }

    /// <summary>
    /// The share of the training rows, in [0, 1), that is held out for validation when no validation set is given; for classes the
    /// same share of each. Default 0.1. With 0 there is no validation: all rows train and the last weights are kept.
    /// Where taggers cut long sequences into windows, whole sequences are held out, so that no sequence is on both sides; where
    /// none brings less than twice the share and several do not reach half of it, as with a single long one, a stretch of
    /// neighbouring windows is.
    /// </summary>
    public double ValidationFraction { get; set; } = 0.1;

    /// <summary>Stops when so many epochs in a row have brought no better validation result. 0 (default) = never.</summary>
    public int EarlyStoppingPatience { get; set; }

    /// <summary>What "better" means in validation. Default <see cref="MambaEarlyStoppingMetric.Metric"/>.</summary>
    public MambaEarlyStoppingMetric EarlyStoppingMetric { get; set; } = MambaEarlyStoppingMetric.Metric;

    /// <summary>Whether the model gets the weights of its best validated epoch (default) or of its last one.</summary>
    public bool RestoreBestWeights { get; set; } = true;

    /// <summary>
    /// The longest sequence in positions; longer ones are cut, in training and in scoring. Taggers learn from longer ones in windows of
    /// this length and score them whole. 0 (default) = no limit.
    /// </summary>
    public int MaxLength { get; set; }

    /// <summary>Which part of a longer sequence is kept. Default <see cref="SequenceTruncation.Head"/>.</summary>
    public SequenceTruncation Truncation { get; set; } = SequenceTruncation.Head;

    /// <summary>DNA: each training sequence is read from the other strand with probability 1/2. Default false.</summary>
    public bool ReverseComplementAugmentation { get; set; }

    /// <summary>
    /// DNA: validation and scoring run both strands and average the raw outputs of the network (logits, log-odds or the
    /// value), so that a sequence and its reverse complement score the same. Saved with the model. Default false.
    /// </summary>
    public bool ReverseComplementAveraging { get; set; }

    /// <summary>DNA: the probability that a letter is replaced by a random one of A, C, G, T in training, in [0, 1). Default 0.</summary>
    [Range(0.0, 0.1, 0.0)]
    public double MutationRate { get; set; }

    /// <summary>Frames: how many stretches of time are hidden behind the sequence's mean in training. Default 0.</summary>
    public int TimeMasks { get; set; }

    /// <summary>Frames: the longest of <see cref="TimeMasks"/>, in frames; never more than a quarter of the sequence. Default 20.</summary>
    public int TimeMaskWidth { get; set; } = 20;

    /// <summary>Frames: how many ranges of neighbouring values (bands) are hidden behind the sequence's mean in training. Default 0.</summary>
    public int FrequencyMasks { get; set; }

    /// <summary>Frames: the widest of <see cref="FrequencyMasks"/>, in values of a frame. Default 8.</summary>
    public int FrequencyMaskWidth { get; set; } = 8;

    /// <summary>
    /// Frames: each training sequence is stretched along time by a factor drawn from [1 - x, 1 + x], x in [0, 1): another speed at the
    /// same pitch. Default 0.
    /// </summary>
    public double FrameStretch { get; set; }

    /// <summary>Frames: a number drawn from [-x, x] is added to all values of a training sequence; of log-mel frames, the loudness. Default 0.</summary>
    public double FrameGain { get; set; }

    /// <summary>Frames: the standard deviation of the normal noise that is added to each value in training. Default 0.</summary>
    public double FrameNoise { get; set; }

    /// <summary>
    /// What the blocks compute in on a GPU, in training and, saved with the model, in scoring. Default
    /// <see cref="MambaPrecision.Float32"/>. On a CPU both compute in 32 bits.
    /// </summary>
    public MambaPrecision Precision { get; set; } = MambaPrecision.Float32;

    /// <summary>
    /// The seed of initial weights, shuffling, dropout and augmentation. Null (default): the seed of the MLContext; if that has
    /// none either, another one for each Fit. Equal seeds give equal models, to the bit, on one machine.
    /// </summary>
    public int? Seed { get; set; }

    /// <summary>Checks every value.</summary>
    /// <exception cref="ArgumentException">Values are out of range; the message lists all of them.</exception>
    public void Validate()
    {
        var violations = new List<string>();
        void Expect(bool ok, string name, object value, string expected)
        {
            if (!ok)
            {
                violations.Add(FormattableString.Invariant($"{name} is {value}; expected {expected}."));
            }
        }

        Expect(Epochs >= 1, nameof(Epochs), Epochs, "at least 1");
        Expect(BatchSize >= 1, nameof(BatchSize), BatchSize, "at least 1");
        Expect(MaxSteps >= 0, nameof(MaxSteps), MaxSteps, "0 (no limit) or more");
        Expect(LearningRate > 0 && double.IsFinite(LearningRate), nameof(LearningRate), LearningRate, "a finite number above 0");
        Expect(MinLearningRateRatio is >= 0 and <= 1, nameof(MinLearningRateRatio), MinLearningRateRatio, "0 to 1");
        Expect(WarmupRatio is >= 0 and <= 1, nameof(WarmupRatio), WarmupRatio, "0 to 1");
        Expect(WeightDecay >= 0 && double.IsFinite(WeightDecay), nameof(WeightDecay), WeightDecay, "a finite number of 0 or more");
        Expect(Beta1 is >= 0 and < 1, nameof(Beta1), Beta1, "0 or more and less than 1");
        Expect(Beta2 is >= 0 and < 1, nameof(Beta2), Beta2, "0 or more and less than 1");
        Expect(GradientClip >= 0 && double.IsFinite(GradientClip), nameof(GradientClip), GradientClip, "0 (no clipping) or a finite number above 0");
        Expect(LabelSmoothing is >= 0 and < 1, nameof(LabelSmoothing), LabelSmoothing, "0 or more and less than 1");
        Expect(Dropout is >= 0 and < 1, nameof(Dropout), Dropout, "0 or more and less than 1");
        Expect(Enum.IsDefined(ClassWeighting), nameof(ClassWeighting), ClassWeighting, "None or Balanced");
        Expect(ClassWeights is null || ClassWeights.All(w => w > 0 && float.IsFinite(w)), nameof(ClassWeights), $"[{string.Join(", ", ClassWeights?.Select(w => FormattableString.Invariant($"{w}")) ?? [])}]", "finite numbers above 0");
        Expect(ClassWeights is null || ClassWeighting == MambaClassWeighting.None, nameof(ClassWeighting), ClassWeighting, "None when ClassWeights is set");
        Expect(ValidationFraction is >= 0 and < 1, nameof(ValidationFraction), ValidationFraction, "0 (no validation) or more and less than 1");
        Expect(EarlyStoppingPatience >= 0, nameof(EarlyStoppingPatience), EarlyStoppingPatience, "0 (never stop early) or more");
        Expect(Enum.IsDefined(EarlyStoppingMetric), nameof(EarlyStoppingMetric), EarlyStoppingMetric, "Loss or Metric");
        Expect(MaxLength >= 0, nameof(MaxLength), MaxLength, "0 (no limit) or more");
        Expect(Enum.IsDefined(Truncation), nameof(Truncation), Truncation, "Head, Tail or Middle");
        Expect(MutationRate is >= 0 and < 1, nameof(MutationRate), MutationRate, "0 or more and less than 1");
        Expect(TimeMasks >= 0, nameof(TimeMasks), TimeMasks, "0 (none) or more");
        Expect(TimeMaskWidth >= 0, nameof(TimeMaskWidth), TimeMaskWidth, "0 or more frames");
        Expect(FrequencyMasks >= 0, nameof(FrequencyMasks), FrequencyMasks, "0 (none) or more");
        Expect(FrequencyMaskWidth >= 0, nameof(FrequencyMaskWidth), FrequencyMaskWidth, "0 or more values");
        Expect(FrameStretch is >= 0 and < 1, nameof(FrameStretch), FrameStretch, "0 or more and less than 1");
        Expect(FrameGain >= 0 && double.IsFinite(FrameGain), nameof(FrameGain), FrameGain, "a finite number of 0 or more");
        Expect(FrameNoise >= 0 && double.IsFinite(FrameNoise), nameof(FrameNoise), FrameNoise, "a finite number of 0 or more");

        Expect(Enum.IsDefined(Precision), nameof(Precision), Precision, "Float32 or BFloat16");

        if (violations.Count > 0)
        {
            throw new ArgumentException(
                $"MambaTrainingOptions: {violations.Count} value{(violations.Count == 1 ? " is" : "s are")} out of range:"
                + string.Concat(violations.Select(v => $"{Environment.NewLine}  {v}")));
        }
    }

    /// <summary>A copy that shares nothing with this object.</summary>
    /// <returns>The copy.</returns>
    public MambaTrainingOptions Clone()
    {
        var clone = (MambaTrainingOptions)MemberwiseClone();
        clone.ClassWeights = (float[]?)ClassWeights?.Clone();
        return clone;
    }
}
