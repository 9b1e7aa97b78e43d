using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>The samples of WAV files, each read once.</summary>
internal sealed class Recordings(MLContext ml, string folder, int sampleRate)
{
    private readonly Dictionary<string, float[]> _samples = [];

    public int SampleRate => sampleRate;

    public float[] this[string file] => _samples[file];

    public Recordings Read(IEnumerable<string> files)
    {
        string[] missing = [.. files.Distinct().Where(file => !_samples.ContainsKey(file))];
        IDataView paths = ml.Data.LoadFromEnumerable(missing.Select(file => new File { Path = file }));
        IDataView loaded = ml.Transforms.LoadAudio("Samples", "Path", folder, sampleRate).Fit(paths).Transform(paths);
        foreach (var (file, samples) in missing.Zip(loaded.GetColumn<float[]>("Samples")))
            _samples[file] = samples;
        return this;
    }

    /// <summary>Log-mel frames of a column of samples, in a column that trainers read.</summary>
    public IEstimator<ITransformer> Frames() => Frames(new LogMelFramesEstimator.Options());

    /// <param name="options">All but the columns and the sample rate.</param>
    public IEstimator<ITransformer> Frames(LogMelFramesEstimator.Options options)
    {
        (options.OutputColumnName, options.InputColumnName, options.SampleRate) = ("Sequence", nameof(Clip.Samples), sampleRate);
        return ml.Transforms.LogMelFrames(options);
    }

    private sealed class File
    {
        public string Path { get; set; } = "";
    }
}

/// <summary>A recording with its label, tags or events.</summary>
internal sealed class Clip
{
    public float[] Samples { get; set; } = [];

    public string Label { get; set; } = "";
}
