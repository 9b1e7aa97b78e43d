using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Ops;

namespace Microsoft.ML.Mamba.Training;

/// <summary>
/// Trains a sequence model: epochs of shuffled batches, AdamW under a warm-up and cosine schedule, validation after each
/// epoch, early stopping, and a guard against numbers that are not finite. Equal requests give equal weights, to the bit.
/// </summary>
internal sealed class TrainingLoop : IDisposable
{
    private const int EvaluationBatchSize = 64;
    private const int SnapshotsInFirstEpoch = 8;

    private readonly TrainingPlan _plan;
    private readonly TrainingRequest _request;
    private readonly ITrainee _trainee;
    private readonly TrainingStep _step;
    private readonly WeightSnapshot _best;
    private readonly ProgressMeter _meter;
    private readonly LearningRateSchedule _schedule;
    private readonly BestEpoch _bestEpoch;
    private readonly List<MambaTrainingProgress> _epochs = [];
    private readonly Random _shuffling;
    private readonly Random _augmentation;
    private double _lowestSnapshotLoss = double.PositiveInfinity;
    private readonly Queue<StepInFlight> _inFlight = new();
    private string? _stoppedBecause;
    private int? _keptEpoch;
    private bool _handedOver;

    private TrainingLoop(TrainingPlan plan)
    {
        _plan = plan;
        _request = plan.Request;
        var options = plan.Options;
        _trainee = plan.Objective.CreateTrainee(plan);
        _step = new TrainingStep(_trainee, options, _request.EncoderLearningRateScale);
        _best = new WeightSnapshot(_step.Weights);
        _schedule = new LearningRateSchedule(options.LearningRate, options.MinLearningRateRatio, options.WarmupRatio, plan.Steps);
        _bestEpoch = new BestEpoch(options.EarlyStoppingMetric, plan.Objective.HigherMetricIsBetter);
        _shuffling = plan.Seeds.Shuffling();
        _augmentation = plan.Seeds.Augmentation();
        _meter = new ProgressMeter(plan);
    }

    /// <summary>While a GPU computes a step, the processor queues the next one; a processor that computes itself has nothing to gain.</summary>
    private int StepsAhead => _request.Device.CudaIndex is null ? 0 : 1;

    private long StepsTaken => _meter.Steps + _inFlight.Count;

    /// <summary>Trains as the request says.</summary>
    /// <returns>The fitted model, on the weights of its best epoch.</returns>
    /// <exception cref="ArgumentException">Settings are out of range or do not fit each other or the data.</exception>
    /// <exception cref="MambaTrainingException">The data leave nothing to learn, or training broke down before any weights were worth keeping.</exception>
    /// <exception cref="OperationCanceledException">Thrown by the request's CheckAlive; nothing is left behind.</exception>
    internal static SequencePredictor Run(TrainingRequest request)
    {
        var plan = TrainingPlan.Make(request);
        try
        {
            using var loop = new TrainingLoop(plan);
            return loop.Train();
        }
        catch (Exception e) when (ComputeDevice.IsOutOfMemory(e))
        {
            var options = plan.Options;
            var cure = plan.Request.Device.CudaIndex is not null && options.Precision == MambaPrecision.Float32
                ? "a smaller BatchSize, MaxLength or model needs less, and so does Precision = BFloat16." : "a smaller BatchSize, MaxLength or model needs less.";
            throw new OutOfMemoryException(FormattableString.Invariant(
                $"Training ran out of memory on {plan.Request.Device} (BatchSize {options.BatchSize}, sequences of up to {plan.Train.LongestLength:N0} positions); {cure} {e.Message}"), e);
        }
    }

    /// <summary>Frees what only training needs, and the networks too unless a fitted model has taken them over.</summary>
    public void Dispose()
    {
        foreach (var step in _inFlight)
        {
            step.Outcome.Dispose();
        }
        _step.Dispose();
        _best.Dispose();
        _trainee.Dispose();
        if (!_handedOver)
        {
            _trainee.Network.Dispose();
        }
    }

