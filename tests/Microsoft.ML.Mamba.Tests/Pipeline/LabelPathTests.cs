using Microsoft.ML.Mamba.Pipeline;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

public sealed class LabelPathTests
{
    private const int Classes = 3;

    [Theory]
    [InlineData(0)]
    [InlineData(0.1)]
    [InlineData(0.7)]
    [InlineData(2.5)]
    public void It_is_the_best_of_all_paths(double penalty)
    {
        var random = new Random(3);
        foreach (var length in (int[])[1, 2, 5, 7])
        {
            var probabilities = Random(length, random);
            var found = Path(probabilities, penalty);

            var paths = Enumerable.Range(0, (int)Math.Pow(Classes, length))
                .Select(code => Enumerable.Range(0, length).Select(t => code / (int)Math.Pow(Classes, t) % Classes).ToArray());
            Assert.Equal(paths.Max(path => Value(probabilities, path, penalty)), Value(probabilities, found, penalty), 1e-9);
        }
    }

    [Fact]
    public void A_doubtful_position_does_not_break_a_segment_and_a_certain_one_does()
    {
        float[] doubtful = [0.9f, 0.05f, 0.05f, 0.9f, 0.05f, 0.05f, 0.4f, 0.55f, 0.05f, 0.9f, 0.05f, 0.05f, 0.9f, 0.05f, 0.05f];
        float[] certain = [.. doubtful];
        (certain[6], certain[7], certain[8]) = (1e-6f, 1, 0);

        Assert.Equal([0, 0, 1, 0, 0], Path(doubtful, 0));
        Assert.Equal([0, 0, 0, 0, 0], Path(doubtful, 2));
        Assert.Equal([0, 0, 1, 0, 0], Path(certain, 2));
    }

    [Fact]
    public void A_penalty_that_no_change_is_worth_leaves_one_label()
    {
        var probabilities = Random(200, new Random(5));
        var sums = Enumerable.Range(0, Classes).Select(label => Value(probabilities, [.. Enumerable.Repeat(label, 200)], 0)).ToArray();

        Assert.All(Path(probabilities, 1e6), label => Assert.Equal(Array.IndexOf(sums, sums.Max()), label));
    }

    [Fact]
    public void Nothing_has_no_labels() => Assert.Empty(Path([], 1));

    private static int[] Path(float[] probabilities, double penalty)
    {
        var labels = new int[probabilities.Length / Classes];
        LabelPath.Find(probabilities, labels, penalty);
        return labels;
    }

    private static float[] Random(int length, Random random) => [.. Enumerable.Range(0, length).SelectMany(_ =>
    {
        var values = Enumerable.Range(0, Classes).Select(_ => random.NextSingle() + 0.01f).ToArray();
        return values.Select(v => v / values.Sum());
    })];

    private static double Value(float[] probabilities, int[] path, double penalty) =>
        path.Select((label, t) => Math.Log(probabilities[(t * Classes) + label])).Sum() - (penalty * path.Skip(1).Where((label, t) => label != path[t]).Count());
}
