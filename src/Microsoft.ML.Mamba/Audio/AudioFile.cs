using System.Collections.Concurrent;

namespace Microsoft.ML.Mamba.Audio;

/// <summary>Gives room for the samples of a file: as many as it is told.</summary>
internal delegate Span<float> RoomForSamples(int count);

/// <summary>Audio files as samples of one channel at one rate. Safe from any number of threads.</summary>
internal sealed class AudioFile
{
    /// <summary>Files of the same source have few rates; a folder of all rates should not fill the memory with filters.</summary>
    private const int MostFilters = 8;

    private readonly ConcurrentDictionary<(int From, int To), ResamplingFilter> _filters = new();

    /// <summary>The rate that a file has, Hz; its samples are not read.</summary>
    public static int SampleRateOf(string path)
    {
        using var reader = WaveReader.Open(path);
        return reader.Format.SampleRate;
    }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="sampleRate">The rate that its samples shall have, Hz.</param>
    /// <param name="resample">Whether another rate is converted; otherwise it is an error.</param>
    /// <param name="room">Called once, after the file's claims were checked against its length.</param>
    /// <exception cref="MambaAudioException">The file cannot be read.</exception>
    public void Read(string path, int sampleRate, bool resample, RoomForSamples room)
    {
        using var reader = WaveReader.Open(path);
        Read(reader, path, sampleRate, resample, room);
    }

    /// <summary>The same of a file that is open.</summary>
    public void Read(WaveReader reader, string path, int sampleRate, bool resample, RoomForSamples room)
    {
        var from = reader.Format.SampleRate;
        if (from == sampleRate)
        {
            reader.Read(room(Count(reader.Frames, path)));
            return;
        }
        if (!resample)
            throw new MambaAudioException(path, $"the file has {from} Hz; expected {sampleRate} Hz as in the file that Fit saw first. Set sampleRate, so that files of other rates are converted.");
        var filter = Filter(from, sampleRate, path);
        Resampler.Read(reader, filter, room(Count(filter.OutputLength(reader.Frames), path)));
    }

    private ResamplingFilter Filter(int from, int to, string path)
    {
        if (_filters.TryGetValue((from, to), out var filter))
            return filter;
        filter = ResamplingFilter.Between(from, to, path);
        if (_filters.Count < MostFilters)
            _filters.TryAdd((from, to), filter);
        return filter;
    }

    private static int Count(long samples, string path) => samples <= Array.MaxLength
        ? (int)samples
        : throw new MambaAudioException(path, $"the file makes {samples} samples; a vector holds at most {Array.MaxLength}. Cut the file into parts.");
}
