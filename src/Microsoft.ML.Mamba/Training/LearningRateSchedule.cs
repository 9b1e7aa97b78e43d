namespace Microsoft.ML.Mamba.Training;

/// <summary>
/// Linear warm-up, then half a cosine: over the first W steps the rate rises as (step + 1) / W · peak, over the others it falls
/// from peak to peak · ratio, which the last step reaches.
/// </summary>
internal sealed class LearningRateSchedule
{
    private readonly double _peak;
    private readonly double _floor;
    private readonly long _warmup;
    private readonly long _steps;

    internal LearningRateSchedule(double peak, double minRatio, double warmupRatio, long steps)
    {
        _peak = peak;
        _floor = peak * minRatio;
        _steps = steps;
        _warmup = (long)Math.Round(steps * warmupRatio);
    }

    /// <param name="step">Steps done before this one.</param>
    internal double At(long step)
    {
        if (step < _warmup)
        {
            return _peak * (step + 1) / _warmup;
        }
        var decaySteps = _steps - 1 - _warmup;
        var progress = decaySteps <= 0 ? 0 : Math.Min(1, (double)(step - _warmup) / decaySteps);
        return _floor + ((_peak - _floor) * 0.5 * (1 + Math.Cos(Math.PI * progress)));
    }
}
