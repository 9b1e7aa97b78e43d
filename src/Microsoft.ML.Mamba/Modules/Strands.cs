using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>
/// A batch of B sequences and their B reverse complements, one after the other in the first dimension. Each strand is read in its
/// own direction; since both pass through the same weights, the reverse complement of a batch is the batch with its halves exchanged.
/// </summary>
internal static class Strands
{
    /// <summary>Lengths of both.</summary>
    public static int[] Lengths(int[] lengths) => [.. lengths, .. lengths];

    /// <summary>The complement of each id; those beyond the map stay.</summary>
    public static Tensor Complements(Tensor ids, MambaConfig config)
    {
        using var scope = NewDisposeScope();
        return Map(config, ids.device).index_select(0, ids.reshape(-1)).view(ids.shape).MoveToOuterDisposeScope();
    }

    /// <summary>(VocabSize) int64: the complement of each id.</summary>
    public static Tensor Map(MambaConfig config, Device device)
    {
        var complements = new long[config.VocabSize];
        for (var id = 0; id < complements.Length; id++)
            complements[id] = config.ComplementOf(id);
        return tensor(complements).MovedTo(device);
    }

    /// <summary>(2·B, L, D) read backwards, in features too.</summary>
    public static Tensor Reversed(Tensor states, int[] lengths)
    {
        using var backwards = SequenceReverse.Apply(states, lengths);
        return backwards.flip(-1);
    }

    /// <summary>(2·B, …) with its halves exchanged.</summary>
    public static Tensor Exchanged(Tensor states)
    {
        using var scope = NewDisposeScope();
        var halves = states.chunk(2);
        return cat([halves[1], halves[0]]).MoveToOuterDisposeScope();
    }

    /// <summary>(2·B, L, D) with the second strand read backwards, so that equal positions of both are the same base pair.</summary>
    /// <param name="states">Both strands, each in its own direction.</param>
    /// <param name="lengths">Lengths of the B sequences.</param>
    public static Tensor Aligned(Tensor states, int[] lengths)
    {
        using var scope = NewDisposeScope();
        var halves = states.chunk(2);
        return cat([halves[0], SequenceReverse.Apply(halves[1].contiguous(), lengths)]).MoveToOuterDisposeScope();
    }

    /// <summary>(2·B, …) → (B, …): the mean of the two. A sum of two does not depend on their order, so it is exactly that of the reverse complements.</summary>
    public static Tensor Mean(Tensor states)
    {
        using var scope = NewDisposeScope();
        var halves = states.chunk(2);
        using Scalar two = 2;
        return halves[0].Plus(halves[1]).div(two).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// (2·P, VocabSize) scores of what stands at positions of both strands, aligned → (P, VocabSize): those of the second strand are
    /// scores of complements.
    /// </summary>
    public static Tensor Sum(Tensor scores, MambaConfig config)
    {
        using var scope = NewDisposeScope();
        var halves = scores.chunk(2);
        return halves[0].Plus(halves[1].index_select(-1, Map(config, scores.device))).MoveToOuterDisposeScope();
    }
}
