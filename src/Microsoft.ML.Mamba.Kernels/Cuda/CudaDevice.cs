using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>
/// A GPU in its primary context, the one that libtorch uses too, with the kernels that were compiled for it. One object per
/// index and process; safe for any number of threads. Nothing of CUDA is loaded before the first use.
/// </summary>
public sealed unsafe class CudaDevice
{
    private static readonly Lock Opening = new();
    private static CudaDevice?[] s_devices = [];

    private readonly Lock _adding = new();
    private volatile KernelEntry[] _kernels = [];
    private volatile CudaModule[] _modules = [];

    private CudaDevice(CudaDriver driver, int index)
    {
        Driver = driver;
        Index = index;
        var operation = $"opening CUDA device {index}";
        int opened = 0;
        driver.Check(operation, driver.DeviceGet(&opened, index));
        int device = opened;
        Major = Attribute(75);
        Minor = Attribute(76);
        Multiprocessors = Attribute(16);
        MaxSharedBytesPerBlock = Attribute(97);
        LaunchesCooperatively = Attribute(95) != 0;
        const int NameBytes = 256;
        byte* name = stackalloc byte[NameBytes];
        driver.Check(operation, driver.DeviceGetName(name, NameBytes, device));
        Name = Marshal.PtrToStringUTF8((nint)name) ?? "";
        nint context = 0;
        driver.Check(operation, driver.DevicePrimaryCtxRetain(&context, device));
        Context = context;

        int Attribute(int number)
        {
            int value = 0;
            driver.Check(operation, driver.DeviceGetAttribute(&value, number, device));
            return value;
        }
    }

    /// <summary>Number of the device, as CUDA and torch count them.</summary>
    public int Index { get; }

    /// <summary>The product's name, e.g. <c>NVIDIA H200</c>.</summary>
    public string Name { get; }

    /// <summary>Major number of the compute capability, e.g. 9.</summary>
    public int Major { get; }

    /// <summary>Minor number of the compute capability, e.g. 0.</summary>
    public int Minor { get; }

    /// <summary>Number of streaming multiprocessors.</summary>
    public int Multiprocessors { get; }

    /// <summary>Shared memory that one block can have, static and dynamic together, in bytes, when a kernel asks for more than the default 48 KB.</summary>
    public int MaxSharedBytesPerBlock { get; }

    /// <summary>Whether blocks of a launch can be made to run all at once, so that they may wait for each other.</summary>
    public bool LaunchesCooperatively { get; }

    internal CudaDriver Driver { get; }

    internal nint Context { get; }

    /// <summary>Whether kernels can be compiled and run here: NVIDIA's driver, a device and the compiler NVRTC are present.</summary>
    /// <param name="reason">What is missing, with all places that were looked through; empty when nothing is.</param>
    /// <returns>True when nothing is missing.</returns>
    public static bool IsAvailable(out string reason) =>
        CudaDriver.TryLoad(out CudaDriver? driver, out reason) && HasDevice(driver, out reason) && Nvrtc.TryLoad(out _, out reason);

    /// <summary>Number of devices; 0 where there is no driver.</summary>
    /// <returns>The count, as CUDA_VISIBLE_DEVICES leaves it.</returns>
    public static int Count() => CudaDriver.TryLoad(out CudaDriver? driver, out _) ? CountOf(driver) : 0;

    /// <summary>The device of that number. Its primary context is created or joined, and kept until the process ends.</summary>
    /// <param name="index">0 ≤ index &lt; <see cref="Count"/>.</param>
    /// <returns>The same object at each call.</returns>
    /// <exception cref="CudaException">No driver, no such device, or its context cannot be made.</exception>
    public static CudaDevice Get(int index)
    {
        CudaDevice?[] devices = Volatile.Read(ref s_devices);
        return (uint)index < (uint)devices.Length && devices[index] is { } device ? device : Open(index);
    }