    private SequencePredictor Train()
    {
        _request.Info(FormattableString.Invariant(
            $"Training {_step.Weights.Sum(w => w.NumberOfElements):N0} parameters on {_plan.Train.Count:N0} sequences, {_plan.Validation?.Count ?? 0:N0} held out for validation, {_plan.StepsPerEpoch:N0} steps per epoch, on {_request.Device}{(_request.Device.CudaIndex is null ? "" : $" in {_plan.Options.Precision}")}"));
        if (_request.Device.CudaIndex is null && _plan.Options.Precision != MambaPrecision.Float32)
        {
            _request.Info($"Precision {_plan.Options.Precision} is for GPUs; the CPU computes in Float32");
        }
        if (_plan.Validation is null && _plan.Options.EarlyStoppingPatience > 0)
        {
            _request.Warning("EarlyStoppingPatience has no effect: there are no validation rows. Give a validation set or a larger ValidationFraction.");
        }
        for (var epoch = 1; epoch <= _plan.Epochs && _stoppedBecause is null; epoch++)
        {
            if (TrainEpoch(epoch) is { } breakdown)
            {
                StopAtBreakdown(breakdown);
                break;
            }
            if (EvaluateEpoch(epoch) is { } broken)
            {
                StopAtBreakdown(broken);
            }
        }
        if (_keptEpoch is null && _plan.Validation is not null && _plan.Options.RestoreBestWeights)
        {
            RestoreBest();
        }
        return Finish();
    }

    /// <summary>Takes the steps of one epoch; says what broke down, if anything did.</summary>
    private string? TrainEpoch(int epoch)
    {
        _trainee.BeginTraining();
        _meter.BeginEpoch(epoch);
        foreach (var rows in LengthBucketedBatches.Shuffled(_plan.Train, _plan.Options.BatchSize, _shuffling))
        {
            if (StepsTaken == _plan.Steps)
            {
                break;
            }
            _request.CheckAlive();
            var batch = Augment(PaddedBatch.Gather(_plan.Train, rows));
            var rate = _schedule.At(StepsTaken);
            var outcome = _step.Take(batch, rate, MayKeepWeights(epoch) ? KeepIfLowest : null);
            _inFlight.Enqueue(new StepInFlight(outcome, batch.Rows, batch.RealPositions, rate));
            if (Conclude(epoch, StepsAhead) is { } breakdown)
            {
                return breakdown;
            }
        }
        if (Conclude(epoch, 0) is { } atTheEnd)
        {
            return atTheEnd;
        }
        _meter.EndOfTraining();
        return null;
    }

    /// <summary>Accounts for the steps in flight, the oldest first, until no more than a number are left; says what broke down, if anything did.</summary>
    private string? Conclude(int epoch, int left)
    {
        while (_inFlight.Count > left)
        {
            var step = _inFlight.Dequeue();
            using var outcome = step.Outcome;
            var numbers = outcome.Read();
            if (!numbers.IsFinite)
            {
                var what = double.IsFinite(numbers.Loss) ? $"the gradient became {numbers.GradientNorm}" : $"the loss became {numbers.Loss}";
                return FormattableString.Invariant($"{what} at step {_meter.Steps + 1:N0} (epoch {epoch})");
            }
            _meter.StepDone(step.Rows, step.Positions, numbers.Loss, step.LearningRate);
            if (_request.Progress is not null && _meter.WithinEpoch() is { } progress)
            {
                _request.Progress(progress);
            }
        }
        return null;
    }

    /// <summary>Validates, reports, keeps the weights where they are the best; says what broke down, if anything did.</summary>
    private string? EvaluateEpoch(int epoch)
    {
        _trainee.BeginEvaluation();
        // Without validation rows, one batch still tells whether the weights of the last step are of any use.
        var result = _plan.Validation is { } validation
            ? Evaluate(validation, LengthBucketedBatches.ByLength(validation, EvaluationBatchSize))
            : Evaluate(_plan.Train, LengthBucketedBatches.ByLength(_plan.Train, EvaluationBatchSize)[^1..]);
        if (!double.IsFinite(result.Loss))
        {
            return FormattableString.Invariant($"the loss became {result.Loss} in the evaluation after step {_meter.Steps:N0} (epoch {epoch})");
        }
        var isBest = _plan.Validation is null || _bestEpoch.Offer(result);
        if (isBest)
        {
            _best.Take(epoch);
        }
        var progress = _meter.EndOfEpoch(_plan.Validation is null ? null : result, isBest);
        _epochs.Add(progress);
        _request.Info(ProgressMeter.Line(progress));
        _request.Progress?.Invoke(progress);
        var patience = _plan.Options.EarlyStoppingPatience;
        if (_plan.Validation is not null && patience > 0 && _bestEpoch.Since >= patience && epoch < _plan.Epochs)
        {
            _stoppedBecause = $"No better validation result in {patience} epoch{(patience == 1 ? "" : "s")} (best: epoch {_best.Epoch}).";
            _request.Info($"Stopped after epoch {epoch}: {_stoppedBecause}");
        }
        return null;
    }

