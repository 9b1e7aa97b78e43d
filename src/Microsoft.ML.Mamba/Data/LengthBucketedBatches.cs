namespace Microsoft.ML.Mamba.Data;

/// <summary>Divides the rows of a set into batches of similar lengths, so that little is spent on padding.</summary>
internal static class LengthBucketedBatches
{
    /// <summary>How many batches are sorted by length together: enough for little padding, few enough to keep batches random.</summary>
    internal const int BatchesPerPool = 50;

    /// <summary>Positions, padding included, that a scoring batch may have unless one row alone has more.</summary>
    internal const int DefaultMaxPositions = 1 << 16;

    /// <summary>
    /// One epoch of training batches: rows shuffled, sorted by length within pools of <see cref="BatchesPerPool"/> batches,
    /// batches shuffled. Every row occurs once. Where the rows do not fill the last batch, the short batch lies at a
    /// random place of its pool, so that it does not always hold the longest rows.
    /// </summary>
    /// <param name="set">The set.</param>
    /// <param name="batchSize">Rows per batch, at least 1.</param>
    /// <param name="random">Where the order comes from.</param>
    /// <returns>Row numbers of the set, batch by batch.</returns>
    internal static int[][] Shuffled(SequenceSet set, int batchSize, Random random)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        var rows = new int[set.Count];
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = i;
        }
        random.Shuffle(rows);

        var batches = new List<int[]>();
        var poolSize = (int)Math.Min((long)BatchesPerPool * batchSize, Array.MaxLength);
        for (var start = 0; start < rows.Length; start += poolSize)
        {
            var pool = rows.AsSpan(start, Math.Min(poolSize, rows.Length - start));
            SortByLength(set, pool);
            var (full, rest) = Math.DivRem(pool.Length, batchSize);
            var shortBatch = rest == 0 ? -1 : random.Next(full + 1);
            for (int batch = 0, at = 0; at < pool.Length; batch++)
            {
                var count = batch == shortBatch ? rest : batchSize;
                batches.Add(pool.Slice(at, count).ToArray());
                at += count;
            }
        }
        var result = batches.ToArray();
        random.Shuffle(result);
        return result;
    }

    /// <summary>Batches in a fixed order, shortest rows first, for evaluation and scoring. Every row occurs once.</summary>
    /// <param name="set">The set.</param>
    /// <param name="batchSize">The most rows per batch, at least 1.</param>
    /// <param name="maxPositions">The most positions per batch, padding included; a row that has more stands alone.</param>
    /// <returns>Row numbers of the set, batch by batch.</returns>
    internal static int[][] ByLength(SequenceSet set, int batchSize, int maxPositions = DefaultMaxPositions)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        var rows = new int[set.Count];
        for (var i = 0; i < rows.Length; i++)
        {
            rows[i] = i;
        }
        SortByLength(set, rows);

        var batches = new List<int[]>();
        var start = 0;
        for (var end = 1; end <= rows.Length; end++)
        {
            // Rows come by rising length, so the next row would set the length of the batch.
            if (end == rows.Length || end - start == batchSize || (end - start + 1L) * set.GetLength(rows[end]) > maxPositions)
            {
                batches.Add(rows[start..end]);
                start = end;
            }
        }
        return [.. batches];
    }

    // Stable: rows of one length keep their order, so the result does not depend on how the library sorts.
    private static void SortByLength(SequenceSet set, Span<int> rows)
    {
        var keys = new long[rows.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            keys[i] = ((long)set.GetLength(rows[i]) << 32) | (uint)i;
        }
        keys.AsSpan().Sort(rows);
    }
}
