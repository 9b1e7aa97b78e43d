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
