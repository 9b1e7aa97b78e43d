using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>
/// Dropout whose masks come from a generator of its own: training neither reads nor moves torch's global generator, and the same
/// seed gives the same masks. Shared by all places of one model, in the order in which they are reached.
/// </summary>
internal sealed class Dropout : IDisposable
{
    private readonly double _probability;
    private readonly Generator _generator;

    /// <param name="probability">Chance of a value to be dropped, from 0 to below 1. The others are scaled by 1/(1 - probability).</param>
    /// <param name="seed">Seed of the masks.</param>
    public Dropout(double probability, int seed)
    {
        if (!(probability >= 0 && probability < 1))
            throw new ArgumentOutOfRangeException(nameof(probability), probability, "Dropout: expected a probability from 0 to below 1.");
        _probability = probability;
        _generator = new Generator(unchecked((ulong)seed), CPU);
    }

    /// <summary>Starts the sequence of masks again.</summary>
    public void Reseed(int seed) => _generator.manual_seed(seed);

    /// <summary>Drops values of x while training; returns x itself otherwise.</summary>
    public Tensor Apply(Tensor x, bool training)
    {
        if (!training || _probability == 0)
            return x;
        using var scope = NewDisposeScope();
        var mask = rand(x.shape, dtype: x.dtype, generator: _generator).ge_(_probability).mul_(1 / (1 - _probability));
        return (x * mask.to(x.device)).MoveToOuterDisposeScope();
    }

    public void Dispose() => _generator.Dispose();
}
