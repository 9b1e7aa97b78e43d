using System.Globalization;
using Microsoft.ML.Mamba.Audio;
using Microsoft.ML.Mamba.Tests.Support;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Audio;

/// <summary>Values of torchaudio: golden/README.md, audio.</summary>
public sealed class LogMelGoldenTests
{
    [SkippableTheory]
    [InlineData("chirp_8k")]
    [InlineData("chirp_16k")]
    public void Every_tensor_of_the_golden_file_is_reproduced(string name)
    {
        using var golden = GoldenFile.Read($"audio/{name}");
        var samples = golden["waveform"].data<float>().ToArray();
        var rate = golden.Options.GetProperty("sample_rate").GetInt32();
        var checkedTensors = 0;
        foreach (var tensor in golden.Names.Where(n => n != "waveform"))
        {
            var parts = tensor.Split('.');
            using var got = Compute(parts, rate, samples);
            golden.AssertMatches(tensor, got);
            checkedTensors++;
        }

        Assert.True(checkedTensors >= 18, $"only {checkedTensors} tensors");
    }

    // n512_w400_h160.mel40_slaney_slaneynorm_20_7600.ln
    private static Tensor Compute(string[] parts, int rate, float[] samples)
    {
        int[] stft = [.. parts[0].Split('_').Select(p => int.Parse(p[1..], CultureInfo.InvariantCulture))];
        string[] mel = parts.Length == 3 ? parts[1].Split('_') : ["mel1", "htk", "nonorm", "0", $"{rate / 2}"];
        var settings = new LogMelFramesEstimator.Options
        {
            FftSize = stft[0], WindowLength = stft[1], HopLength = stft[2],
            MelBands = int.Parse(mel[0][3..], CultureInfo.InvariantCulture),
            Scale = mel[1] == "htk" ? MelScale.Htk : MelScale.Slaney,
            SlaneyNormalization = mel[2] == "slaneynorm",
            LowestFrequency = double.Parse(mel[3], CultureInfo.InvariantCulture),
            HighestFrequency = double.Parse(mel[4], CultureInfo.InvariantCulture),
            Logarithm = parts[^1] == "db" ? MelLogarithm.Decibel : MelLogarithm.Natural,
            Normalization = FrameNormalization.None,
        }.At(rate);
        var extractor = new LogMelFrames(settings);
        var frames = settings.FrameCount(samples.Length);
        if (parts[^1] == "filterbank")
            return FilterBank(settings);
        var spectra = extractor.Spectrogram(samples);
        if (parts[^1] == "power")
            return tensor(spectra, [frames, settings.Bins]).t();
        var values = new float[frames * settings.MelBands];
        if (parts[^1] == "mel")
        {
            for (var i = 0; i < frames; i++)
                extractor.Filters.Apply(spectra.AsSpan(i * settings.Bins, settings.Bins), values.AsSpan(i * settings.MelBands, settings.MelBands));
        }
        else
        {
            extractor.Compute(samples, values);
        }
        return tensor(values, [frames, settings.MelBands]).t();
    }

    private static Tensor FilterBank(LogMelSettings settings)
    {
        var filters = new MelFilterBank(settings);
        var columns = new float[settings.Bins, settings.MelBands];
        var column = new float[settings.MelBands];
        for (var bin = 0; bin < settings.Bins; bin++)
        {
            var unit = new float[settings.Bins];
            unit[bin] = 1;
            filters.Apply(unit, column);
            for (var band = 0; band < column.Length; band++)
                columns[bin, band] = column[band];
        }
        return tensor(columns).t();
    }
}
