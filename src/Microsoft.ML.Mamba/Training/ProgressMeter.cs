namespace Microsoft.ML.Mamba.Training;

/// <summary>Measures the speed of a run and turns its state into progress records and log lines.</summary>
internal sealed class ProgressMeter(TrainingPlan plan)
{
    private static readonly TimeSpan ReportInterval = TimeSpan.FromSeconds(0.5);

    private readonly TimeProvider _clock = plan.Request.Clock;
    private readonly long _begin = plan.Request.Clock.GetTimestamp();
    private long _epochBegin;
    private TimeSpan? _epochTraining;
    private TimeSpan _lastReport;
    private int _epoch;
    private long _sequences;
    private long _positions;
    private double _lossSum;
    private double _learningRate;

    /// <summary>Steps done in all epochs.</summary>
    internal long Steps { get; private set; }

    /// <summary>The mean training loss per row in this epoch.</summary>
    internal double TrainingLoss => _lossSum / _sequences;

    internal void BeginEpoch(int epoch)
    {
        _epoch = epoch;
        (_sequences, _positions, _lossSum) = (0, 0, 0);
        (_epochBegin, _epochTraining) = (_clock.GetTimestamp(), null);
    }

    internal void StepDone(int sequences, long positions, double loss, double learningRate)
    {
        Steps++;
        _sequences += sequences;
        _positions += positions;
        _lossSum += loss * sequences;
        _learningRate = learningRate;
    }

    /// <summary>A record within an epoch, or null when the last one is too recent.</summary>
    internal MambaTrainingProgress? WithinEpoch()
    {
        if (_clock.GetElapsedTime(_begin) - _lastReport < ReportInterval)
        {
            return null;
        }
        return Record(null, false, false);
    }

    /// <summary>Training of the epoch is over; what follows (validation) does not count into its speed.</summary>
    internal void EndOfTraining() => _epochTraining = _clock.GetElapsedTime(_epochBegin);

    internal MambaTrainingProgress EndOfEpoch((double Loss, double Metric)? validation, bool isBest) => Record(validation, isBest, true);

    /// <summary>One line for people, as <c>Epoch 3/20  loss 0.3512  validation accuracy 94.1 %  (best)  1,234 sequences/s  12 s left</c>.</summary>
    internal static string Line(MambaTrainingProgress p)
    {
        var validation = p.ValidationMetric is not { } metric ? ""
            : p.MetricName == "accuracy" ? FormattableString.Invariant($"  validation accuracy {metric * 100:F1} %")
            : FormattableString.Invariant($"  validation {p.MetricName} {metric:G4}");
        var best = p.IsBest && p.ValidationMetric is not null ? "  (best)" : "";
        return FormattableString.Invariant(
            $"Epoch {p.Epoch}/{p.Epochs}  loss {p.TrainingLoss:F4}{validation}{best}  {p.SequencesPerSecond:N0} sequences/s  {TimeLeft(p.EstimatedTimeLeft)} left");
    }

    private static string TimeLeft(TimeSpan time) => time.TotalSeconds < 100
        ? FormattableString.Invariant($"{Math.Ceiling(time.TotalSeconds):F0} s")
        : time.TotalMinutes < 100
            ? FormattableString.Invariant($"{time.TotalMinutes:F0} min")
            : FormattableString.Invariant($"{time.TotalHours:F1} h");

    private MambaTrainingProgress Record((double Loss, double Metric)? validation, bool isBest, bool completed)
    {
        _lastReport = _clock.GetElapsedTime(_begin);
        var seconds = Math.Max((_epochTraining ?? _clock.GetElapsedTime(_epochBegin)).TotalSeconds, 1e-9);
        var left = Steps == 0 ? TimeSpan.Zero : _lastReport * ((double)(plan.Steps - Steps) / Steps);
        return new MambaTrainingProgress(
            _epoch,
            plan.Epochs,
            Steps,
            plan.Steps,
            TrainingLoss,
            validation?.Loss,
            validation is null ? null : plan.Objective.MetricName(plan.Train.Kind),
            validation?.Metric,
            _sequences / seconds,
            _positions / seconds,
            _learningRate,
            _lastReport,
            left,
            isBest,
            completed);
    }
}
