using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Training;

/// <summary>
/// One sequence that a causal tagger reads as it comes, with its state carried over from push to push: constant memory, whatever the
/// length. For one thread at a time.
/// </summary>
internal sealed class PredictorStream : IDisposable
{
    /// <summary>Positions up to which steps, one kernel call each, are quicker than all positions together, which go from op to op.</summary>
    private const int MostSteps = 6;

    private readonly ModelDescription _description;
    private readonly MambaForSequenceTagging _network;
    private readonly ForwardLease _lease;
    private MambaState? _state;
    private float[] _scores = [];
    private bool _disposed;

    internal PredictorStream(ModelDescription description, MambaForSequenceTagging network, ForwardLease lease)
    {
        (_description, _network, _lease) = (description, network, lease);
    }

    /// <summary>Positions read so far.</summary>
    internal long Position => _state?.Position ?? 0;

    /// <summary>Reads the next ids.</summary>
    /// <returns>The probabilities at each of them, valid until the next push.</returns>
    /// <exception cref="InvalidOperationException">An id is outside the vocabulary.</exception>
    internal ReadOnlySpan<float> Push(ReadOnlySpan<int> ids)
    {
        for (var i = 0; i < ids.Length; i++)
        {
            if ((uint)ids[i] >= (uint)_description.Config.VocabSize)
            {
                throw new InvalidOperationException($"Push: the id at index {i} is {ids[i]}; the model knows ids 0 to {_description.Config.VocabSize - 1}.");
            }
        }
        return Push(ids, 1, static (piece, count) => SequenceInput.FromIds(piece.ToArray(), 1, count, [count]));
    }

    /// <summary>Reads the next frames, one after the other.</summary>
    /// <returns>The probabilities at each of them, valid until the next push.</returns>
    /// <exception cref="InvalidOperationException">A value is not finite, or the last frame is ragged.</exception>
    internal ReadOnlySpan<float> Push(ReadOnlySpan<float> frames)
    {
        var width = _description.Config.FrameWidth;
        if (frames.Length % width != 0)
        {
            throw new InvalidOperationException($"Push: {frames.Length} values are no whole number of frames of {width}.");
        }
        for (var i = 0; i < frames.Length; i++)
        {
            if (!float.IsFinite(frames[i]))
            {
                throw new InvalidOperationException(FormattableString.Invariant($"Push: frame {i / width} holds {frames[i]} at index {i % width}; frames must be finite."));
            }
        }
        return Push(frames, width, (piece, count) => SequenceInput.FromFrames(piece.ToArray(), 1, count, width, [count]));
    }

    /// <summary>Forgets everything: the next push begins another sequence.</summary>
    internal void Reset()
    {
        _state?.Dispose();
        _state = null;
    }

    public void Dispose()
    {
        _disposed = true;
        Reset();
    }

    private delegate SequenceInput InputOf<T>(ReadOnlySpan<T> piece, int count);

    private ReadOnlySpan<float> Push<T>(ReadOnlySpan<T> content, int width, InputOf<T> inputOf)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        using var use = _lease.Enter();
        var (positions, classes) = (content.Length / width, _description.OutputCount);
        if (_scores.Length < positions * classes)
        {
            _scores = new float[positions * classes];
        }
        for (var start = 0; start < positions; start += SequencePieces.Length)
        {
            var count = Math.Min(SequencePieces.Length, positions - start);
            Score(inputOf(content.Slice(start * width, count * width), count), _scores.AsSpan(start * classes, count * classes));
        }
        var scores = _scores.AsSpan(0, positions * classes);
        _description.Objective.ToScores(scores, classes);
        return scores;
    }

    private void Score(SequenceInput content, Span<float> scores)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var input = content.MovedTo(_network.Backbone.Device);
        _state ??= _network.Backbone.NewState(1);
        if (input.Length > (_network.Backbone.StepsInOneCall ? MostSteps : 1))
        {
            _network.Forward(input, _state).ToArray().CopyTo(scores);
            return;
        }
        var classes = _description.OutputCount;
        for (var t = 0; t < input.Length; t++)
        {
            using var position = (input.Ids ?? input.Frames!).select(1, t);
            using var given = _network.Step(position, _state);
            given.ToArray().CopyTo(scores.Slice(t * classes, classes));
        }
    }
}
