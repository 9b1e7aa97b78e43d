using System.Runtime.InteropServices;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Ops;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Generation;

/// <summary>
/// Scores of what follows each of a batch of sequences, token after token: by steps that were prepared for the state where there are
/// kernels for them, else from op to op. Of the scores only what is asked for leaves the device.
/// </summary>
internal sealed class NextScores : IDisposable
{
    private readonly MambaForCausalLM _network;
    private readonly MambaState _state;
    private readonly TokenSteps? _steps;
    private Tensor? _scores;

    /// <param name="network">The model, in evaluation mode.</param>
    /// <param name="state">State of the sequences so far; owned from now on.</param>
    public NextScores(MambaForCausalLM network, MambaState state) => (_network, _state, _steps) = (network, state, network.PrepareSteps(state));

    /// <summary>Appends an id to each sequence.</summary>
    public void Advance(ReadOnlySpan<int> ids)
    {
        _scores?.Dispose();
        _scores = null;
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var scores = _steps is not null
            ? _network.Backbone.Advance(_steps, ids, _state)
            : _network.Step(tensor(ids.ToArray(), dtype: int64).MovedTo(_network.Backbone.Device), _state);
        _scores = scores.DetachFromDisposeScope();
    }

    /// <summary>The largest score of each sequence with its id, the first among equals.</summary>
    public (float Score, int Id)[] Largest() => LargestScores.Of(_scores!);

    /// <summary>All scores, sequence after sequence.</summary>
    public void CopyTo(Span<float> scores)
    {
        using var own = _scores!.cpu();
        MemoryMarshal.Cast<byte, float>(own.bytes).CopyTo(scores);
    }

    /// <summary>Goes on with some of the sequences, in the given order, whose scores have to be asked for anew; this is over.</summary>
    public NextScores Rows(int[] rows)
    {
        using (this)
            return new NextScores(_network, _state.Rows(rows));
    }

    public void Dispose()
    {
        _steps?.Dispose();
        _scores?.Dispose();
        _state.Dispose();
    }
}
