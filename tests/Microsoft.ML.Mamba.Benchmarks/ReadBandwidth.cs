using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>
/// How fast this machine reads memory: all processors, or as many as asked for, sum an array, each taking the next block when it is done
/// with one. On threads of its own, without libtorch or the library's kernels.
/// </summary>
internal sealed class ReadBandwidth
{
    /// <summary>Floats per block: some ten microseconds of reading.</summary>
    private const int Block = 1 << 16;

    /// <summary>Passes per measurement, so that starting threads does not count.</summary>
    private const int Passes = 4;

    /// <summary>libtorch's threads go on spinning for a while after its last product; the measurement waits until they sleep.</summary>
    private static readonly TimeSpan UntilOthersSleep = TimeSpan.FromMilliseconds(30);

    private readonly float[] _memory;
    private readonly int _threads;
    private float _sum;

    /// <param name="bytes">Size of the array; what a cache holds is read from there.</param>
    /// <param name="threads">Threads that read; 0: one per processor.</param>
    public ReadBandwidth(long bytes, int threads = 0)
    {
        _threads = threads > 0 ? threads : Environment.ProcessorCount;
        _memory = GC.AllocateUninitializedArray<float>(checked((int)(bytes / sizeof(float))));
        Array.Fill(_memory, 1);
    }

    /// <summary>Seconds to read the array once from front to back of each block.</summary>
    public double InOneStream() => SecondsPerPass(SumOfOneStream);

    /// <summary>Seconds to read the array once, each thread at four places in turn: on some machines faster.</summary>
    public double InFourStreams() => SecondsPerPass(SumOfFourStreams);

    /// <summary>Bytes that one pass reads.</summary>
    public long Bytes => (long)(_memory.Length / Block) * Block * sizeof(float);

    private double SecondsPerPass(Func<ReadOnlySpan<float>, float> read)
    {
        Thread.Sleep(UntilOthersSleep);
        (int blocks, int next) = (_memory.Length / Block, -1);
        return Interleaved.Seconds(() =>
        {
            Thread[] others = [.. Enumerable.Range(1, _threads - 1).Select(_ => new Thread(ReadBlocks))];
            foreach (Thread other in others)
                other.Start();
            ReadBlocks();
            foreach (Thread other in others)
                other.Join();
        }) / Passes;

        void ReadBlocks()
        {
            float sum = 0;
            for (int block = Interlocked.Increment(ref next); block < Passes * blocks; block = Interlocked.Increment(ref next))
                sum += read(_memory.AsSpan(block % blocks * Block, Block));
            Volatile.Write(ref _sum, sum); // someone might look at it, so the reading is done
        }
    }

    private static float SumOfOneStream(ReadOnlySpan<float> block)
    {
        ref float start = ref MemoryMarshal.GetReference(block);
        (Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d) = (default, default, default, default);
        for (nuint i = 0; i < Block; i += 64)
        {
            a += Vector512.LoadUnsafe(ref start, i);
            b += Vector512.LoadUnsafe(ref start, i + 16);
            c += Vector512.LoadUnsafe(ref start, i + 32);
            d += Vector512.LoadUnsafe(ref start, i + 48);
        }

        return Vector512.Sum(a + b + c + d);
    }

    private static float SumOfFourStreams(ReadOnlySpan<float> block)
    {
        const nuint Quarter = Block / 4;
        ref float start = ref MemoryMarshal.GetReference(block);
        (Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d) = (default, default, default, default);
        for (nuint i = 0; i < Quarter; i += 16)
        {
            a += Vector512.LoadUnsafe(ref start, i);
            b += Vector512.LoadUnsafe(ref start, i + Quarter);
            c += Vector512.LoadUnsafe(ref start, i + 2 * Quarter);
            d += Vector512.LoadUnsafe(ref start, i + 3 * Quarter);
        }

        return Vector512.Sum(a + b + c + d);
    }
}
