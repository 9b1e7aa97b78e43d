using Microsoft.ML.Mamba.Data;

namespace Microsoft.ML.Mamba.Tests.Data;

public sealed class LengthBucketedBatchesTests
{
    [Theory]
    [InlineData(0, 4)]
    [InlineData(1, 4)]
    [InlineData(3, 4)]
    [InlineData(4, 4)]
    [InlineData(5, 4)]
    [InlineData(1003, 7)]
    [InlineData(350, 7)]
    [InlineData(351, 7)]
    public void Every_row_occurs_once_and_one_batch_at_most_is_short(int rows, int batchSize)
    {
        var set = SetOf(rows, new Random(1));
        foreach (var batches in new[] { LengthBucketedBatches.Shuffled(set, batchSize, new Random(2)), LengthBucketedBatches.ByLength(set, batchSize) })
        {
            Assert.Equal(Enumerable.Range(0, rows), batches.SelectMany(b => b).Order());
            Assert.Equal((rows + batchSize - 1) / batchSize, batches.Length);
            Assert.All(batches, b => Assert.InRange(b.Length, 1, batchSize));
        }
    }

    [Fact]
    public void Batches_hold_rows_of_similar_lengths()
    {
        var set = SetOf(3000, new Random(3));

        double Padding(int[][] batches) => batches.Sum(b => (double)b.Length * b.Max(set.GetLength)) / set.TotalLength;

        Assert.InRange(Padding(LengthBucketedBatches.Shuffled(set, 10, new Random(4))), 1, 1.05);
        Assert.InRange(Padding(LengthBucketedBatches.ByLength(set, 10)), 1, 1.01);
    }

    [Fact]
    public void Equal_seeds_give_equal_orders_and_other_seeds_others()
    {
        var set = SetOf(500, new Random(5));

        Assert.Equal(LengthBucketedBatches.Shuffled(set, 8, new Random(6)), LengthBucketedBatches.Shuffled(set, 8, new Random(6)));
        Assert.NotEqual(LengthBucketedBatches.Shuffled(set, 8, new Random(6)), LengthBucketedBatches.Shuffled(set, 8, new Random(7)));
    }

    [Fact]
    public void Epochs_mix_rows_that_were_apart_before()
    {
        var set = SetOf(1000, new Random(8), length: 10);
        var random = new Random(9);

        var first = LengthBucketedBatches.Shuffled(set, 10, random);
        var second = LengthBucketedBatches.Shuffled(set, 10, random);

        var together = first.Count(batch => second.Any(other => other.Intersect(batch).Count() > 4));
        Assert.Equal(0, together);
    }

    [Fact]
    public void Evaluation_goes_by_rising_length_with_equal_lengths_in_order()
    {
        var set = SetOf(200, new Random(10), length: 0);
        var rows = LengthBucketedBatches.ByLength(set, 9).SelectMany(b => b).ToArray();
        Assert.Equal(Enumerable.Range(0, 200), rows);

        var mixed = SetOf(200, new Random(11));
        var lengths = LengthBucketedBatches.ByLength(mixed, 9).SelectMany(b => b).Select(mixed.GetLength).ToArray();
        Assert.Equal(lengths.Order(), lengths);
    }

    [Fact]
    public void Evaluation_batches_stay_below_their_number_of_positions_unless_one_row_is_longer()
    {
        var set = SequenceSet.OfIds();
        foreach (var length in new[] { 10, 1000, 10, 45, 55, 2000, 10 })
        {
            set.AddIds(new int[length], 0);
        }

        var batches = LengthBucketedBatches.ByLength(set, 64, maxPositions: 100);

        Assert.Equal([3, 1, 1, 1, 1], batches.Select(b => b.Length));
    }

    private static SequenceSet SetOf(int rows, Random random, int length = -1)
    {
        var set = SequenceSet.OfIds();
        for (var row = 0; row < rows; row++)
        {
            set.AddIds(new int[length >= 0 ? length : random.Next(200)], row);
        }
        return set;
    }
}
