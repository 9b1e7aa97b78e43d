using System.Runtime.InteropServices;
using Microsoft.ML.Mamba.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Audio;

/// <summary>
/// Samples → log-mel frames (frames, FrameWidth): short-time Fourier transform by torch.stft, mel filters, logarithm, deltas,
/// normalisation. Long clips go through the transform in parts, so that what is needed beside samples and result does not grow
/// with their length. Safe from any number of threads; nothing native is kept between calls.
/// </summary>
internal sealed class LogMelFrames
{
    /// <summary>
    /// Most numbers of a part: of its samples, or of its spectra, real and imaginary; 512 KiB. With 4 MiB the transform's own memory
    /// made the peak of an hour of sound 18 MB higher and nothing quicker.
    /// </summary>
    public const int SpectrumPerPart = 1 << 17;

    private readonly LogMelSettings _settings;
    private readonly MelFilterBank _filters;
    private readonly float[] _window;
    private readonly FrameStatistics? _dataset;
    private readonly int _framesPerPart;

    /// <param name="settings">Valid settings.</param>
    /// <param name="dataset">What was learnt of a data set; null unless the normalisation is that of the data set, and while it is being learnt.</param>
    /// <param name="framesPerPart">Frames that are transformed at once; 0: as many as suit. Results do not depend on it.</param>
    public LogMelFrames(LogMelSettings settings, FrameStatistics? dataset = null, int framesPerPart = 0)
    {
        _settings = settings;
        _dataset = dataset;
        _filters = new MelFilterBank(settings);
        _window = MakeWindow(settings);
        _framesPerPart = framesPerPart > 0 ? framesPerPart : Math.Max(1, SpectrumPerPart / Math.Max(2 * settings.Bins, settings.HopLength));
        LibTorchLoader.EnsureLoaded();
    }

    public MelFilterBank Filters => _filters;

    /// <summary>Fills the frames of a clip.</summary>
    /// <param name="samples">The clip.</param>
    /// <param name="frames">Room for <see cref="LogMelSettings.FrameCount"/> frames.</param>
    public void Compute(ReadOnlySpan<float> samples, Span<float> frames)
    {
        ComputeRaw(samples, frames);
        switch (_settings.Normalization)
        {
            case FrameNormalization.Clip or FrameNormalization.ClipMean:
                var clip = new FrameSums(_settings.FrameWidth);
                clip.Add(frames);
                clip.ToStatistics().Normalize(frames, scale: _settings.Normalization == FrameNormalization.Clip);
                break;
            case FrameNormalization.Dataset:
                _dataset?.Normalize(frames, scale: true);
                break;
        }
    }

    /// <summary>The same without normalisation, to learn it from.</summary>
    public void ComputeRaw(ReadOnlySpan<float> samples, Span<float> frames)
    {
        var count = frames.Length / _settings.FrameWidth;
        var spectrum = new float[_settings.Bins];
        float[] values = [];
        for (var first = 0; first < count; first += _framesPerPart)
        {
            var part = Math.Min(_framesPerPart, count - first);
            Transform(samples, first, part, ref values);
            for (var i = 0; i < part; i++)
            {
                Strength(values.AsSpan(i * 2 * _settings.Bins, 2 * _settings.Bins), spectrum);
                var bands = frames.Slice((first + i) * _settings.FrameWidth, _settings.MelBands);
                _filters.Apply(spectrum, bands);
                TakeLogarithm(bands);
            }
        }
        for (var order = 1; order <= _settings.Deltas; order++)
            FrameDeltas.Fill(frames, _settings.FrameWidth, from: (order - 1) * _settings.MelBands, _settings.MelBands);
    }

