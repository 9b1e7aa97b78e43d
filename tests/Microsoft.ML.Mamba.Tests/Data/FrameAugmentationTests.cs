using Microsoft.ML.Mamba.Data;

namespace Microsoft.ML.Mamba.Tests.Data;

public sealed class FrameAugmentationTests
{
    private const int Width = 4;

    [Fact]
    public void Masks_of_time_hide_whole_frames_and_at_most_a_quarter_each()
    {
        var batch = Batch(40, 100, 3, 0);

        FrameAugmentation.MaskTime(batch, masks: 1, width: 1000, new Random(1));

        var hidden = Enumerable.Range(0, 100).Count(t => IsFlat(Frame(batch, 1, t)));
        Assert.InRange(hidden, 1, 25);
        Assert.DoesNotContain(Enumerable.Range(0, 3), t => IsFlat(Frame(batch, 2, t))); // a quarter of 3 frames is none
        AssertPaddingIsZero(batch);
    }

    [Fact]
    public void Masks_of_frequency_hide_the_same_bands_of_all_frames()
    {
        var batch = Batch(10, 20);
        var before = batch.Frames!.ToArray();

        FrameAugmentation.MaskFrequency(batch, masks: 1, width: 2, new Random(2));

        for (var row = 0; row < 2; row++)
        {
            var changed = Enumerable.Range(0, Width).Where(i => batch.Frames![At(batch, row, 0, i)] != before[At(batch, row, 0, i)]).ToArray();
            Assert.InRange(changed.Length, 0, 2);
            for (var t = 0; t < batch.Lengths[row]; t++)
                Assert.Equal(changed, Enumerable.Range(0, Width).Where(i => batch.Frames![At(batch, row, t, i)] != before[At(batch, row, t, i)]));
        }
        AssertPaddingIsZero(batch);
    }

    [Fact]
    public void Masked_values_are_the_mean_of_the_row()
    {
        var batch = Batch(8);
        var mean = batch.Frames!.Average();

        FrameAugmentation.MaskFrequency(batch, masks: 50, width: Width, new Random(3));

        Assert.All(batch.Frames!, v => Assert.Equal(mean, v, 1e-5f));
    }

    [Fact]
    public void Gain_is_one_number_for_each_row_and_noise_is_another_for_each_value()
    {
        var batch = Batch(500, 400);
        var before = batch.Frames!.ToArray();
        FrameAugmentation.Gain(batch, 2, new Random(4));
        var gains = Enumerable.Range(0, 2).Select(r => batch.Frames![At(batch, r, 0, 0)] - before[At(batch, r, 0, 0)]).ToArray();
        Assert.NotEqual(gains[0], gains[1]);
        Assert.All(gains, g => Assert.InRange(g, -2, 2));
        Assert.Equal(gains[1], batch.Frames![At(batch, 1, 399, 3)] - before[At(batch, 1, 399, 3)], 1e-3f);
        AssertPaddingIsZero(batch);

        var louder = batch.Frames!.ToArray();
        FrameAugmentation.Noise(batch, 0.5, new Random(5));
        var noise = Enumerable.Range(0, 500 * Width).Select(i => (double)(batch.Frames![i] - louder[i])).ToArray();
        Assert.InRange(noise.Average(), -0.05, 0.05);
        Assert.InRange(Math.Sqrt(noise.Average(n => n * n)), 0.45, 0.55);
        AssertPaddingIsZero(batch);
    }

    [Fact]
    public void Stretched_rows_have_new_lengths_and_begin_and_end_as_before()
    {
        var batch = Batch(100, 50, 1, 0);

        var stretched = FrameAugmentation.Stretch(batch, 0.2, maxLength: 0, new Random(6));

        Assert.InRange(stretched.Lengths[0], 80, 120);
        Assert.InRange(stretched.Lengths[1], 40, 60);
        Assert.NotEqual(100, stretched.Lengths[0]);
        Assert.Equal([1, 0], stretched.Lengths[2..]);
        Assert.Equal(stretched.Lengths.Max(), stretched.Length);
        Assert.Equal(batch.RowIndex, stretched.RowIndex);
        Assert.Equal(batch.Targets, stretched.Targets);
        for (var row = 0; row < 3; row++)
        {
            Assert.Equal(Frame(batch, row, 0), Frame(stretched, row, 0));
            Assert.All(Frame(batch, row, batch.Lengths[row] - 1).Zip(Frame(stretched, row, stretched.Lengths[row] - 1)), p => Assert.Equal(p.First, p.Second, 1e-3f));
        }
        AssertPaddingIsZero(stretched);
    }

    [Fact]
    public void Stretched_rows_keep_to_the_longest_length()
    {
        for (var seed = 0; seed < 20; seed++)
            Assert.InRange(FrameAugmentation.Stretch(Batch(30, 10), 0.9, maxLength: 30, new Random(seed)).Lengths.Max(), 1, 30);
    }

    [Fact]
    public void Equal_seeds_give_equal_frames()
    {
        float[] Augmented(int seed)
        {
            var random = new Random(seed);
            var batch = FrameAugmentation.Stretch(Batch(30, 20), 0.1, 0, random);
            FrameAugmentation.Noise(batch, 0.1, random);
            FrameAugmentation.MaskTime(batch, 2, 5, random);
            return batch.Frames!;
        }

        Assert.Equal(Augmented(7), Augmented(7));
        Assert.NotEqual(Augmented(7), Augmented(8));
    }

    private static PaddedBatch Batch(params int[] lengths)
    {
        var set = SequenceSet.OfFrames(Width);
        var random = new Random(9);
        for (var row = 0; row < lengths.Length; row++)
            set.AddFrames([.. Enumerable.Range(0, lengths[row] * Width).Select(_ => 1 + random.NextSingle())], row, row);
        return PaddedBatch.Gather(set, Enumerable.Range(0, lengths.Length).ToArray());
    }

    private static int At(PaddedBatch batch, int row, int t, int i) => (((row * batch.Length) + t) * Width) + i;

    private static float[] Frame(PaddedBatch batch, int row, int t) => batch.Frames![At(batch, row, t, 0)..At(batch, row, t + 1, 0)];

    private static bool IsFlat(float[] frame) => frame.All(v => v == frame[0]);

    private static void AssertPaddingIsZero(PaddedBatch batch)
    {
        for (var row = 0; row < batch.Rows; row++)
            for (var t = batch.Lengths[row]; t < batch.Length; t++)
                Assert.All(Frame(batch, row, t), v => Assert.Equal(0f, v));
    }
}
