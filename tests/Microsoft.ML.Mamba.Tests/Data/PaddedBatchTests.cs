using Microsoft.ML.Mamba.Data;

namespace Microsoft.ML.Mamba.Tests.Data;

public sealed class PaddedBatchTests
{
    [Fact]
    public void Ids_are_padded_on_the_right()
    {
        var set = SequenceSet.OfIds();
        set.AddIds([1, 2, 3], 10);
        set.AddIds([4], 11);
        set.AddIds([], 12);

        var batch = PaddedBatch.Gather(set, [2, 0, 1]);

        Assert.Equal((3, 3, 0), (batch.Rows, batch.Length, batch.FrameWidth));
        Assert.Equal([0, 0, 0, 1, 2, 3, 4, 0, 0], batch.Ids!);
        Assert.Equal([0, 3, 1], batch.Lengths);
        Assert.Equal([12f, 10f, 11f], batch.Targets);
        Assert.Equal([2, 0, 1], batch.RowIndex);
        Assert.Equal(4, batch.RealPositions);
        Assert.Null(batch.Frames);
    }

    [Fact]
    public void Frames_are_padded_on_the_right()
    {
        var set = SequenceSet.OfFrames(2);
        set.AddFrames([1, 2, 3, 4], 0);
        set.AddFrames([5, 6], 1);

        var batch = PaddedBatch.Gather(set, [0, 1]);

        Assert.Equal([1, 2, 3, 4, 5, 6, 0, 0], batch.Frames!);
        Assert.Equal([2, 1], batch.Lengths);
        Assert.Null(batch.Ids);
    }

    [Fact]
    public void A_batch_of_empty_sequences_has_one_position_of_padding()
    {
        var set = SequenceSet.OfIds();
        set.AddIds([], 0);

        var batch = PaddedBatch.Gather(set, [0]);

        Assert.Equal((1, 1, 0L), (batch.Rows, batch.Length, batch.RealPositions));
    }

    [Fact]
    public void Reverse_complements_follow_the_strands_and_keep_the_padding_on_the_right()
    {
        var dna = SequenceTokenizer.Dna;
        var set = SequenceSet.OfIds();
        set.AddIds(dna.Encode("AACGN"), 1);
        set.AddIds(dna.Encode("GT"), 0);

        var both = PaddedBatch.Gather(set, [0, 1]).WithReverseComplements(dna);

        Assert.Equal([.. dna.Encode("AACGN"), .. dna.Encode("GTAAA"), .. dna.Encode("NCGTT"), .. dna.Encode("ACAAA")], both.Ids!);
        Assert.Equal([5, 2, 5, 2], both.Lengths);
        Assert.Equal([1f, 0f, 1f, 0f], both.Targets);
    }
}
