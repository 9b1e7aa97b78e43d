using System.Runtime.InteropServices;
using Microsoft.ML.Mamba.Pipeline;
using Microsoft.ML.Mamba.Training;

namespace Microsoft.ML.Mamba;

/// <summary>
/// Labels one sequence while it comes in, by <see cref="MambaTaggingTransformer.CreateStream"/>. What was read before is kept as a state of
/// constant size. After each push, <see cref="PredictedLabels"/> and <see cref="Scores"/> hold what the positions of that push got. For one
/// thread at a time.
/// </summary>
public sealed class MambaTagStream : IDisposable
{
    private readonly PredictorStream _stream;
    private readonly SequenceEncoding _encoding;
    private readonly bool _byWord;
    private readonly CoarseLabels.Sums? _sums;
    private readonly List<int> _ids = [];
    private float[] _scores = [];
    private int[] _labels = [];
    private char? _highSurrogate;
    private bool _insideWord;

    internal MambaTagStream(PredictorStream stream, SequenceEncoding encoding, TaggingOutputs outputs)
    {
        (_stream, _encoding, _byWord) = (stream, encoding, outputs.ByWord);
        _sums = outputs.Coarse is { } coarse ? new(coarse) : null;
        Labels = Array.AsReadOnly(outputs.Labels);
    }

    /// <summary>The labels; <see cref="PredictedLabels"/> and the columns of <see cref="Scores"/> count in their order, from 0.</summary>
    public IReadOnlyList<string> Labels { get; }

    /// <summary>Values per frame; 0 for models of ids or text.</summary>
    public int FrameWidth => _encoding.FrameWidth;

    /// <summary>Positions read since the beginning, or since <see cref="Reset"/>.</summary>
    public long Position => _stream.Position;

    /// <summary>Positions (of models of words: words) that the last push labelled.</summary>
    public int Count { get; private set; }

    /// <summary>The index in <see cref="Labels"/> of the most probable label of each of them. Valid until the next push.</summary>
    public ReadOnlySpan<int> PredictedLabels => _labels.AsSpan(0, Count);

    /// <summary>The probability of each label, position after position. Valid until the next push.</summary>
    public ReadOnlySpan<float> Scores => _scores.AsSpan(0, Count * Labels.Count);

    /// <summary>Reads the next frames.</summary>
    /// <param name="frames">Frames of <see cref="FrameWidth"/> values, one after the other; any number of them.</param>
    /// <returns>How many positions were labelled: the number of frames.</returns>
    /// <exception cref="InvalidOperationException">The model reads no frames, a value is not finite, or the last frame is ragged.</exception>
    /// <exception cref="ObjectDisposedException">The stream or its model was disposed.</exception>
    public int Push(ReadOnlySpan<float> frames)
    {
        Check(_encoding.IsFrames, "frames");
        Count = 0;
        return Take(Reported(_stream.Push(frames)));
    }

    /// <summary>Reads the next ids: keys, integers, or what the model's tokenizer makes of text.</summary>
    /// <param name="ids">The ids; any number of them.</param>
    /// <returns>How many positions were labelled: the number of ids.</returns>
    /// <exception cref="InvalidOperationException">The model reads no ids, an id is outside its vocabulary, or it labels words, which ids do not tell.</exception>
    /// <exception cref="ObjectDisposedException">The stream or its model was disposed.</exception>
    public int Push(ReadOnlySpan<int> ids)
    {
        Check(!_encoding.IsFrames && !_byWord, "ids");
        Count = 0;
        return Take(Reported(_stream.Push(ids)));
    }

    /// <summary>
    /// Reads the next characters. A character may come in two halves (surrogates), and a word in any number of parts. Only for models
    /// whose tokenizer reads letter by letter: <see cref="SequenceTokenizer.Bytes"/> and <see cref="SequenceTokenizer.Dna"/>.
    /// </summary>
    /// <param name="text">The characters; any number of them.</param>
    /// <returns>How many positions, or beginnings of words, were labelled.</returns>
    /// <exception cref="InvalidOperationException">The model reads no text, or its tokenizer makes tokens of several letters.</exception>
    /// <exception cref="SequenceTokenizationException">A character has no id; nothing was read.</exception>
    /// <exception cref="ObjectDisposedException">The stream or its model was disposed.</exception>
    public int Push(ReadOnlySpan<char> text)
    {
        Check(_encoding.Tokenizer is not null, "text");
        if (_encoding.Tokenizer is not { ReadsLetterByLetter: true } tokenizer)
            throw new InvalidOperationException(
                $"Push: the tokenizer '{_encoding.Tokenizer!.Name}' makes tokens of several letters, so what comes next may change the last one. Push ids, or train with SequenceTokenizer.Bytes or Dna.");
        Count = 0;
        string whole = _highSurrogate is { } high ? string.Concat([high], text) : text.ToString();
        _highSurrogate = whole.Length > 0 && char.IsHighSurrogate(whole[^1]) ? whole[^1] : null;
        var complete = whole.AsSpan(0, whole.Length - (_highSurrogate is null ? 0 : 1));
        _ids.Clear();
        tokenizer.Encode(complete, _ids);
        var scores = Reported(_stream.Push(CollectionsMarshal.AsSpan(_ids)));
        return _byWord ? TakeWords(scores, complete, tokenizer) : Take(scores);
    }

    /// <summary>Forgets what was read: the next push begins another sequence.</summary>
    public void Reset()
    {
        _stream.Reset();
        (_highSurrogate, _insideWord, Count) = (null, false, 0);
    }

    /// <summary>Frees the state; the model stays.</summary>
    public void Dispose() => _stream.Dispose();

    // The probabilities of the labels that are reported.
    private ReadOnlySpan<float> Reported(ReadOnlySpan<float> scores) => _sums is null ? scores : _sums.Of(scores);

    private int TakeWords(ReadOnlySpan<float> scores, ReadOnlySpan<char> text, SequenceTokenizer tokenizer)
    {
        var at = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            var isSpace = System.Text.Rune.IsWhiteSpace(rune);
            if (!isSpace && !_insideWord)
                Take(scores.Slice(at * Labels.Count, Labels.Count), Count);
            _insideWord = !isSpace;
            at += tokenizer.TokensOf(rune);
        }
        return Count;
    }

    private int Take(ReadOnlySpan<float> scores, int after = 0)
    {
        var classes = Labels.Count;
        var count = after + (scores.Length / classes);
        if (_labels.Length < count)
        {
            Array.Resize(ref _labels, Math.Max(count, 2 * _labels.Length));
            Array.Resize(ref _scores, _labels.Length * classes);
        }
        scores.CopyTo(_scores.AsSpan(after * classes));
        for (var i = after; i < count; i++)
            _labels[i] = MulticlassObjective.IndexOfLargest(_scores.AsSpan(i * classes, classes));
        return Count = count;
    }

    private void Check(bool fits, string what)
    {
        if (!fits)
            throw new InvalidOperationException($"Push: {what} {(what == "ids" && _byWord ? "do not tell where words begin; push text." : $"were pushed, but the model reads {(_encoding.IsFrames ? "frames" : _encoding.Tokenizer is null ? "ids" : "text or its ids")}.")}");
    }
}
