using Microsoft.ML.Mamba.Generation;

namespace Microsoft.ML.Mamba.Tests.Generation;

public sealed class TokenSamplerTests
{
    private const int Draws = 40_000;

    private static readonly float[] Scores = [1, 3, -2, 3, 0.5f];

    [Fact]
    public void Without_temperature_the_first_of_the_largest_scores_is_taken() =>
        Assert.Equal(1, Sampler(new()).Next([.. Scores]));

    [Fact]
    public void A_penalty_divides_positive_and_multiplies_negative_scores_of_ids_that_were_seen()
    {
        var sampler = Sampler(new() { RepetitionPenalty = 4 });
        sampler.Saw(1);
        sampler.Saw(2);
        var scores = (float[])Scores.Clone();

        Assert.Equal(3, sampler.Next(scores));
        Assert.Equal([1, 0.75f, -8, 3, 0.5f], scores);
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(1)]
    [InlineData(3)]
    public void Draws_follow_the_softmax_of_the_scores_over_the_temperature(double temperature)
    {
        var weights = Scores.Select(s => Math.Exp(s / temperature)).ToArray();

        AssertShares([.. weights.Select(w => w / weights.Sum())], new() { Temperature = temperature });
    }

    [Fact]
    public void Top_k_draws_among_the_k_likeliest_and_ties_with_the_last()
    {
        AssertShares([0, 0.5, 0, 0.5, 0], new() { Temperature = 1, TopK = 1 });
        var weights = new[] { Math.Exp(1), Math.Exp(3), 0, Math.Exp(3), 0 };
        AssertShares([.. weights.Select(w => w / weights.Sum())], new() { Temperature = 1, TopK = 3 });
    }

    [Theory]
    [InlineData(0.05, 1)]
    [InlineData(0.5, 2)]
    [InlineData(0.89, 2)]
    [InlineData(0.93, 3)]
    [InlineData(0.99, 4)]
    [InlineData(1, 5)]
    public void Top_p_draws_among_the_fewest_that_make_up_p(double p, int count)
    {
        // Probabilities in falling order: 0.450, 0.450, 0.061, 0.037, 0.003; the order of ids is 1, 3, 0, 4, 2.
        var kept = new[] { 1, 3, 0, 4, 2 }.Take(count).ToHashSet();
        var weights = Scores.Select((s, id) => kept.Contains(id) ? Math.Exp(s) : 0).ToArray();

        AssertShares([.. weights.Select(w => w / weights.Sum())], new() { Temperature = 1, TopP = p });
    }

    [Fact]
    public void Top_p_counts_what_top_k_left()
    {
        AssertShares([0, 1, 0, 0, 0], new() { Temperature = 1, TopK = 2, TopP = 0.5 });
    }

    [Fact]
    public void Top_p_of_many_nearly_equal_scores_keeps_their_share()
    {
        var scores = Enumerable.Range(0, 1000).Select(i => i * 1e-6f).ToArray();
        var sampler = Sampler(new() { Temperature = 1, TopP = 0.25 }, scores.Length);

        var least = Enumerable.Range(0, 3000).Min(_ => sampler.Next([.. scores]));

        Assert.InRange(least, 749, 753);
    }

    [Fact]
    public void Equal_seeds_draw_equal_ids()
    {
        int[] Drawn(int seed)
        {
            var sampler = new TokenSampler(new() { Temperature = 2 }, Scores.Length, new Random(seed));
            return [.. Enumerable.Range(0, 100).Select(_ => sampler.Next([.. Scores]))];
        }

        Assert.Equal(Drawn(3), Drawn(3));
        Assert.NotEqual(Drawn(3), Drawn(4));
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Scores_that_are_no_numbers_are_named(float score)
    {
        var error = Assert.Throws<InvalidOperationException>(() => Sampler(new()).Next([0, 1, score, 0, 0]));

        Assert.StartsWith("The model's score of id 2 is ", error.Message, StringComparison.Ordinal);
    }

    private static TokenSampler Sampler(MambaGenerationOptions options, int vocabSize = 5) => new(options, vocabSize, new Random(1));

    private static void AssertShares(double[] expected, MambaGenerationOptions options)
    {
        var (sampler, counts) = (Sampler(options), new int[expected.Length]);
        for (var draw = 0; draw < Draws; draw++)
            counts[sampler.Next([.. Scores])]++;

        for (var id = 0; id < expected.Length; id++)
        {
            // Five standard deviations of a binomial share.
            var (share, bound) = ((double)counts[id] / Draws, 5 * Math.Sqrt(expected[id] * (1 - expected[id]) / Draws));
            Assert.True(Math.Abs(share - expected[id]) <= bound, $"id {id} was drawn with a share of {share:F4}; expected {expected[id]:F4} ± {bound:F4}");
        }
    }
}
