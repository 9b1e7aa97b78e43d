using Microsoft.ML.Mamba.Ops;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>
/// Dropout for all places of one model: each application takes the next of a sequence of keys that the seed fixes. Training
/// neither reads nor moves torch's global generator.
/// </summary>
internal sealed class DropoutSource
{
    private readonly double _probability;
    private Random _keys;

    /// <param name="probability">Chance of a value to be dropped, from 0 to below 1. The others are scaled by 1/(1 - probability).</param>
    /// <param name="seed">Seed of the masks.</param>
    public DropoutSource(double probability, int seed)
    {
        if (!(probability >= 0 && probability < 1))
            throw new ArgumentOutOfRangeException(nameof(probability), probability, "Dropout: expected a probability from 0 to below 1.");
        _probability = probability;
        _keys = new Random(seed);
    }

    /// <summary>For a model that is not to be trained.</summary>
    public static DropoutSource None() => new(0, seed: 0);

    /// <summary>Starts the sequence of masks again.</summary>
    public void Reseed(int seed) => _keys = new Random(seed);

    /// <summary>Drops values of x while training; returns x itself otherwise.</summary>
    public Tensor Apply(Tensor x, bool training) =>
        training && _probability > 0 ? CounterDropout.Apply(x, _probability, (ulong)_keys.NextInt64()) : x;
}
