using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>The calls of CUDA's driver API that the kernels need, in the library that every NVIDIA driver installs.</summary>
internal sealed unsafe class CudaDriver
{
    public const int Success = 0;
    public const int ErrorNoDevice = 100;

    private static readonly Lock Loading = new();
    private static CudaDriver? s_loaded;
    private static string s_refusal = "";

    public readonly delegate* unmanaged<int*, int> DeviceGetCount;
    public readonly delegate* unmanaged<int*, int, int> DeviceGet;
    public readonly delegate* unmanaged<byte*, int, int, int> DeviceGetName;
    public readonly delegate* unmanaged<int*, int, int, int> DeviceGetAttribute;
    public readonly delegate* unmanaged<nint*, int, int> DevicePrimaryCtxRetain;
    public readonly delegate* unmanaged<nint*, int> CtxGetCurrent;
    public readonly delegate* unmanaged<nint, int> CtxSetCurrent;
    public readonly delegate* unmanaged<int> CtxSynchronize;
    public readonly delegate* unmanaged<nint*, byte*, uint, int*, void**, int> ModuleLoadDataEx;
    public readonly delegate* unmanaged<nint*, nint, byte*, int> ModuleGetFunction;
    public readonly delegate* unmanaged<int*, int, nint, int> FuncGetAttribute;
    public readonly delegate* unmanaged<nint, int, int, int> FuncSetAttribute;
    public readonly delegate* unmanaged<int*, nint, int, nuint, int> OccupancyMaxActiveBlocks;
    public readonly delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, int> LaunchKernel;
    public readonly delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, int> LaunchCooperativeKernel;
    public readonly delegate* unmanaged<nint*, uint, int> EventCreate;
    public readonly delegate* unmanaged<nint, nint, int> EventRecord;
    public readonly delegate* unmanaged<nint, int> EventSynchronize;
    public readonly delegate* unmanaged<nint, int> EventDestroy;
    public readonly delegate* unmanaged<nint*, nuint, int> MemAlloc;
    public readonly delegate* unmanaged<nint, int> MemFree;
    public readonly delegate* unmanaged<nint, void*, nuint, int> MemcpyHostToDevice;
    public readonly delegate* unmanaged<void*, nint, nuint, int> MemcpyDeviceToHost;

    /// <summary>A launch with attributes; null with drivers before 11.8.</summary>
    public readonly delegate* unmanaged<CudaLaunchConfig*, nint, void**, void**, int> LaunchKernelEx;

    /// <summary>Size of a kernel's parameter; null with drivers before 12.4.</summary>
    public readonly delegate* unmanaged<nint, nuint, nuint*, nuint*, int> FuncGetParamInfo;

    private readonly delegate* unmanaged<int, byte**, int> _getErrorName;
    private readonly delegate* unmanaged<int, byte**, int> _getErrorString;

    private CudaDriver(nint library)
    {
        DeviceGetCount = (delegate* unmanaged<int*, int>)Export("cuDeviceGetCount");
        DeviceGet = (delegate* unmanaged<int*, int, int>)Export("cuDeviceGet");
        DeviceGetName = (delegate* unmanaged<byte*, int, int, int>)Export("cuDeviceGetName");
        DeviceGetAttribute = (delegate* unmanaged<int*, int, int, int>)Export("cuDeviceGetAttribute");
        DevicePrimaryCtxRetain = (delegate* unmanaged<nint*, int, int>)Export("cuDevicePrimaryCtxRetain");
        CtxGetCurrent = (delegate* unmanaged<nint*, int>)Export("cuCtxGetCurrent");
        CtxSetCurrent = (delegate* unmanaged<nint, int>)Export("cuCtxSetCurrent");
        CtxSynchronize = (delegate* unmanaged<int>)Export("cuCtxSynchronize");
        ModuleLoadDataEx = (delegate* unmanaged<nint*, byte*, uint, int*, void**, int>)Export("cuModuleLoadDataEx");
        ModuleGetFunction = (delegate* unmanaged<nint*, nint, byte*, int>)Export("cuModuleGetFunction");
        FuncGetAttribute = (delegate* unmanaged<int*, int, nint, int>)Export("cuFuncGetAttribute");
        FuncSetAttribute = (delegate* unmanaged<nint, int, int, int>)Export("cuFuncSetAttribute");
        OccupancyMaxActiveBlocks = (delegate* unmanaged<int*, nint, int, nuint, int>)Export("cuOccupancyMaxActiveBlocksPerMultiprocessor");
        LaunchKernel = (delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, void**, int>)Export("cuLaunchKernel");
        LaunchCooperativeKernel = (delegate* unmanaged<nint, uint, uint, uint, uint, uint, uint, uint, nint, void**, int>)Export("cuLaunchCooperativeKernel");
        EventCreate = (delegate* unmanaged<nint*, uint, int>)Export("cuEventCreate");
        EventRecord = (delegate* unmanaged<nint, nint, int>)Export("cuEventRecord");
        EventSynchronize = (delegate* unmanaged<nint, int>)Export("cuEventSynchronize");
        EventDestroy = (delegate* unmanaged<nint, int>)Export("cuEventDestroy_v2");
        MemAlloc = (delegate* unmanaged<nint*, nuint, int>)Export("cuMemAlloc_v2");
        MemFree = (delegate* unmanaged<nint, int>)Export("cuMemFree_v2");
        MemcpyHostToDevice = (delegate* unmanaged<nint, void*, nuint, int>)Export("cuMemcpyHtoD_v2");
        MemcpyDeviceToHost = (delegate* unmanaged<void*, nint, nuint, int>)Export("cuMemcpyDtoH_v2");
        _getErrorName = (delegate* unmanaged<int, byte**, int>)Export("cuGetErrorName");
        _getErrorString = (delegate* unmanaged<int, byte**, int>)Export("cuGetErrorString");
        if (NativeLibrary.TryGetExport(library, "cuFuncGetParamInfo", out nint getParamInfo))
        {
            FuncGetParamInfo = (delegate* unmanaged<nint, nuint, nuint*, nuint*, int>)getParamInfo;
        }

        if (NativeLibrary.TryGetExport(library, "cuLaunchKernelEx", out nint launchKernelEx))
        {
            LaunchKernelEx = (delegate* unmanaged<CudaLaunchConfig*, nint, void**, void**, int>)launchKernelEx;
        }

        var version = 0;
        if (((delegate* unmanaged<int*, int>)Export("cuDriverGetVersion"))(&version) == Success)
        {
            Version = new Version(version / 1000, version % 1000 / 10);
        }

        Check("initialisation of CUDA", ((delegate* unmanaged<uint, int>)Export("cuInit"))(0));

        nint Export(string name) => NativeLibrary.GetExport(library, name);
    }

