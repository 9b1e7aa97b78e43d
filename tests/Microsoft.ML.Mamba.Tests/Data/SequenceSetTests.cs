using Microsoft.ML.Mamba.Data;

namespace Microsoft.ML.Mamba.Tests.Data;

public sealed class SequenceSetTests
{
    [Fact]
    public void Ids_come_back_as_they_went_in_across_blocks_and_widths()
    {
        var random = new Random(1);
        var set = SequenceSet.OfIds();
        var expected = new List<int[]>();
        for (var row = 0; row < 400; row++)
        {
            // The first half fits 16 bits, the second does not; rows of thousands fill many blocks; some are empty.
            var largest = row < 200 ? 65_536 : int.MaxValue;
            var ids = Enumerable.Range(0, row % 7 == 0 ? 0 : random.Next(20_000)).Select(_ => random.Next(largest)).ToArray();
            set.AddIds(ids, row);
            expected.Add(ids);
        }

        for (var row = 0; row < expected.Count; row++)
        {
            var got = new int[set.GetLength(row)];
            set.CopyIds(row, got);
            Assert.Equal(expected[row], got);
            Assert.Equal(row, set.GetTarget(row));
        }
        Assert.Equal(expected.Sum(ids => (long)ids.Length), set.TotalLength);
        Assert.Equal(expected.Max(ids => ids.Length), set.LongestLength);
        Assert.Equal(expected.SelectMany(ids => ids).Max(), set.MaxId);
    }

    [Fact]
    public void Frames_come_back_as_they_went_in()
    {
        var random = new Random(2);
        var set = SequenceSet.OfFrames(3);
        var expected = Enumerable.Range(0, 50).Select(i => Enumerable.Range(0, i * 30).Select(_ => random.NextSingle()).ToArray()).ToArray();
        foreach (var frames in expected)
        {
            set.AddFrames(frames, 0);
        }

        for (var row = 0; row < expected.Length; row++)
        {
            var got = new float[expected[row].Length];
            set.CopyFrames(row, got);
            Assert.Equal(expected[row], got);
            Assert.Equal(row * 10, set.GetLength(row));
        }
    }

    [Fact]
    public void A_subset_has_the_rows_asked_for_in_that_order()
    {
        var set = SequenceSet.OfIds();
        for (var row = 0; row < 5; row++)
        {
            set.AddIds(Enumerable.Repeat(row, row).ToArray(), row);
        }

        var subset = set.Subset([4, 0, 2]);

        Assert.Equal([4f, 0f, 2f], Enumerable.Range(0, subset.Count).Select(subset.GetTarget));
        Assert.Equal((6L, 4), (subset.TotalLength, subset.LongestLength));
        var ids = new int[4];
        subset.CopyIds(0, ids);
        Assert.Equal([4, 4, 4, 4], ids);
    }

    [Fact]
    public void A_cleared_set_can_be_filled_again()
    {
        var set = SequenceSet.OfIds();
        for (var round = 0; round < 3; round++)
        {
            set.Clear();
            set.AddIds(new int[5000], 1);
            set.AddIds([3 + round], 2);
            var ids = new int[1];
            set.CopyIds(1, ids);
            Assert.Equal((2, 5001L, 3 + round), (set.Count, set.TotalLength, ids[0]));
        }
    }

    [Theory]
    [InlineData(float.NaN, "Row 1: the label is NaN; labels must be finite. Filter such rows out or replace their labels.")]
    [InlineData(float.PositiveInfinity, "Row 1: the label is Infinity; labels must be finite. Filter such rows out or replace their labels.")]
    public void A_label_that_is_not_finite_is_refused_with_its_row(float label, string message)
    {
        var set = SequenceSet.OfIds();
        set.AddIds([1], 0);

        Assert.Equal(message, Assert.Throws<InvalidOperationException>(() => set.AddIds([1], label)).Message);
        Assert.Equal(1, set.Count);
    }

    [Fact]
    public void Frames_that_are_not_finite_or_ragged_are_refused_with_their_row()
    {
        var set = SequenceSet.OfFrames(2);

        Assert.Equal(
            "Row 812: frame 1 holds NaN at index 1; frames must be finite.",
            Assert.Throws<InvalidOperationException>(() => set.AddFrames([0, 1, 2, float.NaN], 0, sourceRow: 812)).Message);
        Assert.Equal(
            "Row 0: 3 values are no whole number of frames of 2.",
            Assert.Throws<InvalidOperationException>(() => set.AddFrames([0, 1, 2], 0)).Message);
    }

    [Fact]
    public void A_negative_id_is_refused_with_its_row_and_position()
    {
        Assert.Equal(
            "Row 0: the id at position 2 is -1; ids must be ≥ 0.",
            Assert.Throws<InvalidOperationException>(() => SequenceSet.OfIds().AddIds([0, 1, -1], 0)).Message);
    }
}
