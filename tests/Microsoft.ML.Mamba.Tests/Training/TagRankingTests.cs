using Microsoft.ML.Mamba.Training;

namespace Microsoft.ML.Mamba.Tests.Training;

public sealed class TagRankingTests
{
    private static readonly float[] Tied = [.5f, .5f, .5f, .2f, .2f];
    private static readonly bool[] Has = [true, false, true, false, true];

    // scikit-learn 1.2.1: average_precision_score([1,0,1,0,1], [.5,.5,.5,.2,.2]), roc_auc_score of the same.
    [Fact]
    public void Rows_of_equal_score_come_in_together()
    {
        Assert.Equal(0.6444444444444444, TagRanking.AveragePrecision(Tied, Has), 12);
        Assert.Equal(0.5833333333333333, TagRanking.AreaUnderCurve(Tied, Has), 12);
    }

    [Fact]
    public void A_tag_that_no_row_has_has_no_ranking()
    {
        Assert.True(double.IsNaN(TagRanking.AveragePrecision(Tied, new bool[5])));
        Assert.True(double.IsNaN(TagRanking.AreaUnderCurve(Tied, new bool[5])));
        Assert.Equal(0.5f, TagRanking.BestThreshold(Tied, new bool[5]));
    }

    [Fact]
    public void The_best_threshold_lies_between_the_scores_that_it_separates()
    {
        Assert.Equal(0.3f, TagRanking.BestThreshold([.8f, .4f, .2f], [true, true, false]), 6);
        Assert.Equal(0.5f, TagRanking.BestThreshold([.8f, .6f, .2f], [true, true, false]));
        Assert.Equal(0.7f, TagRanking.BestThreshold([.8f, .6f, .2f], [true, false, false]), 6);
        Assert.Equal(0.05f, TagRanking.BestThreshold([.1f], [true]), 6);
        var close = TagRanking.BestThreshold([MathF.BitIncrement(.6f), .6f], [true, false]);
        Assert.True(close > .6f);
    }
}
