using Microsoft.ML.Mamba.Checkpoints;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Training;

/// <summary>
/// A fitted model: description and weights. Any number of threads may predict at once. Disposing it while they do lets
/// their calls end well; later calls throw <see cref="ObjectDisposedException"/>.
/// </summary>
internal sealed class SequencePredictor : IDisposable
{
    private readonly nn.Module<SequenceInput, Tensor> _network;
    private readonly ForwardLease _lease;

    /// <param name="description">What the model is.</param>
    /// <param name="network">Its network, in evaluation mode; the predictor owns it from now on.</param>
    internal SequencePredictor(ModelDescription description, nn.Module<SequenceInput, Tensor> network)
    {
        Description = description;
        _network = network;
        _lease = new ForwardLease(network, nameof(SequencePredictor));
    }

    internal ModelDescription Description { get; }

    /// <summary>Numbers per sequence, or per position where the model answers for each: classes, 1, or the width of an embedding.</summary>
    internal int OutputCount => Description.OutputCount;

    /// <summary>A fresh policy that cuts sequences as this model wants them, and counts them.</summary>
    internal TruncationPolicy CreateTruncation() => new(Description.MaxLength, Description.Truncation);

    /// <summary>
    /// Scores each row: class probabilities, log-odds of yes, the value, or the embedding. A row's scores do not depend on the
    /// other rows of the batch, nor on padding, beyond rounding.
    /// </summary>
    /// <param name="batch">Rows of the model's kind; empty rows are legal and score like the head's bias.</param>
    /// <returns>Rows × <see cref="OutputCount"/>, row after row; where the model answers for each position, real positions × that.</returns>
    /// <exception cref="ArgumentException">The batch is of another kind or width.</exception>
    /// <exception cref="InvalidOperationException">An id is outside the vocabulary that the model was trained with.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    internal float[] Predict(PaddedBatch batch)
    {
        CheckKind(batch);
        CheckIds(batch);
        using var use = _lease.Enter();
        return batch.Rows == 0 ? [] : Forward(batch);
    }

    /// <summary>Begins to read a sequence as it comes. Causal taggers only.</summary>
    /// <exception cref="InvalidOperationException">The model reads sequences in both directions.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    internal PredictorStream OpenStream()
    {
        using var use = _lease.Enter();
        if (Description.Config.Bidirectional || Description.ReverseComplementAveraging)
        {
            throw new InvalidOperationException(
                "CreateStream: the model reads sequences in both directions, so it has to see them whole. Train it with Model = new MambaConfig { Bidirectional = false } and without ReverseComplementAveraging.");
        }
        return new PredictorStream(Description, (MambaForSequenceTagging)_network, _lease);
    }

    /// <summary>Writes <c>config.json</c> and <c>model.safetensors</c>. Loading and saving again gives the same bytes.</summary>
    internal void Save(Stream config, Stream weights)
    {
        using var use = _lease.Enter();
        Description.Write(config);
        ModuleWeights.Save(_network, weights);
    }

