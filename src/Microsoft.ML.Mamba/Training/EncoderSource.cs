using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Ops;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Training;

/// <summary>An encoder that was learnt before, wherever it is kept: its architecture, its weights, and how its sequences are made.</summary>
/// <param name="Config">The architecture.</param>
/// <param name="Tokenizer">What made its ids from text, or null.</param>
/// <param name="MaxLength">Positions that sequences were cut to; 0 = no limit.</param>
/// <param name="Truncation">Which part of a longer sequence was kept.</param>
/// <param name="ReverseComplementAveraging">Whether both strands were averaged.</param>
/// <param name="History">How it was learnt.</param>
/// <param name="CopyTo">Overwrites the weights of an encoder of this architecture.</param>
internal sealed record EncoderSource(
    MambaConfig Config,
    SequenceTokenizer? Tokenizer,
    int MaxLength,
    SequenceTruncation Truncation,
    bool ReverseComplementAveraging,
    MambaTrainingHistory History,
    Action<MambaModel> CopyTo)
{
    /// <summary>The encoder of a fitted model, which must not be disposed before the copy is made.</summary>
    internal static EncoderSource Of(SequencePredictor model)
    {
        var description = model.Description;
        return new(description.Config, description.Tokenizer, description.MaxLength, description.Truncation,
            description.ReverseComplementAveraging, description.History, model.CopyEncoderTo);
    }

    /// <summary>The encoder of a checkpoint, whose files must stay as they are until the copy is made.</summary>
    internal static EncoderSource Of(MambaCheckpoint checkpoint, SequenceTokenizer? tokenizer) => new(checkpoint.Config, tokenizer,
        MaxLength: 0, default, ReverseComplementAveraging: false, MambaTrainingHistory.None, checkpoint.ReadInto);

    /// <summary>A model around a copy of the encoder, with nothing to learn.</summary>
    /// <param name="description">What the model is.</param>
    /// <param name="device">Where it is going to score.</param>
    /// <exception cref="ArgumentException">The encoder cannot do what the description asks.</exception>
    internal SequencePredictor ToPredictor(ModelDescription description, ComputeDevice device = default)
    {
        if (description.Objective.Defect(description) is { } defect)
        {
            throw new ArgumentException(defect);
        }
        var network = description.Objective.BuildNetwork(description, DropoutSource.None(), Initialisation.LeftToTheCaller());
        try
        {
            NetworkWeights.Place(network, device, description.Precision);
            CopyTo(((ISequenceNetwork)network).Backbone);
            network.eval();
            return new SequencePredictor(description, network);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }
}
