namespace Microsoft.ML.Mamba.Kernels.Tests;

public class KernelThreadsTests
{
    [Theory]
    [InlineData(0, 4)]
    [InlineData(1, 4)]
    [InlineData(1000, 1)]
    [InlineData(1000, 2)]
    [InlineData(1000, 8)]
    public void Every_item_runs_once_on_a_worker_of_the_stated_number(int items, int threads)
    {
        var runs = new int[Math.Max(items, 1)];
        KernelThreads.For(items, threads, new Work((item, worker) =>
        {
            Assert.InRange(worker, 0, KernelThreads.Workers(items, threads) - 1);
            Interlocked.Increment(ref runs[item]);
        }));
        Assert.All(runs.Take(items), count => Assert.Equal(1, count));
    }

    [Fact]
    public void Two_items_never_share_a_worker_at_the_same_time()
    {
        var busy = new int[4];
        KernelThreads.For(400, 4, new Work((_, worker) =>
        {
            Assert.Equal(1, Interlocked.Increment(ref busy[worker]));
            Thread.SpinWait(200);
            Interlocked.Decrement(ref busy[worker]);
        }));
    }

    [Fact]
    public void Calls_from_many_threads_and_from_inside_the_pool_all_end()
    {
        var total = 0;
        Parallel.For(0, 64, _ => KernelThreads.For(50, 8, new Work((_, _) => Interlocked.Increment(ref total))));
        Assert.Equal(64 * 50, total);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void An_exception_reaches_the_caller(int threads) =>
        Assert.Throws<InvalidOperationException>(() =>
            KernelThreads.For(100, threads, new Work((item, _) =>
            {
                if (item == 50)
                {
                    throw new InvalidOperationException();
                }
            })));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(8)]
    public void An_item_of_a_phase_begins_when_all_earlier_phases_are_done(int threads)
    {
        const int Phase = 7;
        var done = 0;
        var early = 0;
        KernelThreads.For(30 * Phase, threads, new Phases(Phase, item =>
        {
            if (Volatile.Read(ref done) < item / Phase * Phase)
            {
                Interlocked.Increment(ref early);
            }

            Thread.SpinWait((int)(item % 5) * 50);
            Interlocked.Increment(ref done);
        }));
        Assert.Equal((30 * Phase, 0), (done, early));
    }

    [Fact]
    public void Phases_end_when_a_team_is_smaller_than_asked_for_and_when_an_item_fails()
    {
        var total = 0;
        Parallel.For(0, 32, _ => KernelThreads.For(60, 8, new Phases(1, _ => Interlocked.Increment(ref total))));
        Assert.Equal(32 * 60, total);
        Assert.Throws<InvalidOperationException>(() => KernelThreads.For(60, 4, new Phases(3, item =>
        {
            if (item == 4)
            {
                throw new InvalidOperationException();
            }
        })));
    }

    [Fact]
    public void Count_below_one_is_refused() => Assert.Throws<ArgumentOutOfRangeException>(() => KernelThreads.Count = 0);

    private readonly struct Work(Action<long, int> run) : IKernelWork
    {
        public void Run(long item, int worker) => run(item, worker);
    }

    private readonly struct Phases(int size, Action<long> run) : IKernelWork
    {
        public static bool HasPhases => true;

        public long Needs(long item) => item / size * size;

        public void Run(long item, int worker) => run(item);
    }
}
