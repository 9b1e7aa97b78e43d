namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>A labelled sequence.</summary>
internal sealed class DnaRow
{
    public string Sequence { get; set; } = "";

    public bool Label { get; set; }

    /// <summary>Random sequences of random lengths, the same in every run.</summary>
    public static DnaRow[] Random(int count, int shortest, int longest)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, count).Select(i => new DnaRow
        {
            Sequence = new string(random.GetItems<char>("ACGT", random.Next(shortest, longest + 1))),
            Label = i % 2 == 0,
        })];
    }
}

/// <summary>What a model says about a <see cref="DnaRow"/>.</summary>
internal sealed class DnaPrediction
{
    public float Score { get; set; }
}
