namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>A compiled kernel on one device: a function that takes one structure by value. Safe for any number of threads.</summary>
public sealed unsafe class CudaKernel
{
    private const int DefaultSharedBytes = 48 * 1024;
    private const int MaxGridYZ = 65535;

    /// <summary>The architecture from which on kernels wait for those before them (native/earlier_launches.cuh), when compiled for it.</summary>
    private const int WaitsFrom = 90;

    private readonly CudaDevice _device;
    private readonly CudaDriver _driver;
    private readonly nint _function;
    private readonly string _name;
    private readonly int _parameterBytes;
    private readonly bool _startsEarly;
    private readonly Lock _raising = new();
    private volatile int _allowedSharedBytes;

    internal CudaKernel(CudaModule module, string function)
    {
        _device = module.Device;
        _driver = _device.Driver;
        _name = $"{function} ({module.Name})";
        _function = module.Function(function);
        nint previous = _device.Enter();
        try
        {
            MaxThreads = Attribute(0);
            StaticSharedBytes = Attribute(1);
            LocalBytes = Attribute(3);
            Registers = Attribute(4);
            _parameterBytes = ParameterBytes();
            _startsEarly = _driver.LaunchKernelEx != null && _device.Major * 10 + _device.Minor >= WaitsFrom && Attribute(5) >= WaitsFrom;
        }
        finally
        {
            _device.Leave(previous);
        }

        _allowedSharedBytes = DefaultSharedBytes - StaticSharedBytes;
    }

    /// <summary>Registers per thread.</summary>
    public int Registers { get; }

    /// <summary>Local memory per thread in bytes: what did not fit into registers.</summary>
    public int LocalBytes { get; }

    /// <summary>The most threads that a block of this kernel can have.</summary>
    public int MaxThreads { get; }

    /// <summary>Shared memory per block that the source declares with a fixed size, in bytes.</summary>
    public int StaticSharedBytes { get; }

    /// <summary>
    /// Starts the kernel on the default stream, the one that torch computes on, and returns without waiting. Tensors whose addresses are in
    /// <paramref name="arguments"/> must stay alive until the call returns; torch reuses freed memory in the order of the stream.
    /// </summary>
    /// <typeparam name="TArguments">Twin of the kernel's parameter structure.</typeparam>
    /// <param name="arguments">The kernel's parameters; copied.</param>
    /// <param name="grid">Number of blocks: X to 2^31 - 1, Y and Z to 65535. With a 0 nothing is started.</param>
    /// <param name="threads">Threads per block, 1 to <see cref="MaxThreads"/>.</param>
    /// <param name="dynamicSharedBytes">Shared memory per block beyond <see cref="StaticSharedBytes"/>, in bytes.</param>
    /// <param name="cooperative">Whether all blocks must run at once, since they wait for each other; refused where they cannot.</param>
    /// <exception cref="ArgumentException">A number is outside its limits.</exception>
    /// <exception cref="CudaException">The launch was refused, or an earlier one failed.</exception>
    public void Launch<TArguments>(in TArguments arguments, (long X, int Y, int Z) grid, int threads, int dynamicSharedBytes = 0, bool cooperative = false)
        where TArguments : unmanaged
    {
        if (grid.X < 0 || grid.X > int.MaxValue || grid.Y < 0 || grid.Y > MaxGridYZ || grid.Z < 0 || grid.Z > MaxGridYZ)
        {
            throw new ArgumentOutOfRangeException(
                nameof(grid), $"{_name}: a grid of {grid.X} × {grid.Y} × {grid.Z} blocks; expected at most {int.MaxValue} × {MaxGridYZ} × {MaxGridYZ}.");
        }

        if (threads < 1 || threads > MaxThreads)
        {
            throw new ArgumentOutOfRangeException(nameof(threads), $"{_name}: {threads} threads per block; expected 1 to {MaxThreads}.");
        }

        if (_parameterBytes != 0 && _parameterBytes != sizeof(TArguments))
        {
            throw new ArgumentException(
                $"{_name}: {typeof(TArguments).Name} has {sizeof(TArguments)} bytes; expected {_parameterBytes}, the kernel's own.", nameof(arguments));
        }

        if (grid.X == 0 || grid.Y == 0 || grid.Z == 0)
        {
            return;
        }

        nint previous = _device.Enter();
        int result;
        try
        {
            if (dynamicSharedBytes < 0 || dynamicSharedBytes > _allowedSharedBytes)
            {
                AllowShared(dynamicSharedBytes);
            }

            fixed (TArguments* parameters = &arguments)
            {
                void* address = parameters;
                if (cooperative)
                {
                    result = _driver.LaunchCooperativeKernel(
                        _function, (uint)grid.X, (uint)grid.Y, (uint)grid.Z, (uint)threads, 1, 1, (uint)dynamicSharedBytes, 0, &address);
                }
                else if (_startsEarly)
                {
                    var attribute = new CudaLaunchAttribute { Id = CudaLaunchAttribute.ProgrammaticStreamSerialization, Value = 1 };
                    var config = new CudaLaunchConfig
                    {
                        GridX = (uint)grid.X,
                        GridY = (uint)grid.Y,
                        GridZ = (uint)grid.Z,
                        BlockX = (uint)threads,
                        BlockY = 1,
                        BlockZ = 1,
                        SharedBytes = (uint)dynamicSharedBytes,
                        Attributes = &attribute,
                        AttributeCount = 1,
                    };
                    result = _driver.LaunchKernelEx(&config, _function, &address, null);
                }
                else
                {
                    result = _driver.LaunchKernel(
                        _function, (uint)grid.X, (uint)grid.Y, (uint)grid.Z, (uint)threads, 1, 1, (uint)dynamicSharedBytes, 0, &address, null);
                }
            }
        }
        finally
        {
            _device.Leave(previous);
        }

        if (result != CudaDriver.Success)
        {
            throw _driver.Failure($"launch of {_name}", result);
        }
    }

