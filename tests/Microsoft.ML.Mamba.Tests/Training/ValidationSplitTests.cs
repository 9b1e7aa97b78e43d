using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Training;

namespace Microsoft.ML.Mamba.Tests.Training;

public sealed class ValidationSplitTests
{
    [Fact]
    public void The_same_share_of_each_class_is_held_out_and_no_row_is_lost()
    {
        var set = SetOf([.. Enumerable.Repeat(0f, 100), .. Enumerable.Repeat(1f, 50), .. Enumerable.Repeat(2f, 10)]);

        var (train, validation) = ValidationSplit.Choose(set, 3, 0.2, new Random(1));

        Assert.Equal([20, 10, 2], Enumerable.Range(0, 3).Select(c => validation.Count(row => set.GetTarget(row) == c)));
        Assert.Equal(Enumerable.Range(0, 160), train.Concat(validation).Order());
    }

    [Fact]
    public void One_row_of_each_class_always_trains()
    {
        var (train, validation) = ValidationSplit.Choose(SetOf([0, 1, 1]), 2, 0.9, new Random(1));

        Assert.Contains(0, train);
        Assert.Equal((2, 1), (train.Length, validation.Length));
    }

    [Fact]
    public void Numbers_are_split_as_one_group()
    {
        var (train, validation) = ValidationSplit.Choose(SetOf([.. Enumerable.Range(0, 50).Select(i => (float)i)]), 0, 0.3, new Random(1));

        Assert.Equal((35, 15), (train.Length, validation.Length));
    }

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.3)]
    public void Windows_of_a_sequence_stay_together(double fraction)
    {
        int[] windows = [4, 1, 7, 3, 5, 2, 6, 4, 8, 1, 3, 6]; // 50 in all
        var set = SetOfWindows(windows);

        for (var seed = 0; seed < 20; seed++)
        {
            var (train, validation) = ValidationSplit.Choose(set, 2, fraction, new Random(seed));

            Assert.Equal(Enumerable.Range(0, 50), train.Concat(validation).Order());
            Assert.Empty(train.Select(set.GetSourceRow).Intersect(validation.Select(set.GetSourceRow)));
            Assert.InRange(validation.Length, fraction * 50 / 2, fraction * 50 * 2);
        }
    }

    [Theory]
    [InlineData(100)]
    [InlineData(60, 40)]
    public void Of_too_few_sequences_for_the_share_a_stretch_of_windows_is_held_out(params int[] windows)
    {
        var set = SetOfWindows(windows);
        var firsts = new HashSet<int>();

        for (var seed = 0; seed < 20; seed++)
        {
            var (train, validation) = ValidationSplit.Choose(set, 2, 0.1, new Random(seed));

            Assert.Equal(Enumerable.Range(validation[0], 10), validation);
            Assert.Equal(Enumerable.Range(0, 100), train.Concat(validation).Order());
            firsts.Add(validation[0]);
        }
        Assert.True(firsts.Count > 5, "the stretch is always at the same place");
    }

    [Fact]
    public void Two_sequences_are_enough_when_one_is_short_and_one_always_trains()
    {
        Assert.Equal([0, 1], ValidationSplit.Choose(SetOfWindows(2, 18), 2, 0.1, new Random(1)).Validation);
        Assert.NotEmpty(ValidationSplit.Choose(SetOfWindows(5, 5), 2, 0.99, new Random(1)).Train);
    }

    private static SequenceSet SetOfWindows(params int[] windows)
    {
        var set = SequenceSet.OfIds();
        for (var sequence = 0; sequence < windows.Length; sequence++)
        {
            for (var window = 0; window < windows[sequence]; window++)
            {
                set.AddIds([0], 0f, sequence);
            }
        }
        return set;
    }

    private static SequenceSet SetOf(float[] targets)
    {
        var set = SequenceSet.OfIds();
        foreach (var target in targets)
        {
            set.AddIds([0], target);
        }
        return set;
    }
}
