namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>A launch as it was planned, before any device is touched: tests run it on a processor too.</summary>
/// <typeparam name="TArguments">Twin of the kernel's parameter structure.</typeparam>
/// <param name="Variant">The kernel.</param>
/// <param name="Arguments">Its parameters.</param>
/// <param name="Blocks">Number of blocks; 0 for nothing to do.</param>
/// <param name="Threads">Threads per block.</param>
/// <param name="SharedBytes">Dynamic shared memory of a block.</param>
/// <param name="Cooperative">Whether all blocks must run at once, since they wait for each other.</param>
internal readonly record struct CudaLaunch<TArguments>(CudaKernelVariant Variant, TArguments Arguments, long Blocks, int Threads, int SharedBytes = 0, bool Cooperative = false)
    where TArguments : unmanaged
{
    /// <summary>Starts the kernel on the device's default stream.</summary>
    public void On(CudaDevice device)
    {
        if (Blocks > 0)
        {
            Variant.On(device).Launch(Arguments, (Blocks, 1, 1), Threads, SharedBytes, Cooperative);
        }
    }
}

/// <summary>Where planned launches go: a GPU, or the processor in tests.</summary>
internal interface ICudaTarget
{
    /// <summary>What plans fill with work.</summary>
    int Multiprocessors { get; }

    /// <summary>Runs launches one after the other.</summary>
    void Run<TArguments>(in CudaLaunch<TArguments> launch)
        where TArguments : unmanaged;
}

/// <summary>A GPU as a target.</summary>
internal readonly struct CudaDeviceTarget(CudaDevice device) : ICudaTarget
{
    public int Multiprocessors => device.Multiprocessors;

    public void Run<TArguments>(in CudaLaunch<TArguments> launch)
        where TArguments : unmanaged => launch.On(device);
}
