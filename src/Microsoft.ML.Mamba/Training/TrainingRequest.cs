using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Ops;

namespace Microsoft.ML.Mamba.Training;

/// <summary>What to train, on what, and whom to tell.</summary>
internal sealed record TrainingRequest
{
    /// <summary>The architecture. VocabSize and FrameWidth of 0 are taken from the tokenizer or the data.</summary>
    internal required MambaConfig Config { get; init; }

    internal required MambaPooling Pooling { get; init; }

    internal required TrainingObjective Objective { get; init; }

    /// <summary>The encoder to start from, of the architecture <see cref="Config"/>; null: initial weights.</summary>
    internal EncoderSource? Encoder { get; init; }

    /// <summary>Whether only what stands behind the encoder is trained.</summary>
    internal bool FreezeEncoder { get; init; }

    /// <summary>The encoder's learning rate as a share of the options'.</summary>
    internal double EncoderLearningRateScale { get; init; } = 1;

    /// <summary>What made the ids, or null when sequences came as ids or frames; kept with the model.</summary>
    internal SequenceTokenizer? Tokenizer { get; init; }

    /// <summary>The labelled rows, cut to the longest length already.</summary>
    internal required SequenceSet Train { get; init; }

    /// <summary>Rows for validation; null: the options' fraction of the training rows is held out.</summary>
    internal SequenceSet? Validation { get; init; }

    /// <summary>How to train; never changed.</summary>
    internal required MambaTrainingOptions Options { get; init; }

    /// <summary>Where to train; the fitted model stays there.</summary>
    internal ComputeDevice Device { get; init; }

    /// <summary>The seed where the options have none.</summary>
    internal int Seed { get; init; }

    /// <summary>Called on the training thread at the end of each epoch and at most every half second within one.</summary>
    internal Action<MambaTrainingProgress>? Progress { get; init; }

    internal Action<string> Info { get; init; } = static _ => { };

    internal Action<string> Warning { get; init; } = static _ => { };

    /// <summary>Called before every step; throws to cancel.</summary>
    internal Action CheckAlive { get; init; } = static () => { };

    /// <summary>What speeds and the time between progress records are measured with.</summary>
    internal TimeProvider Clock { get; init; } = TimeProvider.System;
}