    /// <summary>Reads what <see cref="Save"/> wrote; everything is checked before a network is built.</summary>
    /// <param name="config">The stream of <c>config.json</c>.</param>
    /// <param name="weights">The stream of <c>model.safetensors</c>.</param>
    /// <param name="weightsLength">Bytes that <paramref name="weights"/> holds.</param>
    /// <param name="tokenizer">The tokenizer that was saved beside them, or null.</param>
    /// <param name="device">Where the model is going to score; weights go there one by one.</param>
    /// <exception cref="MambaCheckpointException">A file is damaged, of a newer version, or they do not belong together.</exception>
    internal static SequencePredictor Load(Stream config, Stream weights, long weightsLength, SequenceTokenizer? tokenizer, ComputeDevice device = default)
    {
        var description = ModelDescription.Read(config, tokenizer);
        NetworkWeights.CheckSize(description, weightsLength);
        var network = description.Objective.BuildNetwork(description, DropoutSource.None(), Initialisation.LeftToTheCaller());
        try
        {
            NetworkWeights.Place(network, device, description.Precision);
            ModuleWeights.Load(network, weights, weightsLength);
            network.eval();
            return new SequencePredictor(description, network);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>Overwrites the weights of an encoder of the same architecture by this model's.</summary>
    internal void CopyEncoderTo(MambaModel target)
    {
        using var use = _lease.Enter();
        NetworkWeights.Copy(((ISequenceNetwork)_network).Backbone, target);
    }

    /// <summary>The batch as the network takes it.</summary>
    /// <param name="batch">The batch, in the processor's memory.</param>
    /// <param name="device">Where the network is.</param>
    internal static SequenceInput InputOf(PaddedBatch batch, Device device) => (batch.Ids is { } ids
        ? SequenceInput.FromIds(ids, batch.Rows, batch.Length, batch.Lengths)
        : SequenceInput.FromFrames(batch.Frames!, batch.Rows, batch.Length, batch.FrameWidth, batch.Lengths)).MovedTo(device);

    /// <summary>Frees the weights, at once or when the last running prediction ends.</summary>
    public void Dispose() => _lease.Dispose();

    private float[] Forward(PaddedBatch batch)
    {
        float[] scores;
        using (NewDisposeScope())
        using (no_grad())
        {
            scores = Description.Objective.PerPosition ? Asked(AllPositions(batch), batch)
                : Description.ReverseComplementAveraging ? Average(RawOutputs(batch.WithReverseComplements(Description.Tokenizer!)))
                : RawOutputs(batch);
        }
        Description.Objective.ToScores(scores, OutputCount);
        return scores;
    }

    private float[] RawOutputs(PaddedBatch batch)
    {
        using var input = InputOf(batch, ((ISequenceNetwork)_network).Backbone.Device);
        return _network.call(input).ToArray();
    }

    /// <summary>The vectors of all real positions, row after row.</summary>
    private float[] AllPositions(PaddedBatch batch)
    {
        if (!Description.ReverseComplementAveraging)
        {
            return RealPositions(RawOutputs(batch), batch);
        }
        var both = batch.WithReverseComplements(Description.Tokenizer!);
        return Description.Objective.AverageStrands(RealPositions(RawOutputs(both), both), batch.Lengths);
    }

    /// <summary>Of all vectors those of positions that are asked for.</summary>
    private float[] Asked(float[] all, PaddedBatch batch)
    {
        if (!Array.Exists(batch.Labels, labels => labels is not null))
        {
            return all;
        }
        var asked = 0;
        for (int row = 0, at = 0; row < batch.Rows; at += batch.Lengths[row++])
        {
            for (var t = 0; t < batch.Lengths[row]; t++)
            {
                if (batch.Labels[row] is not { } labels || labels[t] >= 0)
                {
                    all.AsSpan((at + t) * OutputCount, OutputCount).CopyTo(all.AsSpan(asked++ * OutputCount));
                }
            }
        }
        return all[..(asked * OutputCount)];
    }

    // The first half of the rows are the strands as given, the second half their reverse complements.
    private static float[] Average(float[] both)
    {
        var average = new float[both.Length / 2];
        for (var i = 0; i < average.Length; i++)
        {
            average[i] = (both[i] + both[average.Length + i]) / 2;
        }
        return average;
    }

    /// <summary>The vectors of real positions, row after row, without those of padding.</summary>
    private float[] RealPositions(float[] outputs, PaddedBatch batch)
    {
        var positions = outputs.Length / (batch.Rows * OutputCount); // 0 to batch.Length
        var real = new float[checked(batch.RealPositions * OutputCount)];
        for (int row = 0, at = 0; row < batch.Rows; at += batch.Lengths[row++] * OutputCount)
        {
            outputs.AsSpan(row * positions * OutputCount, batch.Lengths[row] * OutputCount).CopyTo(real.AsSpan(at));
        }
        return real;
    }

    private void CheckKind(PaddedBatch batch)
    {
        var frames = batch.Ids is null;
        if (frames != (Description.Kind == SequenceKind.Frames) || batch.FrameWidth != Description.Config.FrameWidth)
        {
            throw new ArgumentException(
                $"Predict: the batch holds {Named(frames, batch.FrameWidth)}; the model was trained on {Named(Description.Kind == SequenceKind.Frames, Description.Config.FrameWidth)}.",
                nameof(batch));
        }

        static string Named(bool frames, int width) => frames ? $"frames of width {width}" : "ids";
    }

    private void CheckIds(PaddedBatch batch)
    {
        var vocabSize = Description.Config.VocabSize;
        var ids = batch.Ids ?? [];
        for (var i = 0; i < ids.Length; i++)
        {
            if ((uint)ids[i] >= (uint)vocabSize)
            {
                throw new InvalidOperationException(
                    $"Predict: row {batch.RowIndex[i / batch.Length]} has id {ids[i]} at position {i % batch.Length}; the model knows ids 0 to {vocabSize - 1}.");
            }
        }
    }
}