    /// <summary>A kernel, compiled for this device: at most once per process, and kept on disk between processes.</summary>
    /// <param name="source">Name of the file in native/ without <c>.cu</c>, e.g. <c>selective_scan</c>.</param>
    /// <param name="function">The <c>extern "C"</c> function in it.</param>
    /// <param name="defines">Macros of this variant, <c>NAME</c> or <c>NAME=value</c>; their order matters to the caches only.</param>
    /// <returns>The same object for the same arguments. Asking again costs some hundred nanoseconds and no memory.</returns>
    /// <exception cref="CudaException">NVRTC was not found (the message says where was looked), the source does not compile (with the compiler's messages), or the driver refuses the result.</exception>
    public CudaKernel Kernel(string source, string function, params ReadOnlySpan<string> defines)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(function);
        return (Find(_kernels, source, function, defines) ?? Add(source, function, defines)).Kernel();
    }

    /// <summary>Waits until everything that was started on this device has ended.</summary>
    /// <exception cref="CudaException">One of those launches failed.</exception>
    public void Synchronize()
    {
        nint previous = Enter();
        int result = Driver.CtxSynchronize();
        Leave(previous);
        Driver.Check($"waiting for CUDA device {Index}", result);
    }

    /// <summary>Makes the device's context current on this thread.</summary>
    /// <returns>What to hand to <see cref="Leave"/>.</returns>
    internal nint Enter()
    {
        nint current = 0;
        int result = Driver.CtxGetCurrent(&current);
        if (result == CudaDriver.Success && current != Context)
        {
            result = Driver.CtxSetCurrent(Context);
        }

        if (result != CudaDriver.Success)
        {
            throw Driver.Failure($"entering the context of CUDA device {Index}", result);
        }

        return current;
    }

    /// <summary>Gives the thread back the context of another device that it had before.</summary>
    internal void Leave(nint previous)
    {
        if (previous != Context && previous != 0)
        {
            // Nothing depends on the answer: who needs a context sets its own.
            Driver.CtxSetCurrent(previous);
        }
    }

    private static CudaDevice Open(int index)
    {
        if (!CudaDriver.TryLoad(out CudaDriver? driver, out string reason))
        {
            throw new CudaException($"opening CUDA device {index}", reason);
        }

        lock (Opening)
        {
            int count = CountOf(driver);
            if ((uint)index >= (uint)count)
            {
                throw new CudaException($"opening CUDA device {index}", $"there {(count == 1 ? "is 1 device" : $"are {count} devices")}; expected an index from 0 to {count - 1}.");
            }

            CudaDevice?[] devices = s_devices.Length == count ? [.. s_devices] : new CudaDevice?[count];
            devices[index] ??= new CudaDevice(driver, index);
            Volatile.Write(ref s_devices, devices);
            return devices[index]!;
        }
    }

    private static int CountOf(CudaDriver driver)
    {
        int count = 0;
        driver.Check("counting CUDA devices", driver.DeviceGetCount(&count));
        return count;
    }

    private static bool HasDevice(CudaDriver driver, out string reason)
    {
        try
        {
            reason = CountOf(driver) > 0 ? "" : "NVIDIA's driver finds no device (CUDA_VISIBLE_DEVICES may hide it).";
        }
        catch (CudaException e)
        {
            reason = e.Message;
        }

        return reason.Length == 0;
    }

    private static KernelEntry? Find(KernelEntry[] kernels, string source, string function, ReadOnlySpan<string> defines)
    {
        foreach (KernelEntry entry in kernels)
        {
            if (entry.Function == function && entry.Module.Is(source, defines))
            {
                return entry;
            }
        }

        return null;
    }

    private KernelEntry Add(string source, string function, ReadOnlySpan<string> defines)
    {
        lock (_adding)
        {
            if (Find(_kernels, source, function, defines) is { } present)
            {
                return present;
            }

            CudaModule? module = null;
            foreach (CudaModule known in _modules)
            {
                module = known.Is(source, defines) ? known : module;
            }

            if (module is null)
            {
                module = new CudaModule(this, source, defines.ToArray());
                _modules = [.. _modules, module];
            }

            var entry = new KernelEntry(module, function);
            _kernels = [.. _kernels, entry];
            return entry;
        }
    }

    /// <summary>A kernel that somebody asked for; made by the first who needs it, while others wait.</summary>
    private sealed class KernelEntry(CudaModule module, string function)
    {
        private readonly Lock _making = new();
        private volatile CudaKernel? _kernel;

        public CudaModule Module => module;

        public string Function => function;

        public CudaKernel Kernel()
        {
            if (_kernel is { } made)
            {
                return made;
            }

            lock (_making)
            {
                return _kernel ??= new CudaKernel(module, function);
            }
        }
    }
}
