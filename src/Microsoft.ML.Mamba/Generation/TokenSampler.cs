using System.Numerics.Tensors;

namespace Microsoft.ML.Mamba.Generation;

/// <summary>Chooses the next token of one sequence from raw scores, in the order: repetition penalty, temperature, top-k, top-p.</summary>
internal sealed class TokenSampler
{
    private readonly MambaGenerationOptions _options;
    private readonly Random _random;
    private readonly bool[] _seen;
    private readonly double[] _probabilities;
    private readonly List<int> _candidates = [];

    /// <param name="options">Valid settings.</param>
    /// <param name="vocabSize">Number of scores.</param>
    /// <param name="random">The sequence's own generator, moved once per drawn token.</param>
    public TokenSampler(MambaGenerationOptions options, int vocabSize, Random random)
    {
        _options = options;
        _random = random;
        _seen = new bool[vocabSize];
        _probabilities = new double[options.Temperature > 0 ? vocabSize : 0];
    }

    /// <summary>Whether the next token is chosen from all scores; else it is the one with the largest.</summary>
    public static bool NeedsAllScores(MambaGenerationOptions options) => options.Temperature > 0 || options.RepetitionPenalty != 1;

    /// <summary>The id of the largest score, which must be a number.</summary>
    /// <exception cref="InvalidOperationException">It is not, or infinite.</exception>
    public static int Checked(int id, float score) => score < float.PositiveInfinity
        ? id
        : throw new InvalidOperationException($"The model's score of id {id} is {score}; the checkpoint's weights are damaged or not finite.");

    /// <summary>Counts an id as part of the sequence, for the repetition penalty.</summary>
    public void Saw(int id) => _seen[id] = true;

    /// <summary>The next id.</summary>
    /// <param name="scores">Raw scores, one per id; changed.</param>
    /// <exception cref="InvalidOperationException">A score is not a number, or infinite.</exception>
    public int Next(Span<float> scores)
    {
        var best = Penalise(scores);
        if (_options.Temperature == 0)
            return best;
        ToProbabilities(scores, scores[best]);
        KeepTopK();
        KeepTopP();
        return Draw();
    }

    /// <summary>Applies the penalty and finds the largest score, the first among equals.</summary>
    private int Penalise(Span<float> scores)
    {
        var penalty = (float)_options.RepetitionPenalty;
        for (var id = 0; id < scores.Length && penalty != 1; id++)
        {
            if (_seen[id])
                scores[id] = scores[id] > 0 ? scores[id] / penalty : scores[id] * penalty;
        }

        var best = TensorPrimitives.IndexOfMax(scores); // that of a NaN, where there is one
        return Checked(best, scores[best]);
    }

    private void ToProbabilities(ReadOnlySpan<float> scores, float largest)
    {
        var sum = 0.0;
        for (var id = 0; id < scores.Length; id++)
            sum += _probabilities[id] = Math.Exp(((double)scores[id] - largest) / _options.Temperature);
        _candidates.Clear();
        for (var id = 0; id < scores.Length; id++)
        {
            _probabilities[id] /= sum;
            if (_probabilities[id] > 0)
                _candidates.Add(id);
        }
    }

    private void KeepTopK()
    {
        if (_options.TopK == 0 || _options.TopK >= _candidates.Count)
            return;
        var largest = new PriorityQueue<int, double>(_options.TopK + 1);
        foreach (var id in _candidates)
        {
            if (largest.Count < _options.TopK)
                largest.Enqueue(id, _probabilities[id]);
            else
                largest.EnqueueDequeue(id, _probabilities[id]);
        }

        largest.TryPeek(out _, out var least);
        _candidates.RemoveAll(id => _probabilities[id] < least);
    }

    /// <summary>Keeps the smallest set of likeliest candidates with a share of TopP of what is left.</summary>
    private void KeepTopP()
    {
        if (_options.TopP >= 1)
            return;
        var total = Total();

        // All that are less likely than this do not make up the rest together, so none of them is needed; sorting the others is cheap.
        var negligible = (1 - _options.TopP) * total / _candidates.Count;
        _candidates.RemoveAll(id => _probabilities[id] < negligible);
        _candidates.Sort((a, b) => _probabilities[a] != _probabilities[b] ? _probabilities[b].CompareTo(_probabilities[a]) : a.CompareTo(b));
        var (count, sum) = (0, 0.0);
        while (count < _candidates.Count && sum < _options.TopP * total)
            sum += _probabilities[_candidates[count++]];
        _candidates.RemoveRange(count, _candidates.Count - count);
    }

    private int Draw()
    {
        var left = _random.NextDouble() * Total();
        foreach (var id in _candidates)
        {
            left -= _probabilities[id];
            if (left < 0)
                return id;
        }

        return _candidates[^1]; // rounding
    }

    private double Total()
    {
        var total = 0.0;
        foreach (var id in _candidates)
            total += _probabilities[id];
        return total;
    }
}
