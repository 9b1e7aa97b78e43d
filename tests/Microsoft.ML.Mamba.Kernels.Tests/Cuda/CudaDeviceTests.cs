using System.Runtime.InteropServices;
using Microsoft.ML.Mamba.Kernels.Cuda;
using Microsoft.ML.Mamba.Kernels.Tests.Support;

namespace Microsoft.ML.Mamba.Kernels.Tests.Cuda;

/// <summary>What only a GPU can show; skipped elsewhere.</summary>
public class CudaDeviceTests
{
    [SkippableFact]
    public void The_same_arguments_give_the_same_device_and_kernel()
    {
        var device = Gpu.SkipIfMissing();
        var kernel = device.Kernel("sequence_reverse", "sequence_reverse", "UNIT=uint1");

        Assert.Same(device, CudaDevice.Get(0));
        Assert.Same(kernel, device.Kernel("sequence_reverse", "sequence_reverse", "UNIT=uint1"));
        Assert.NotSame(kernel, device.Kernel("sequence_reverse", "sequence_reverse", "UNIT=uint2"));
        Assert.True(device.Name.Length > 0 && device.Major >= 5 && device.Multiprocessors > 0 && device.MaxSharedBytesPerBlock >= 48 * 1024, device.Name);
        Assert.True(kernel.Registers > 0 && kernel.LocalBytes == 0 && kernel.MaxThreads >= 256 && kernel.StaticSharedBytes == 0);
        Assert.True(kernel.ActiveBlocksPerMultiprocessor(256, 0) > kernel.ActiveBlocksPerMultiprocessor(256, device.MaxSharedBytesPerBlock));
        Assert.Equal(1, kernel.ActiveBlocksPerMultiprocessor(256, device.MaxSharedBytesPerBlock));
    }

    [SkippableFact]
    public void Random_shapes_are_reversed_as_on_the_processor()
    {
        var device = Gpu.SkipIfMissing();
        for (var seed = 0; seed < 60; seed++)
        {
            var random = new Random(seed);
            var (batch, length, width) = (random.Next(0, 5), RandomValues.Pick(random, 0, 1, 2, 17, 300), RandomValues.Pick(random, 1, 2, 3, 16, 33, 64, 1536));
            var lengths = Enumerable.Range(0, batch).Select(_ => random.Next(0, length + 1)).ToArray();
            var (xStride, yStride) = (width + RandomValues.Pick(random, 0, 1, 8), width + RandomValues.Pick(random, 0, 4, 5));
            CheckReversal<int>(device, random, lengths, length, width, xStride, yStride);
            CheckReversal<short>(device, random, lengths, length, width, xStride, yStride);
        }
    }

    [SkippableFact]
    public void Launches_from_many_threads_are_all_done()
    {
        var device = Gpu.SkipIfMissing();
        Parallel.For(0, 16, seed => CheckReversal<int>(device, new Random(seed), [100, 3, 0], 100, 24, 24, 24));
    }

    [SkippableFact]
    public void Numbers_outside_their_limits_are_refused_and_an_empty_grid_is_nothing()
    {
        var device = Gpu.SkipIfMissing();
        var kernel = device.Kernel("sequence_reverse", "sequence_reverse", "UNIT=uint1");
        var arguments = default(CudaSequenceReverseArguments);

        kernel.Launch(arguments, (0, 1, 1), 256);
        kernel.Launch(arguments, (1, 1, 0), 256);
        Assert.Contains("expected at most 2147483647 × 65535 × 65535", Assert.Throws<ArgumentOutOfRangeException>(() => kernel.Launch(arguments, (1L << 31, 1, 1), 256)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => kernel.Launch(arguments, (1, 65536, 1), 256));
        Assert.Throws<ArgumentOutOfRangeException>(() => kernel.Launch(arguments, (1, 1, 1), kernel.MaxThreads + 1));
        Assert.Contains("bytes of dynamic shared memory", Assert.Throws<ArgumentOutOfRangeException>(() => kernel.Launch(arguments, (1, 1, 1), 32, 1 << 20)).Message);
        kernel.Launch(arguments, (1, 1, 1), 32, device.MaxSharedBytesPerBlock); // no rows
        device.Synchronize();
    }

    [SkippableFact]
    public void Memory_that_is_not_there_is_told_as_such()
    {
        var device = Gpu.SkipIfMissing();

        var error = Assert.Throws<CudaException>(() => new CudaArray<byte>(device, 1L << 45));

        Assert.True(error.IsOutOfMemory);
        Assert.Equal("CUDA_ERROR_OUT_OF_MEMORY", error.ErrorName);
        Assert.Contains("smaller batch", error.Message);
    }

    [SkippableFact]
    public void A_device_that_is_not_there_is_refused()
    {
        Gpu.SkipIfMissing();

        Assert.Contains("expected an index from 0", Assert.Throws<CudaException>(() => CudaDevice.Get(CudaDevice.Count())).Message);
        Assert.Throws<CudaException>(() => CudaDevice.Get(-1));
    }

    private static void CheckReversal<T>(CudaDevice device, Random random, int[] lengths, int length, int width, int xStride, int yStride)
        where T : unmanaged
    {
        var rows = lengths.Length * length;
        var values = new T[rows * xStride];
        random.NextBytes(MemoryMarshal.AsBytes(values.AsSpan()));
        using var x = new NativeArray<T>(values);
        using var want = new NativeArray<T>(rows * yStride);
        SequenceReverse.Apply(x.AsRows(rows, width, xStride), lengths, length, want.AsRows(rows, width, yStride));

        using var onDevice = new CudaArray<T>(device, values);
        using var deviceLengths = new CudaArray<int>(device, lengths);
        using var y = new CudaArray<T>(device, new T[rows * yStride]);
        CudaSequenceReverse.Launch(device, onDevice.Address, xStride, deviceLengths.Address, lengths.Length, length, width, Marshal.SizeOf<T>(), y.Address, yStride);

        Assert.Equal(want.ToArray(), y.ToArray());
    }
}
