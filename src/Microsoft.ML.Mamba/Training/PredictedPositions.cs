using Microsoft.ML.Mamba.Data;

namespace Microsoft.ML.Mamba.Training;

/// <summary>
/// What an encoder has to predict of a batch to learn without labels. Causal encoders predict each next position from those
/// before it. Bidirectional ones predict positions chosen at random, 15 % of each sequence and at least one, from all others:
/// of these, 80 % are hidden, 10 % show the content of another position of the batch, and 10 % show what is there (Devlin and
/// others 2018), so that an encoder cannot rely on what it sees.
/// </summary>
internal sealed class PredictedPositions
{
    private const double Share = 0.15;
    private const double HiddenShare = 0.8;
    private const double ExchangedShare = 0.1;

    private readonly List<long> _states = [];
    private readonly List<long> _targets = [];

    /// <summary>Places, row · length + position, of the hidden states that predict.</summary>
    internal long[] States => [.. _states];

    /// <summary>Places of what each of them has to predict.</summary>
    internal long[] Targets => [.. _targets];

    internal int Count => _targets.Count;

    /// <summary>Whether each place is hidden; null where nothing is.</summary>
    internal bool[]? Hidden { get; private init; }

    /// <summary>The place whose content each place shows; null where all show their own.</summary>
    internal int[]? Shown { get; private init; }

    /// <summary>How many positions of a set the two ways can ever predict.</summary>
    internal static long In(SequenceSet set, bool causal)
    {
        long count = 0;
        for (var row = 0; row < set.Count; row++)
        {
            count += Math.Max(0, set.GetLength(row) - (causal ? 1 : 0));
        }
        return count;
    }

    /// <summary>The next position of each.</summary>
    internal static PredictedPositions Next(PaddedBatch batch)
    {
        var positions = new PredictedPositions();
        for (var row = 0; row < batch.Rows; row++)
        {
            for (var t = 1; t < batch.Lengths[row]; t++)
            {
                positions.Add((row * batch.Length) + t - 1, (row * batch.Length) + t);
            }
        }
        return positions;
    }

    /// <summary>Positions chosen at random.</summary>
    internal static PredictedPositions Masked(PaddedBatch batch, Random random)
    {
        var places = batch.Rows * batch.Length;
        var positions = new PredictedPositions { Hidden = new bool[places], Shown = [.. Enumerable.Range(0, places)] };
        var real = RealPlaces(batch);
        for (int row = 0, first = 0; row < batch.Rows; first += batch.Lengths[row++])
        {
            var own = real.AsSpan(first, batch.Lengths[row]).ToArray();
            random.Shuffle(own);
            var chosen = own.AsSpan(0, Math.Min(own.Length, Math.Max(1, (int)Math.Round(Share * own.Length))));
            chosen.Sort();
            foreach (var place in chosen)
            {
                positions.Choose(place, random.NextDouble(), real[random.Next(real.Length)]);
            }
        }
        return positions;
    }

    private void Choose(int place, double draw, int other)
    {
        Add(place, place);
        if (draw < HiddenShare)
        {
            Hidden![place] = true;
        }
        else if (draw < HiddenShare + ExchangedShare)
        {
            Shown![place] = other;
        }
    }

    private void Add(long state, long target)
    {
        _states.Add(state);
        _targets.Add(target);
    }

    private static int[] RealPlaces(PaddedBatch batch)
    {
        var places = new List<int>();
        for (var row = 0; row < batch.Rows; row++)
        {
            places.AddRange(Enumerable.Range(row * batch.Length, batch.Lengths[row]));
        }
        return [.. places];
    }
}
