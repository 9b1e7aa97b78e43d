using Microsoft.ML.Mamba.Training;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>A transformer around a model.</summary>
internal interface IPredictorOwner
{
    /// <summary>The model without the pipeline around it.</summary>
    SequencePredictor Predictor { get; }
}
