using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Modules;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Training;

/// <summary>A network with a head, taught by labels. The encoder may come from another model, and may be left as it is.</summary>
internal sealed class SupervisedTrainee : ITrainee
{
    private readonly TrainingPlan _plan;
    private readonly SupervisedObjective _objective;
    private readonly nn.Module<SequenceInput, Tensor> _network;
    private readonly MambaModel _encoder;
    private readonly SequencePredictor _evaluator;
    private ValidationTally _tally;

    internal SupervisedTrainee(TrainingPlan plan, SupervisedObjective objective)
    {
        _plan = plan;
        _objective = objective;
        _network = objective.BuildNetwork(
            plan.Describe(), new DropoutSource(plan.Options.Dropout, plan.Seeds.Dropout), new Initialisation(plan.Seeds.Weights));
        _encoder = ((ISequenceNetwork)_network).Backbone;
        _tally = objective.NewTally();
        plan.Request.Encoder?.CopyTo(_encoder);
        NetworkWeights.Place(_network, plan.Request.Device, plan.Options.Precision);
        _evaluator = new SequencePredictor(plan.Describe(), _network);
        var all = NetworkWeights.Of(_network);
        Weights = plan.Request.FreezeEncoder ? Array.FindAll(all, w => !ParameterGroups.IsEncoder(w.Name)) : all;
        if (plan.Request.FreezeEncoder)
        {
            foreach (var (_, weight) in NetworkWeights.Of(_encoder))
            {
                weight.requires_grad = false;
            }
        }
    }

    public (string Name, Parameter Tensor)[] Weights { get; }

    public nn.Module<SequenceInput, Tensor> Network => _network;

    public void BeginTraining()
    {
        _network.train();
        if (_plan.Request.FreezeEncoder)
        {
            _encoder.eval(); // nothing is dropped where nothing is learnt
        }
    }

    public void BeginEvaluation()
    {
        _network.eval();
        _tally = _objective.NewTally();
    }

    public Tensor Loss(PaddedBatch batch)
    {
        using var scope = NewDisposeScope();
        using var input = SequencePredictor.InputOf(batch, _encoder.Device);
        return _objective.Loss(_network.call(input), batch, _plan.Options.LabelSmoothing, _plan.ClassWeights).MoveToOuterDisposeScope();
    }

    public Measurement Measure(PaddedBatch batch) => _tally.Add(_evaluator.Predict(batch), batch);

    public double Metric(Measurement sum) => _tally.Metric(sum);

    public TrainingObjective Conclude(IEnumerable<PaddedBatch> validation) =>
        _objective.Conclude(validation.Select(batch => (_evaluator.Predict(batch), batch)));

    public void Dispose()
    {
        // Everything is part of the network.
    }
}
