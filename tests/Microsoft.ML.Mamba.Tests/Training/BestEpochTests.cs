using Microsoft.ML.Mamba.Training;

namespace Microsoft.ML.Mamba.Tests.Training;

public sealed class BestEpochTests
{
    [Fact]
    public void The_first_result_is_the_best_so_far()
    {
        Assert.True(new BestEpoch(MambaEarlyStoppingMetric.Metric, true).Offer((9, 0)));
    }

    [Fact]
    public void By_metric_the_loss_decides_between_equals()
    {
        var best = new BestEpoch(MambaEarlyStoppingMetric.Metric, higherMetricIsBetter: true);

        Assert.True(best.Offer((1, 0.5)));
        Assert.False(best.Offer((0.5, 0.4)));
        Assert.False(best.Offer((1, 0.5)));
        Assert.Equal(2, best.Since);
        Assert.True(best.Offer((0.9, 0.5)));
        Assert.True(best.Offer((2, 0.6)));
        Assert.Equal(0, best.Since);
    }

    [Fact]
    public void A_metric_may_be_better_when_it_is_lower()
    {
        var best = new BestEpoch(MambaEarlyStoppingMetric.Metric, higherMetricIsBetter: false);

        Assert.True(best.Offer((1, 3)));
        Assert.True(best.Offer((1, 2)));
        Assert.False(best.Offer((0.1, 2.5)));
    }

    [Fact]
    public void By_loss_the_metric_has_no_say()
    {
        var best = new BestEpoch(MambaEarlyStoppingMetric.Loss, higherMetricIsBetter: true);

        Assert.True(best.Offer((1, 0.9)));
        Assert.True(best.Offer((0.9, 0.1)));
        Assert.False(best.Offer((0.95, 1)));
    }
}
