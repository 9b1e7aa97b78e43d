using Microsoft.ML.Mamba.Audio;

namespace Microsoft.ML.Mamba;

/// <summary>
/// Makes log-mel frames of a recording while it comes in, by <see cref="LogMelFramesTransformer.CreateStream"/>: the same numbers as
/// for the whole recording, half a window later than the sound. What they are pushed to may be a <see cref="MambaTagStream"/>. For one
/// thread at a time.
/// </summary>
public sealed class MambaFrameStream
{
    private readonly LogMelStream _stream;

    internal MambaFrameStream(LogMelStream stream, int frameWidth) => (_stream, FrameWidth) = (stream, frameWidth);

    /// <summary>Values per frame.</summary>
    public int FrameWidth { get; }

    /// <summary>Takes the next samples.</summary>
    /// <param name="samples">Samples of one channel at the transform's rate; any number of them.</param>
    /// <returns>The frames that are complete with them, one after the other; perhaps none. Valid until the next call.</returns>
    public ReadOnlySpan<float> Push(ReadOnlySpan<float> samples) => _stream.Push(samples);

    /// <summary>The frames at the end of the recording, which look beyond it. The next push begins another recording.</summary>
    /// <returns>The frames; valid until the next call.</returns>
    public ReadOnlySpan<float> Finish() => _stream.Finish();
}
