using Microsoft.ML.Mamba.Data;

namespace Microsoft.ML.Mamba.Tests.Data;

public sealed class TruncationPolicyTests
{
    private static readonly int[] Seven = [0, 1, 2, 3, 4, 5, 6];

    [Theory]
    [InlineData(SequenceTruncation.Head, 3, new[] { 0, 1, 2 })]
    [InlineData(SequenceTruncation.Tail, 3, new[] { 4, 5, 6 })]
    [InlineData(SequenceTruncation.Middle, 3, new[] { 2, 3, 4 })]
    [InlineData(SequenceTruncation.Middle, 4, new[] { 1, 2, 3, 4 })]
    [InlineData(SequenceTruncation.Tail, 7, new[] { 0, 1, 2, 3, 4, 5, 6 })]
    [InlineData(SequenceTruncation.Head, 0, new[] { 0, 1, 2, 3, 4, 5, 6 })]
    public void Keeps_the_part_it_names(SequenceTruncation truncation, int maxLength, int[] kept)
    {
        Assert.Equal(kept, new TruncationPolicy(maxLength, truncation).Apply<int>(Seven).ToArray());
    }

    [Fact]
    public void Cuts_frames_whole()
    {
        float[] frames = [0, 0.5f, 1, 1.5f, 2, 2.5f];

        Assert.Equal([2, 2.5f], new TruncationPolicy(1, SequenceTruncation.Tail).Apply<float>(frames, width: 2).ToArray());
    }

    [Fact]
    public void One_warning_counts_all_that_were_cut()
    {
        var policy = new TruncationPolicy(5, SequenceTruncation.Middle);
        for (var length = 0; length <= 7; length++)
        {
            policy.Apply<int>(Seven.AsSpan(0, length));
        }

        Assert.Equal(2, policy.TruncatedCount);
        Assert.Equal(
            "2 of 8 sequences were longer than 5 positions and were cut (the middle was kept). Raise MaxLength to use them whole.",
            policy.Warning(8));
    }

    [Fact]
    public void Nothing_cut_is_no_warning()
    {
        var policy = new TruncationPolicy(7, SequenceTruncation.Head);
        policy.Apply<int>(Seven);

        Assert.Null(policy.Warning(1));
    }
}
