using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Training;

/// <summary>
/// An encoder that learns from sequences alone, by predicting what <see cref="PredictedPositions"/> tells: ids by cross-entropy,
/// frames by squared error of their standardised values. The head that predicts is dropped in the end.
/// </summary>
internal sealed class SelfSupervisedTrainee : ITrainee
{
    private readonly TrainingPlan _plan;
    private readonly MambaForSequenceEmbedding _network;
    private readonly PretrainingHead _head;
    private readonly FrameScale? _scale;
    private readonly Random _training;
    private Random _evaluation;

    /// <exception cref="MambaTrainingException">There is no position to predict.</exception>
    internal SelfSupervisedTrainee(TrainingPlan plan)
    {
        _plan = plan;
        CheckPredictable(plan.Train, "training");
        if (plan.Validation is { } validation)
        {
            CheckPredictable(validation, "validation");
        }
        _training = plan.Seeds.Masking();
        _evaluation = plan.Seeds.EvaluationMasking();
        _scale = plan.Train.Kind == SequenceKind.Frames ? FrameScale.Of(plan.Train) : null;
        _network = (MambaForSequenceEmbedding)plan.Objective.BuildNetwork(
            plan.Describe(), new DropoutSource(plan.Options.Dropout, plan.Seeds.Dropout), new Initialisation(plan.Seeds.Weights));
        NetworkWeights.Place(_network, plan.Request.Device, plan.Options.Precision);
        _head = new PretrainingHead(_network.Backbone, plan.Seeds.Head);
        if (plan.Request.Device.CudaIndex is not null)
        {
            _head.to(plan.Request.Device.ToTorch());
        }
        Weights = [.. NetworkWeights.Of(_network), .. NetworkWeights.Of(_head).Select(w => ("pretraining." + w.Name, w.Tensor))];
    }

    public nn.Module<SequenceInput, Tensor> Network => _network;

    public (string Name, Parameter Tensor)[] Weights { get; }

    private Device Device => _network.Backbone.Device;

    private bool Causal => !_plan.Config.Bidirectional;

    public void BeginTraining() => _network.train();

    public void BeginEvaluation()
    {
        _network.eval();
        _evaluation = _plan.Seeds.EvaluationMasking();
    }

    public Tensor Loss(PaddedBatch batch)
    {
        using var scope = NewDisposeScope();
        return Loss(batch, Positions(batch, _training)).MoveToOuterDisposeScope();
    }

    public Measurement Measure(PaddedBatch batch)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var positions = Positions(batch, _evaluation);
        var loss = Loss(batch, positions).item<float>() * (double)positions.Count;
        return new Measurement(loss, loss, positions.Count);
    }

    public double Metric(Measurement sum) => _scale is null ? Math.Exp(sum.Loss / sum.Count) : Math.Sqrt(sum.Loss / sum.Count);

    public TrainingObjective Conclude(IEnumerable<PaddedBatch> validation) => _plan.Objective;

    public void Dispose() => _head.Dispose();

    private PredictedPositions Positions(PaddedBatch batch, Random random) =>
        Causal ? PredictedPositions.Next(batch) : PredictedPositions.Masked(batch, random);

    /// <summary>The mean loss over the predicted positions; 0 for a batch without any.</summary>
    private Tensor Loss(PaddedBatch batch, PredictedPositions positions)
    {
        using var input = InputOf(batch, positions.Shown, Device);
        var mask = positions.Hidden is { } hidden ? new PositionMask(hidden, batch.Rows, batch.Length, _head.Mask!) : null;
        var states = States(input, mask);                                                                // (S, B·L, DModel)
        if (positions.Count == 0)
        {
            return (states * zeros_like(states)).sum();
        }
        using var places = tensor(positions.States).MovedTo(Device);
        var predicted = Predicted(states.index_select(1, places));                                       // (P, VocabSize or FrameWidth)
        if (batch.Ids is { } ids)
        {
            using var wanted = tensor(Array.ConvertAll(positions.Targets, place => (long)ids[place])).MovedTo(Device);
            return nn.functional.cross_entropy(predicted, wanted);
        }
        using var frames = tensor(_scale!.Standardised(batch.Frames!, positions.Targets), predicted.shape).MovedTo(Device);
        return nn.functional.mse_loss(predicted, frames);
    }

    /// <summary>The states of each strand that the encoder reads, S = 1 or 2, those of the second at the positions of the first.</summary>
    private Tensor States(SequenceInput input, PositionMask? mask)
    {
        var states = _network.Backbone.EncodeStrands(input, layer: null, mask);
        return _plan.Config.ReadsBothStrands
            ? Strands.Aligned(states, input.Lengths).view(2, -1, _plan.Config.DModel)
            : states.view(1, -1, _plan.Config.DModel);
    }

    private Tensor Predicted(Tensor states)
    {
        var predicted = _head.call(states.view(-1, _plan.Config.DModel));
        return _plan.Config.ReadsBothStrands ? Strands.Sum(predicted, _plan.Config) : predicted;
    }

    private static SequenceInput InputOf(PaddedBatch batch, int[]? shown, Device device)
    {
        if (shown is null)
        {
            return SequencePredictor.InputOf(batch, device);
        }
        if (batch.Ids is { } ids)
        {
            return SequenceInput.FromIds(Array.ConvertAll(shown, place => ids[place]), batch.Rows, batch.Length, batch.Lengths).MovedTo(device);
        }
        var width = batch.FrameWidth;
        var frames = new float[shown.Length * width];
        for (var i = 0; i < shown.Length; i++)
        {
            batch.Frames.AsSpan(shown[i] * width, width).CopyTo(frames.AsSpan(i * width));
        }
        return SequenceInput.FromFrames(frames, batch.Rows, batch.Length, width, batch.Lengths).MovedTo(device);
    }

    private void CheckPredictable(SequenceSet set, string name)
    {
        if (PredictedPositions.In(set, Causal) == 0)
        {
            throw new MambaTrainingException(FormattableString.Invariant(
                $"None of the {set.Count:N0} {name} sequences has a position that could be predicted: a causal encoder needs sequences of at least 2 positions. Check the sequence column and MaxLength."));
        }
    }
}
