using Microsoft.ML.Mamba.Modules;

namespace Microsoft.ML.Mamba.Tests.Modules;

public sealed class ForwardLeaseTests
{
    [Fact]
    public void An_idle_resource_is_freed_at_once_and_only_once()
    {
        var resource = new Resource();
        var lease = new ForwardLease(resource, "model");
        lease.Enter().Dispose();

        lease.Dispose();
        lease.Dispose();

        Assert.Equal(1, resource.Freed);
    }

    [Fact]
    public void A_used_resource_is_freed_when_its_last_user_leaves()
    {
        var resource = new Resource();
        var lease = new ForwardLease(resource, "model");
        var (first, second) = (lease.Enter(), lease.Enter());

        lease.Dispose();
        first.Dispose();
        Assert.Equal(0, resource.Freed);
        Assert.Equal("model", Assert.Throws<ObjectDisposedException>(() => lease.Enter()).ObjectName);
        second.Dispose();

        Assert.Equal(1, resource.Freed);
    }

    [Fact]
    public void Many_threads_and_one_disposer_free_it_once_and_never_under_a_user()
    {
        for (var round = 0; round < 200; round++)
        {
            var resource = new Resource();
            var lease = new ForwardLease(resource, "model");
            Parallel.For(0, 8, thread =>
            {
                if (thread == 4)
                {
                    lease.Dispose();
                    return;
                }
                try
                {
                    using var use = lease.Enter();
                    Assert.Equal(0, resource.Freed);
                }
                catch (ObjectDisposedException)
                {
                }
            });
            Assert.Equal(1, resource.Freed);
        }
    }

    private sealed class Resource : IDisposable
    {
        private int _freed;

        public int Freed => Volatile.Read(ref _freed);

        public void Dispose() => Interlocked.Increment(ref _freed);
    }
}
