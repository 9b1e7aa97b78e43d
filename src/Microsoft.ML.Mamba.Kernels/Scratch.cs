namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// Scratch memory for one call, kept for later calls when disposed: the operating system hands out and takes back large blocks
/// page by page, which cost a backward scan more than its arithmetic. At most 64 MB are kept. Holds anything when rented.
/// </summary>
internal sealed unsafe class Scratch : IDisposable
{
    private const int MostBlocks = 32;
    private const long MostFloats = 64L * 1024 * 1024 / sizeof(float);

    private static readonly Lock s_lock = new();
    private static readonly List<NativeArray<float>> s_kept = [];
    private static long s_keptFloats;

    private NativeArray<float>? _memory;

    private Scratch(NativeArray<float> memory) => _memory = memory;

    /// <summary>The first float; aligned to a page, unless the block is smaller than one.</summary>
    public float* Pointer => (float*)Address;

    /// <summary>The same as a number.</summary>
    public nint Address => _memory!.Address;

    /// <summary>At least <paramref name="length"/> floats.</summary>
    public static Scratch Rent(long length)
    {
        lock (s_lock)
        {
            var best = -1;
            for (var i = 0; i < s_kept.Count; i++)
            {
                // A block far larger than needed is left to those who need it.
                if (s_kept[i].Length >= length && s_kept[i].Length / 8 <= length && (best < 0 || s_kept[i].Length < s_kept[best].Length))
                {
                    best = i;
                }
            }

            if (best >= 0)
            {
                var memory = s_kept[best];
                s_kept.RemoveAt(best);
                s_keptFloats -= memory.Length;
                return new Scratch(memory);
            }
        }

        return new Scratch(new NativeArray<float>(length, zeroed: false));
    }

    public void Dispose()
    {
        var memory = Interlocked.Exchange(ref _memory, null);
        if (memory is null)
        {
            return;
        }

        lock (s_lock)
        {
            if (s_kept.Count < MostBlocks && s_keptFloats + memory.Length <= MostFloats)
            {
                s_kept.Add(memory);
                s_keptFloats += memory.Length;
                return;
            }
        }

        memory.Dispose();
    }
}
