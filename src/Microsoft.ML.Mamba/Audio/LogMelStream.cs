namespace Microsoft.ML.Mamba.Audio;

/// <summary>
/// Log-mel frames of a recording while it comes in: each frame as soon as all the samples that it looks at are there. The same numbers as
/// for the whole recording. Without deltas, which look at frames that are not there yet, and without normalisation by the clip.
/// </summary>
internal sealed class LogMelStream
{
    private readonly LogMelSettings _settings;
    private readonly FrameStatistics? _statistics;
    private readonly LogMelFrames _inner;
    private readonly int _mirrored;
    private float[] _pending = [];
    private float[] _frames = [];
    private int _count;
    private bool _begun;

    /// <exception cref="InvalidOperationException">The settings ask for what only a whole recording tells.</exception>
    public LogMelStream(LogMelSettings settings, FrameStatistics? statistics)
    {
        if (settings.Deltas > 0 || settings.Normalization is not (FrameNormalization.None or FrameNormalization.Dataset))
            throw new InvalidOperationException(
                $"LogMelFrames.CreateStream: Deltas is {settings.Deltas} and Normalization is {settings.Normalization}; expected 0, and None or Dataset: the others look at what has not come yet.");
        if (settings.FftSize % 2 != 0 || settings.HopLength >= settings.FftSize / 2)
            throw new InvalidOperationException($"LogMelFrames.CreateStream: FftSize is {settings.FftSize} and HopLength is {settings.HopLength}; expected an even size of more than two hops.");
        (_settings, _statistics) = (settings, statistics);
        // Mirrored samples at the ends are put in here.
        _inner = new LogMelFrames(settings with { Center = false }, statistics);
        _mirrored = settings.Center ? settings.FftSize / 2 : 0;
        _begun = _mirrored == 0;
    }

    /// <summary>Takes the next samples.</summary>
    /// <returns>The frames that are complete with them; valid until the next call.</returns>
    public ReadOnlySpan<float> Push(ReadOnlySpan<float> samples)
    {
        Append(samples);
        if (!_begun)
        {
            if (_count <= _mirrored)
                return [];
            Begin();
        }
        return Complete();
    }

    /// <summary>The frames at the end, which look beyond it; then everything is forgotten.</summary>
    public ReadOnlySpan<float> Finish()
    {
        if (!_begun && _count > 0)
        {
            // Shorter than half a frame: the recording is as good as whole.
            _frames = new float[_settings.FrameCount(_count) * _settings.FrameWidth];
            new LogMelFrames(_settings, _statistics).Compute(_pending.AsSpan(0, _count), _frames);
            Forget();
            return _frames;
        }
        if (_begun && _mirrored > 0)
        {
            var end = new float[_mirrored];
            for (var i = 0; i < end.Length; i++)
                end[i] = _pending[_count - 2 - i];
            Append(end);
        }
        var frames = Complete();
        Forget();
        return frames;
    }

    private void Begin()
    {
        var start = new float[_mirrored];
        for (var i = 0; i < start.Length; i++)
            start[i] = _pending[_mirrored - i];
        var samples = _pending.AsSpan(0, _count).ToArray();
        _count = 0;
        Append(start);
        Append(samples);
        _begun = true;
    }

    private ReadOnlySpan<float> Complete()
    {
        var count = _count < _settings.FftSize ? 0 : 1 + ((_count - _settings.FftSize) / _settings.HopLength);
        if (_frames.Length < count * _settings.FrameWidth)
            _frames = new float[count * _settings.FrameWidth];
        var frames = _frames.AsSpan(0, count * _settings.FrameWidth);
        if (count == 0)
            return frames;
        _inner.Compute(_pending.AsSpan(0, _count), frames);
        // Half a frame of the past stays, because the end may mirror it.
        var used = Math.Min(count * _settings.HopLength, _count);
        _pending.AsSpan(used, _count - used).CopyTo(_pending);
        _count -= used;
        return frames;
    }

    private void Append(ReadOnlySpan<float> samples)
    {
        if (_pending.Length < _count + samples.Length)
            Array.Resize(ref _pending, Math.Max(_count + samples.Length, 2 * _pending.Length));
        samples.CopyTo(_pending.AsSpan(_count));
        _count += samples.Length;
    }

    private void Forget()
    {
        _count = 0;
        _begun = _mirrored == 0;
    }
}
