using Microsoft.ML.Mamba.Training;

namespace Microsoft.ML.Mamba.Tests.Training;

public sealed class LearningRateScheduleTests
{
    [Fact]
    public void Rises_linearly_then_falls_along_half_a_cosine_to_the_floor()
    {
        var schedule = new LearningRateSchedule(peak: 1, minRatio: 0.2, warmupRatio: 0.2, steps: 21);

        double[] expected =
        [
            0.25, 0.5, 0.75, 1, // four steps of warm-up
            1, 0.2 + (0.4 * (1 + Math.Cos(Math.PI / 16))), 0.2 + (0.4 * (1 + Math.Cos(Math.PI / 8))),
        ];
        for (var step = 0; step < expected.Length; step++)
        {
            Assert.Equal(expected[step], schedule.At(step), 12);
        }
        Assert.Equal(0.6, schedule.At(12), 12);
        Assert.Equal(0.2, schedule.At(20), 12);
        Assert.Equal(0.2, schedule.At(1000), 12);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(0, 2)]
    [InlineData(1, 7)]
    [InlineData(0.05, 10)]
    public void Stays_between_zero_and_the_peak_at_the_corners(double warmupRatio, int steps)
    {
        var schedule = new LearningRateSchedule(2, 0, warmupRatio, steps);

        Assert.All(Enumerable.Range(0, steps), step => Assert.InRange(schedule.At(step), 0, 2));
        Assert.True(schedule.At(0) > 0);
    }
}
