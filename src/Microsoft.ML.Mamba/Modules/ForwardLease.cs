namespace Microsoft.ML.Mamba.Modules;

/// <summary>
/// Lets any number of threads use a resource and one dispose it: it is freed when nobody uses it any longer, and later
/// users are turned away.
/// </summary>
internal sealed class ForwardLease(IDisposable resource, string name) : IDisposable
{
    private readonly Lock _gate = new();
    private int _users;
    private bool _disposed;

    /// <summary>Uses the resource until the result is disposed.</summary>
    /// <exception cref="ObjectDisposedException">It was disposed before.</exception>
    internal Use Enter()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                throw new ObjectDisposedException(name);
            }
            _users++;
        }
        return new Use(this);
    }

    private void Exit()
    {
        bool last;
        lock (_gate)
        {
            _users--;
            last = _disposed && _users == 0;
        }
        if (last)
        {
            resource.Dispose();
        }
    }

    /// <summary>Turns later users away; frees the resource at once or when its last user leaves. May be called again.</summary>
    public void Dispose()
    {
        bool idle;
        lock (_gate)
        {
            idle = !_disposed && _users == 0;
            _disposed = true;
        }
        if (idle)
        {
            resource.Dispose();
        }
    }

    /// <summary>The time for which a user holds the resource.</summary>
    internal readonly struct Use(ForwardLease lease) : IDisposable
    {
        public void Dispose() => lease.Exit();
    }
}
