using System.Text;

namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>One source with one set of macros, compiled and loaded into a device's context when first needed, and never unloaded.</summary>
internal sealed unsafe class CudaModule(CudaDevice device, string source, string[] defines)
{
    private const int ErrorLogBuffer = 5;
    private const int ErrorLogBufferBytes = 6;

    private readonly Lock _loading = new();
    private nint _module;

    public CudaDevice Device => device;

    /// <summary>Source and macros, for messages.</summary>
    public string Name { get; } = string.Join(' ', [source + ".cu", .. defines]);

    public bool Is(string otherSource, ReadOnlySpan<string> otherDefines) =>
        source == otherSource && otherDefines.SequenceEqual(defines);

    public nint Function(string name)
    {
        nint previous = device.Enter();
        try
        {
            nint function = 0;
            int result;
            fixed (byte* text = Encoding.UTF8.GetBytes(name + '\0'))
            {
                result = device.Driver.ModuleGetFunction(&function, Module(), text);
            }

            device.Driver.Check($"looking up {name} in {Name}", result);
            return function;
        }
        finally
        {
            device.Leave(previous);
        }
    }

    private nint Module()
    {
        lock (_loading)
        {
            if (_module == 0)
            {
                _module = Load(CudaCompiler.OfCurrentUser.Compile(source, defines, device.Major, device.Minor));
            }

            return _module;
        }
    }

    private nint Load(byte[] image)
    {
        const int LogBytes = 8192;
        byte[] log = new byte[LogBytes];
        nint module = 0;
        int result;
        fixed (byte* data = image, text = log)
        {
            int* options = stackalloc int[] { ErrorLogBuffer, ErrorLogBufferBytes };
            void** values = stackalloc void*[] { text, (void*)LogBytes };
            result = device.Driver.ModuleLoadDataEx(&module, data, 2, options, values);
        }

        if (result != CudaDriver.Success)
        {
            int end = Array.IndexOf(log, (byte)0);
            string said = Encoding.UTF8.GetString(log, 0, end < 0 ? LogBytes : end).Trim();
            throw device.Driver.Failure(
                $"loading {Name} on {device.Name} (driver for CUDA {device.Driver.Version})", result, said.Length > 0 ? "\n" + said : null);
        }

        return module;
    }
}
