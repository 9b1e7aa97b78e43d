using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// How many threads the kernels use, and the loop that shares work items among them. Which thread takes which item is left to
/// chance, what an item computes is not: results never depend on the number of threads.
/// </summary>
public static unsafe class KernelThreads
{
    private static int s_count = Environment.ProcessorCount;

    /// <summary>
    /// Threads that a kernel uses when its call does not say, ≥ 1. Default: the number of processors. A team of
    /// <see cref="TeamLauncher"/> that is smaller (torch.set_num_threads) gives no more than it has.
    /// </summary>
    public static int Count
    {
        get => s_count;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            s_count = value;
        }
    }

    /// <summary>
    /// Address of a function that runs another on all threads of a team at once and returns when the last has finished, with the
    /// signature of libgomp's GOMP_parallel; 0, the default, for .NET's thread pool. The threads of a team that libtorch uses as
    /// well are awake when a kernel follows a matrix product, and cannot fight with the kernel's own for processors.
    /// </summary>
    public static nint TeamLauncher { get; set; }

    /// <summary>Threads that <see cref="For"/> will use at most: the size of per-worker scratch memory.</summary>
    /// <param name="items">Number of work items.</param>
    /// <param name="threads">As asked for; 0 for <see cref="Count"/>.</param>
    /// <returns>At least 1.</returns>
    internal static int Workers(long items, int threads)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        return (int)Math.Clamp(items, 1, threads == 0 ? Count : threads);
    }

    /// <summary>
    /// Runs every item of <paramref name="work"/> once. The calling thread takes part, so that the call ends even when no other
    /// thread is free; helpers come from the team of <see cref="TeamLauncher"/> or from the thread pool, and take items as they
    /// arrive. Items are taken in their order, so whoever waits for an earlier phase waits for threads that are at work on it, however
    /// few there are.
    /// </summary>
    /// <param name="items">Number of items.</param>
    /// <param name="threads">Threads at most; 0 for <see cref="Count"/>.</param>
    /// <param name="work">The work; it is copied once per thread.</param>
    internal static void For<TWork>(long items, int threads, in TWork work)
        where TWork : struct, IKernelWork
    {
        var workers = Workers(items, threads);
        if (workers == 1)
        {
            for (long item = 0; item < items; item++)
            {
                work.Run(item, 0);
            }

            return;
        }

        var job = new Job<TWork>(items, work, workers);
        if (TeamLauncher != 0)
        {
            RunOnTeam(job);
            job.Wait();
            return;
        }

        for (var helper = 1; helper < workers; helper++)
        {
            ThreadPool.UnsafeQueueUserWorkItem(job, preferLocal: false);
        }

        job.Execute();
        job.Wait();
    }

    /// <summary>The team is as large as its owner's own loops make it (0 threads asked for): another size would rebuild it each time.</summary>
    private static void RunOnTeam(IThreadPoolWorkItem job)
    {
        var handle = GCHandle.Alloc(job);
        try
        {
            var launch = (delegate* unmanaged<delegate* unmanaged<nint, void>, nint, uint, uint, void>)TeamLauncher;
            launch(&JoinTeam, GCHandle.ToIntPtr(handle), 0, 0);
        }
        finally
        {
            handle.Free();
        }
    }

    /// <summary>What each thread of the team runs. A job keeps its exceptions to itself: none may pass through native frames.</summary>
    [UnmanagedCallersOnly]
    private static void JoinTeam(nint job) => ((IThreadPoolWorkItem)GCHandle.FromIntPtr(job).Target!).Execute();

    private sealed class Job<TWork> : IThreadPoolWorkItem
        where TWork : struct, IKernelWork
    {
        private readonly long _items;
        private readonly TWork _work;

        // The wait is for items that a helper has begun, a fraction of a millisecond: spin before blocking.
        private readonly ManualResetEventSlim _done = new(false, spinCount: 200);
        private ExceptionDispatchInfo? _failure;
        private long _next = -1;
        private long _left;
        private readonly int _maxWorkers;
        private int _workers = -1;

        public Job(long items, in TWork work, int maxWorkers)
        {
            _items = items;
            _work = work;
            _left = items;
            _maxWorkers = maxWorkers;
        }

        /// <summary>Takes items until none is left. A helper that arrives late finds none; one too many, in a larger team, takes none.</summary>
        public void Execute()
        {
            if (Interlocked.Read(ref _next) >= _items - 1)
            {
                return;
            }

            var worker = Interlocked.Increment(ref _workers);
            if (worker >= _maxWorkers)
            {
                return;
            }

            for (var item = Interlocked.Increment(ref _next); item < _items; item = Interlocked.Increment(ref _next))
            {
                try
                {
                    if (TWork.HasPhases)
                    {
                        WaitFor(item);
                    }

                    _work.Run(item, worker);
                }
                catch (Exception e)
                {
                    _failure ??= ExceptionDispatchInfo.Capture(e);
                }

                if (Interlocked.Decrement(ref _left) == 0)
                {
                    _done.Set();
                }
            }
        }

        /// <summary>
        /// Returns when all items of earlier phases are done. Items of this phase do not begin before that, so counting is enough.
        /// Another thread is at most an item away from done, unless its processor was taken away: then this one's is offered.
        /// </summary>
        private void WaitFor(long item)
        {
            const int Tries = 500;
            var leftAtMost = _items - _work.Needs(item);
            var wait = new SpinWait();
            for (long call = 0; Volatile.Read(ref _left) > leftAtMost; call++)
            {
                if (call < Tries)
                {
                    _work.Prefetch(item, call);
                    Thread.SpinWait(1);
                }
                else
                {
                    wait.SpinOnce(sleep1Threshold: -1);
                }
            }
        }

        public void Wait()
        {
            _done.Wait();
            _failure?.Throw();
        }
    }
}
