namespace Microsoft.ML.Mamba.Kernels.Tests;

public class ScratchTests
{
    [Fact]
    public void Two_rents_at_the_same_time_never_share_memory() =>
        Parallel.For(0, 200, i =>
        {
            using var first = Scratch.Rent(1000 + i);
            using var second = Scratch.Rent(5000 - i);
            Assert.True(Overlap(first, 1000 + i, second, 5000 - i) <= 0);
        });

    [Fact]
    public void Disposing_twice_returns_the_memory_once()
    {
        var scratch = Scratch.Rent(12345);
        scratch.Dispose();
        scratch.Dispose();
        using var first = Scratch.Rent(12345);
        using var second = Scratch.Rent(12345);
        Assert.True(Overlap(first, 12345, second, 12345) <= 0);
    }

    private static long Overlap(Scratch a, long aLength, Scratch b, long bLength) =>
        Math.Min(a.Address + aLength * sizeof(float), b.Address + bLength * sizeof(float)) - Math.Max(a.Address, b.Address);
}
