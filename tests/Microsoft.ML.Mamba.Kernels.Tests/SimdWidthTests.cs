namespace Microsoft.ML.Mamba.Kernels.Tests;

public class SimdWidthTests
{
    [Fact]
    public void The_widest_supported_width_is_in_use() => Assert.Equal(SimdWidth.Supported[^1], SimdWidth.Bits);

    /// <summary>eng/test.sh runs these tests once more with the variable set, and relies on it.</summary>
    [Fact]
    public void Scalar_code_is_in_use_exactly_when_vector_instructions_are_switched_off() =>
        Assert.Equal(Environment.GetEnvironmentVariable("DOTNET_EnableHWIntrinsic") == "0", SimdWidth.Bits == 0);

    [Fact]
    public void A_forced_width_holds_until_disposed_and_on_this_thread_only()
    {
        var widest = SimdWidth.Bits;
        using (SimdWidth.Force(0))
        {
            Assert.Equal(0, SimdWidth.Bits);
            var elsewhere = -1;
            var thread = new Thread(() => elsewhere = SimdWidth.Bits);
            thread.Start();
            thread.Join();
            Assert.Equal(widest, elsewhere);
        }

        Assert.Equal(widest, SimdWidth.Bits);
    }

    [Fact]
    public void Dispatch_picks_the_body_of_the_width()
    {
        foreach (var bits in SimdWidth.Supported)
        {
            using var width = SimdWidth.Force(bits);
            var lanes = new int[1];
            SimdWidth.Dispatch(new Lanes(lanes));
            Assert.Equal(Math.Max(1, bits / 32), lanes[0]);
        }
    }

    [Fact]
    public void A_width_that_does_not_exist_is_refused() => Assert.Throws<ArgumentOutOfRangeException>(() => SimdWidth.Force(64));

    private readonly struct Lanes(int[] lanes) : IVectorBody
    {
        public void Run<V>()
            where V : struct, IFloatVector<V> => lanes[0] = V.Count;
    }
}
