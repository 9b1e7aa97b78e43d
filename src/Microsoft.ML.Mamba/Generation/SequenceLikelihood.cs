using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Ops;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Generation;

/// <summary>The log-likelihood of a sequence, piece by piece: memory does not grow with its length.</summary>
internal static class SequenceLikelihood
{
    /// <summary>Scores held at once: 16 MB. A vocabulary of 50,000 makes that 80 positions.</summary>
    private const int MostScores = 1 << 22;

    private const int MostPositions = 2048;

    public static MambaLikelihood Of(MambaForCausalLM network, int[] ids, CancellationToken cancellation)
    {
        using var noGradient = no_grad();
        using var state = network.Backbone.NewState(1);
        var pieceLength = Math.Clamp(MostScores / network.Backbone.Config.VocabSize, 1, MostPositions);
        var sum = 0.0;
        for (var start = 0; start < ids.Length - 1; start += pieceLength)
        {
            cancellation.ThrowIfCancellationRequested();
            var end = Math.Min(start + pieceLength, ids.Length - 1);
            sum += OfPiece(network, state, ids[start..end], ids[(start + 1)..(end + 1)]);
        }

        return new MambaLikelihood(sum, Math.Max(0, ids.Length - 1));
    }

    private static double OfPiece(MambaForCausalLM network, MambaState state, int[] ids, int[] next)
    {
        using var scope = NewDisposeScope();
        using var input = SequenceInput.FromIds(ids, 1, ids.Length, [ids.Length]).MovedTo(network.Backbone.Device);
        var scores = network.Forward(input, state).squeeze(0);                                              // (l, VocabSize)
        var targets = tensor(Array.ConvertAll(next, id => (long)id)).MovedTo(scores.device).unsqueeze(1);                        // (l, 1)
        var logs = nn.functional.log_softmax(scores, 1).gather(1, targets);
        var sum = 0.0;
        foreach (var log in logs.ToArray())
            sum += log;
        return sum;
    }
}