    /// <summary>How many blocks can run on one multiprocessor at a time.</summary>
    /// <param name="threads">Threads per block.</param>
    /// <param name="dynamicSharedBytes">Shared memory per block beyond <see cref="StaticSharedBytes"/>, in bytes.</param>
    /// <returns>The number; 0 when not even one fits.</returns>
    /// <exception cref="CudaException">The driver refuses the numbers.</exception>
    public int ActiveBlocksPerMultiprocessor(int threads, int dynamicSharedBytes)
    {
        nint previous = _device.Enter();
        try
        {
            if (dynamicSharedBytes < 0 || dynamicSharedBytes > _allowedSharedBytes)
            {
                AllowShared(dynamicSharedBytes);
            }

            int blocks = 0;
            _driver.Check($"occupancy of {_name}", _driver.OccupancyMaxActiveBlocks(&blocks, _function, threads, (nuint)dynamicSharedBytes));
            return blocks;
        }
        finally
        {
            _device.Leave(previous);
        }
    }

    private void AllowShared(int dynamicSharedBytes)
    {
        const int MaxDynamicSharedSize = 8;
        int most = _device.MaxSharedBytesPerBlock - StaticSharedBytes;
        if (dynamicSharedBytes < 0 || dynamicSharedBytes > most)
        {
            throw new ArgumentOutOfRangeException(
                nameof(dynamicSharedBytes), $"{_name}: {dynamicSharedBytes} bytes of dynamic shared memory per block; {_device.Name} can give 0 to {most}.");
        }

        lock (_raising)
        {
            if (dynamicSharedBytes > _allowedSharedBytes)
            {
                _driver.Check($"more shared memory for {_name}", _driver.FuncSetAttribute(_function, MaxDynamicSharedSize, dynamicSharedBytes));
                _allowedSharedBytes = dynamicSharedBytes;
            }
        }
    }

    private int Attribute(int number)
    {
        int value = 0;
        _driver.Check($"attributes of {_name}", _driver.FuncGetAttribute(&value, number, _function));
        return value;
    }

    /// <summary>Size of the kernel's structure, 0 where the driver cannot tell.</summary>
    private int ParameterBytes()
    {
        nuint offset = 0, size = 0;
        return _driver.FuncGetParamInfo != null && _driver.FuncGetParamInfo(_function, 0, &offset, &size) == CudaDriver.Success ? (int)size : 0;
    }
}