    private IEnumerable<PaddedBatch> Batches(SequenceSet set)
    {
        foreach (var rows in LengthBucketedBatches.ByLength(set, EvaluationBatchSize))
        {
            _request.CheckAlive();
            yield return PaddedBatch.Gather(set, rows);
        }
    }

    private (double Loss, double Metric) Evaluate(SequenceSet set, int[][] batches)
    {
        var sum = default(Measurement);
        foreach (var batchRows in batches)
        {
            _request.CheckAlive();
            sum += _trainee.Measure(PaddedBatch.Gather(set, batchRows));
        }
        return (sum.Loss / sum.Count, _trainee.Metric(sum));
    }

    private PaddedBatch Augment(PaddedBatch batch)
    {
        var options = _plan.Options;
        if (options.ReverseComplementAugmentation)
        {
            DnaAugmentation.RandomStrands(batch, _request.Tokenizer!, _augmentation, _plan.Objective.OnOtherStrand);
        }
        if (options.MutationRate > 0)
        {
            DnaAugmentation.Mutate(batch, _request.Tokenizer!, options.MutationRate, _augmentation);
        }
        return batch.Frames is null ? batch : AugmentFrames(batch, options, _plan.Objective.PerPosition, _augmentation);
    }

    // Masks come last, so that noise and gain leave them flat.
    private static PaddedBatch AugmentFrames(PaddedBatch batch, MambaTrainingOptions options, bool labelledByPosition, Random random)
    {
        if (options.FrameStretch > 0)
        {
            batch = FrameAugmentation.Stretch(batch, options.FrameStretch, options.MaxLength, random);
            if (labelledByPosition)
            {
                batch.StretchLabels();
            }
        }
        if (options.FrameGain > 0)
        {
            FrameAugmentation.Gain(batch, options.FrameGain, random);
        }
        if (options.FrameNoise > 0)
        {
            FrameAugmentation.Noise(batch, options.FrameNoise, random);
        }
        FrameAugmentation.MaskTime(batch, options.TimeMasks, options.TimeMaskWidth, random);
        FrameAugmentation.MaskFrequency(batch, options.FrequencyMasks, options.FrequencyMaskWidth, random);
        return batch;
    }

    // Until the first epoch has been evaluated, the weights of the step with the lowest loss among a few are the best known.
    private bool MayKeepWeights(int epoch) => epoch == 1 && StepsTaken % Math.Max(1, _plan.StepsPerEpoch / SnapshotsInFirstEpoch) == 0;

    private void KeepIfLowest(double loss)
    {
        if (loss < _lowestSnapshotLoss)
        {
            _lowestSnapshotLoss = loss;
            _best.Take(0);
        }
    }

    private void StopAtBreakdown(string what)
    {
        const string Cure = "A lower LearningRate or a GradientClip usually helps; frames with very large values should be scaled first.";
        if (_best.Epoch is not { } epoch)
        {
            throw new MambaTrainingException($"Training broke down: {what}, before there were any weights worth keeping. {Cure}");
        }
        RestoreBest();
        _stoppedBecause = $"Training broke down: {what}.";
        var kept = epoch == 0 ? "weights from within epoch 1" : $"the weights of epoch {epoch}";
        _request.Warning($"{_stoppedBecause} The model keeps {kept}. {Cure}");
    }

    private void RestoreBest()
    {
        _best.Restore();
        _keptEpoch = _best.Epoch;
    }

    private SequencePredictor Finish()
    {
        var network = _trainee.Network;
        var parameters = NetworkWeights.Of(network).Sum(w => w.Tensor.NumberOfElements);
        var history = new MambaTrainingHistory(
            _epochs.AsReadOnly(), _keptEpoch ?? _epochs.Count, _stoppedBecause, _plan.Train.Count, _plan.Validation?.Count ?? 0, parameters);
        network.eval();
        var objective = _trainee.Conclude(_plan.Validation is { } validation ? Batches(validation) : []);
        _handedOver = true;
        return new SequencePredictor(_plan.Describe(history) with { Objective = objective }, network);
    }

    /// <summary>A step that a device may still be computing.</summary>
    private readonly record struct StepInFlight(StepOutcome Outcome, int Rows, long Positions, double LearningRate);
}
