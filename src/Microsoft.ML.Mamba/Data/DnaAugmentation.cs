namespace Microsoft.ML.Mamba.Data;

/// <summary>Random changes of nucleotide sequences that leave their label as it is; applied to training batches, in place.</summary>
internal static class DnaAugmentation
{
    /// <summary>Turns each row into its reverse complement with probability 1/2.</summary>
    /// <param name="batch">The batch to change.</param>
    /// <param name="tokenizer">Knows complements.</param>
    /// <param name="random">Which rows.</param>
    /// <param name="labels">What the labels of a row become there; null: they stay.</param>
    internal static void RandomStrands(PaddedBatch batch, SequenceTokenizer tokenizer, Random random, Func<int[], int[]>? labels = null)
    {
        for (var i = 0; i < batch.Rows; i++)
        {
            if (random.Next(2) == 1)
            {
                ReverseComplement(RowOf(batch, i), tokenizer);
                if (labels is not null && batch.Labels[i] is { } own)
                {
                    batch.Labels[i] = labels(own);
                }
            }
        }
    }

    /// <summary>
    /// Replaces each letter, with the given probability, by one of A, C, G, T drawn uniformly (which may be the letter
    /// itself, so three quarters of the replacements change something).
    /// </summary>
    /// <param name="batch">The batch to change.</param>
    /// <param name="tokenizer">Says how many letters there are to draw from.</param>
    /// <param name="rate">The probability, 0 to 1.</param>
    /// <param name="random">Where the choices come from.</param>
    internal static void Mutate(PaddedBatch batch, SequenceTokenizer tokenizer, double rate, Random random)
    {
        var letters = tokenizer.MutationLetters;
        for (var i = 0; i < batch.Rows; i++)
        {
            foreach (ref var id in RowOf(batch, i))
            {
                if (random.NextDouble() < rate)
                {
                    id = tokenizer.FirstMutationLetter + random.Next(letters);
                }
            }
        }
    }

    /// <summary>The other strand read in its own direction: reversed, each letter complemented. Twice gives the original.</summary>
    internal static void ReverseComplement(Span<int> ids, SequenceTokenizer tokenizer)
    {
        ids.Reverse();
        foreach (ref var id in ids)
        {
            id = tokenizer.Complement(id);
        }
    }

    private static Span<int> RowOf(PaddedBatch batch, int row) => batch.Ids.AsSpan(row * batch.Length, batch.Lengths[row]);
}
