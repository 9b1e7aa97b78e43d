using Microsoft.ML.Mamba.Kernels.Cuda;
using Microsoft.ML.Mamba.Kernels.Tests.Support;

namespace Microsoft.ML.Mamba.Kernels.Tests.Cuda.Dropout;

/// <summary>The CUDA dropout, run on the processor: which values it drops, worked out here once more.</summary>
public sealed class CudaDropoutOnHostTests
{
    [SkippableTheory]
    [InlineData(CudaNumber.Float32, 16)]
    [InlineData(CudaNumber.BFloat16, 16)]
    [InlineData(CudaNumber.Float16, 3)]
    public void Values_are_dropped_by_their_place(CudaNumber type, int offset)
    {
        HostCuda.SkipIfMissing();
        const int Count = 1003;
        const uint Threshold = 1u << 30;
        const ulong Key = 0xfedcba9876543210;
        var values = TypedRows.Round(type, RandomValues.Next(new Random(1), Count));
        using TypedRows x = new(type, 1, Count, 0, values, offset), y = new(type, 1, Count);
        HostCuda.Run(CudaCounterDropout.Plan(type, x.Rows.Address, y.Rows.Address, Count, Key, Threshold, 2));
        var mixed = Mix(Key);
        var want = values.Select((value, i) => Scramble(Scramble((uint)i ^ (uint)mixed) + (uint)(mixed >> 32)) >= Threshold ? 2 * value : 0).ToArray();
        Assert.Equal(want, y.Read("y"));
    }

    private static ulong Mix(ulong key)
    {
        key = (key ^ (key >> 30)) * 0xBF58476D1CE4E5B9;
        key = (key ^ (key >> 27)) * 0x94D049BB133111EB;
        return key ^ (key >> 31);
    }

    private static uint Scramble(uint value)
    {
        value = (value ^ (value >> 16)) * 0x7FEB352Du;
        value = (value ^ (value >> 15)) * 0x846CA68Bu;
        return value ^ (value >> 16);
    }
}