    /// <summary>The newest version of CUDA that the driver can run, e.g. 13.0.</summary>
    public Version Version { get; } = new();

    private static string FileName => OperatingSystem.IsWindows() ? "nvcuda.dll" : "libcuda.so.1";

    /// <summary>Loads and initialises the driver once per process.</summary>
    /// <param name="driver">The driver; null where it cannot be used.</param>
    /// <param name="reason">Why not; empty where it can.</param>
    public static bool TryLoad([NotNullWhen(true)] out CudaDriver? driver, out string reason)
    {
        lock (Loading)
        {
            if (s_loaded is null && s_refusal.Length == 0)
            {
                s_loaded = TryLoad(FileName, out s_refusal);
            }

            (driver, reason) = (s_loaded, s_refusal);
            return driver is not null;
        }
    }

    /// <summary>Loads the driver from a library of that name, and says why when it cannot.</summary>
    internal static CudaDriver? TryLoad(string fileName, out string refusal)
    {
        if (!NativeLibrary.TryLoad(fileName, out nint library))
        {
            refusal = $"NVIDIA's driver is not installed: the system's loader does not find {fileName}.";
            return null;
        }

        try
        {
            refusal = "";
            return new CudaDriver(library);
        }
        catch (EntryPointNotFoundException e)
        {
            refusal = $"NVIDIA's driver ({fileName}) is too old: {e.Message}";
        }
        catch (CudaException e)
        {
            refusal = e.Code == ErrorNoDevice
                ? $"NVIDIA's driver ({fileName}) finds no device that CUDA can use (CUDA_VISIBLE_DEVICES may hide it)."
                : e.Message;
        }

        return null;
    }

    /// <summary>Throws unless <paramref name="result"/> is success.</summary>
    /// <exception cref="CudaException">With the operation, CUDA's name of the error and its text.</exception>
    public void Check(string operation, int result)
    {
        if (result != Success)
        {
            throw Failure(operation, result);
        }
    }

    public CudaException Failure(string operation, int result, string? details = null)
    {
        string name = Text(_getErrorName, result) ?? $"error {result}";
        string text = Text(_getErrorString, result) ?? "unknown to this driver";
        string cure = Cure(name);
        return new CudaException(operation, $"{name} ({text}).{(cure.Length > 0 ? " " + cure : "")}{details}", result, name);
    }

    private static string? Text(delegate* unmanaged<int, byte**, int> get, int result)
    {
        byte* text = null;
        return get(result, &text) == Success && text != null ? Marshal.PtrToStringUTF8((nint)text) : null;
    }

    private static string Cure(string errorName) => errorName switch
    {
        "CUDA_ERROR_OUT_OF_MEMORY" => "Use a smaller batch or shorter sequences, or free memory of the device.",
        "CUDA_ERROR_UNSUPPORTED_PTX_VERSION" or "CUDA_ERROR_NO_BINARY_FOR_GPU" or "CUDA_ERROR_INVALID_IMAGE"
            or "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH" => "The compiler (NVRTC) is probably newer than the driver: update NVIDIA's driver, or name an older NVRTC's folder in MAMBA_NVRTC.",
        "CUDA_ERROR_ILLEGAL_ADDRESS" or "CUDA_ERROR_LAUNCH_FAILED" or "CUDA_ERROR_MISALIGNED_ADDRESS" or "CUDA_ERROR_ILLEGAL_INSTRUCTION"
            or "CUDA_ERROR_LAUNCH_TIMEOUT" => "An earlier kernel may be the cause; the process cannot use the device any more and must be started anew.",
        _ => "",
    };
}