    /// <summary>The spectrum's strength at each frequency, |X|^Power (frames, Bins), before any filter.</summary>
    public float[] Spectrogram(ReadOnlySpan<float> samples)
    {
        var count = _settings.FrameCount(samples.Length);
        float[] values = [];
        Transform(samples, 0, count, ref values);
        var strengths = new float[count * _settings.Bins];
        for (var i = 0; i < count; i++)
            Strength(values.AsSpan(i * 2 * _settings.Bins, 2 * _settings.Bins), strengths.AsSpan(i * _settings.Bins, _settings.Bins));
        return strengths;
    }

    // Real and imaginary parts side by side, (count, Bins, 2), from the start of the values. No array is made for each part, in neither
    // direction: those of an hour of sound are hundreds of megabytes, and the collector takes large arrays rarely.
    private void Transform(ReadOnlySpan<float> samples, int first, int count, ref float[] values)
    {
        using var scope = NewDisposeScope();
        using var withoutGraph = no_grad();
        var signal = torch.empty(1, ((count - 1) * _settings.HopLength) + _settings.FftSize, dtype: ScalarType.Float32);
        FillPart(samples, first, MemoryMarshal.Cast<byte, float>(signal.bytes));
        var frames = torch.stft(
            signal, _settings.FftSize, _settings.HopLength, _settings.FftSize, torch.tensor(_window),
            center: false, normalized: false, onesided: true, return_complex: true); // (1, Bins, count)
        var numbers = frames.transpose(1, 2).view_as_real().contiguous();
        if (values.Length < numbers.NumberOfElements)
            values = new float[numbers.NumberOfElements];
        MemoryMarshal.Cast<byte, float>(numbers.bytes).CopyTo(values);
    }

    // The samples that some frames look at; beyond the ends of the clip they are mirrored at the first and the last one.
    private void FillPart(ReadOnlySpan<float> samples, int first, Span<float> part)
    {
        var start = ((long)first * _settings.HopLength) - (_settings.Center ? _settings.FftSize / 2 : 0);
        var inside = (int)Math.Max(0, -start);
        var end = (int)Math.Max(inside, Math.Min(part.Length, samples.Length - start));
        if (end > inside)
            samples[(int)(start + inside)..(int)(start + end)].CopyTo(part[inside..]);
        for (var i = 0; i < inside; i++)
            part[i] = samples[Mirrored(start + i, samples.Length)];
        for (var i = end; i < part.Length; i++)
            part[i] = samples[Mirrored(start + i, samples.Length)];
    }

    // A clip shorter than half a frame is mirrored over and over.
    private static int Mirrored(long index, int length)
    {
        if (length == 1)
            return 0;
        var period = 2L * (length - 1);
        var within = (int)(((index % period) + period) % period);
        return within < length ? within : (int)(period - within);
    }

    private void Strength(ReadOnlySpan<float> complex, Span<float> strength)
    {
        for (var i = 0; i < strength.Length; i++)
            strength[i] = (complex[2 * i] * complex[2 * i]) + (complex[(2 * i) + 1] * complex[(2 * i) + 1]);
        if (_settings.Power == 2)
            return;
        foreach (ref var value in strength)
            value = _settings.Power == 1 ? MathF.Sqrt(value) : MathF.Pow(value, (float)(_settings.Power / 2));
    }

    private void TakeLogarithm(Span<float> bands)
    {
        var floor = (float)_settings.Floor;
        var unit = _settings.Logarithm == MelLogarithm.Natural ? 1f : (float)(20 / _settings.Power / Math.Log(10));
        foreach (ref var value in bands)
            value = unit * MathF.Log(MathF.Max(value, floor));
    }

    private static float[] MakeWindow(LogMelSettings settings)
    {
        var window = new float[settings.FftSize];
        var offset = (settings.FftSize - settings.WindowLength) / 2;
        var middle = settings.Window == AudioWindow.Hann ? 0.5 : 0.54;
        for (var i = 0; i < settings.WindowLength; i++)
            window[offset + i] = (float)(middle - ((1 - middle) * Math.Cos(2 * Math.PI * i / settings.WindowLength)));
        return window;
    }
}
