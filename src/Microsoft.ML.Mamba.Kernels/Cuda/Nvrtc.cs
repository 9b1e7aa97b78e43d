using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;

namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>NVRTC, NVIDIA's compiler as a library: CUDA C++ in, machine code out. It needs no GPU, toolkit or C++ compiler.</summary>
internal sealed unsafe class Nvrtc
{
    private const int Success = 0;

    private static readonly Lock Loading = new();
    private static Nvrtc? s_loaded;

    private readonly delegate* unmanaged<int, byte*> _getErrorString;
    private readonly delegate* unmanaged<nint*, byte*, byte*, int, byte**, byte**, int> _createProgram;
    private readonly delegate* unmanaged<nint*, int> _destroyProgram;
    private readonly delegate* unmanaged<nint, int, byte**, int> _compileProgram;
    private readonly delegate* unmanaged<nint, nuint*, int> _getLogSize;
    private readonly delegate* unmanaged<nint, byte*, int> _getLog;
    private readonly delegate* unmanaged<nint, nuint*, int> _getCubinSize;
    private readonly delegate* unmanaged<nint, byte*, int> _getCubin;
    private readonly delegate* unmanaged<nint, nuint*, int> _getPtxSize;
    private readonly delegate* unmanaged<nint, byte*, int> _getPtx;

    private Nvrtc(nint library, string file)
    {
        File = file;
        _getErrorString = (delegate* unmanaged<int, byte*>)Export("nvrtcGetErrorString");
        _createProgram = (delegate* unmanaged<nint*, byte*, byte*, int, byte**, byte**, int>)Export("nvrtcCreateProgram");
        _destroyProgram = (delegate* unmanaged<nint*, int>)Export("nvrtcDestroyProgram");
        _compileProgram = (delegate* unmanaged<nint, int, byte**, int>)Export("nvrtcCompileProgram");
        _getLogSize = (delegate* unmanaged<nint, nuint*, int>)Export("nvrtcGetProgramLogSize");
        _getLog = (delegate* unmanaged<nint, byte*, int>)Export("nvrtcGetProgramLog");
        _getCubinSize = (delegate* unmanaged<nint, nuint*, int>)Export("nvrtcGetCUBINSize");
        _getCubin = (delegate* unmanaged<nint, byte*, int>)Export("nvrtcGetCUBIN");
        _getPtxSize = (delegate* unmanaged<nint, nuint*, int>)Export("nvrtcGetPTXSize");
        _getPtx = (delegate* unmanaged<nint, byte*, int>)Export("nvrtcGetPTX");

        int major = 0, minor = 0, count = 0;
        Check("version of NVRTC", ((delegate* unmanaged<int*, int*, int>)Export("nvrtcVersion"))(&major, &minor));
        Version = new Version(major, minor);
        Check("architectures of NVRTC", ((delegate* unmanaged<int*, int>)Export("nvrtcGetNumSupportedArchs"))(&count));
        int[] architectures = new int[count];
        fixed (int* numbers = architectures)
        {
            Check("architectures of NVRTC", ((delegate* unmanaged<int*, int>)Export("nvrtcGetSupportedArchs"))(numbers));
        }

        Array.Sort(architectures);
        Architectures = architectures;

        nint Export(string name) => NativeLibrary.GetExport(library, name);
    }

    /// <summary>Path, or the name under which the system's loader found it.</summary>
    public string File { get; }

    public Version Version { get; }

    /// <summary>The architectures it knows, as numbers like 90, ascending.</summary>
    public IReadOnlyList<int> Architectures { get; }

    /// <summary>Finds and loads the compiler. Only success is remembered: libtorch, beside which it may lie, can be loaded later.</summary>
    /// <param name="compiler">The compiler; null where there is none.</param>
    /// <param name="reason">Every place that was looked at, and a cure; empty where it was found.</param>
    public static bool TryLoad([NotNullWhen(true)] out Nvrtc? compiler, out string reason)
    {
        reason = "";
        lock (Loading)
        {
            s_loaded ??= Load(NvrtcPlaces.OfThisProcess(), out reason);
            compiler = s_loaded;
            return compiler is not null;
        }
    }

    /// <summary>The first compiler in those places that can be loaded, then one that the system's loader knows.</summary>
    internal static Nvrtc? Load(NvrtcPlaces places, out string reason)
    {
        var refused = new List<string>();
        foreach (string file in places.Files())
        {
            foreach (string builtins in NvrtcPlaces.BuiltinsBeside(file))
            {
                NativeLibrary.TryLoad(builtins, out _);
            }

            if (Open(file, refused) is { } found)
            {
                reason = "";
                return found;
            }
        }

        foreach (string name in NvrtcPlaces.LoaderNames)
        {
            if (NativeLibrary.TryLoad(name, out nint library) && Bind(library, name, refused) is { } found)
            {
                reason = "";
                return found;
            }
        }

        reason = Explain(places, refused);
        return null;
    }

    /// <summary>Compiles one program.</summary>
    /// <param name="name">Name of the source in messages.</param>
    /// <param name="source">CUDA C++.</param>
    /// <param name="headers">What #include finds, by name.</param>
    /// <param name="options">NVRTC's options.</param>
    /// <param name="toPtx">Intermediate code for the driver instead of machine code.</param>
    /// <returns>The image, as the driver loads it.</returns>
    /// <exception cref="CudaException">The source does not compile; the message holds the compiler's.</exception>
    public byte[] Compile(string name, string source, IReadOnlyList<CudaSource> headers, IReadOnlyList<string> options, bool toPtx)
    {
        string operation = $"compiling {name} with NVRTC {Version} ({string.Join(' ', options)})";
        using var texts = new NativeTexts();
        byte** headerTexts = texts.AddAll(headers.Select(header => header.Text));
        byte** headerNames = texts.AddAll(headers.Select(header => header.Name));
        nint program = 0;
        Check(operation, _createProgram(&program, texts.Add(source), texts.Add(name), headers.Count, headerTexts, headerNames));
        try
        {
            int result = _compileProgram(program, options.Count, texts.AddAll(options));
            if (result != Success)
            {
                throw new CudaException(operation, $"{ErrorText(result)}\n{Log(program)}");
            }

            nuint size = 0;
            Check(operation, toPtx ? _getPtxSize(program, &size) : _getCubinSize(program, &size));
            byte[] image = new byte[checked((int)size)];
            fixed (byte* data = image)
            {
                Check(operation, toPtx ? _getPtx(program, data) : _getCubin(program, data));
            }

            return image;
        }
        finally
        {
            _destroyProgram(&program);
        }
    }

    private static Nvrtc? Open(string file, List<string> refused)
    {
        try
        {
            return Bind(NativeLibrary.Load(file), file, refused);
        }
        catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
        {
            refused.Add($"{file}: {e.Message.Trim()}");
            return null;
        }
    }

    private static Nvrtc? Bind(nint library, string file, List<string> refused)
    {
        try
        {
            return new Nvrtc(library, file);
        }
        catch (Exception e) when (e is EntryPointNotFoundException or CudaException)
        {
            refused.Add($"{file}: not usable, CUDA 11.2 or newer is needed ({e.Message.Trim()})");
            return null;
        }
    }

    private static string Explain(NvrtcPlaces places, List<string> refused)
    {
        var text = new StringBuilder();
        text.Append("NVRTC, CUDA's runtime compiler, was not found.\n")
            .Append("Cure: add the package TorchSharp-cuda-linux or TorchSharp-cuda-windows to the application, which brings it; or install the CUDA toolkit; ")
            .Append("or set ").Append(NvrtcPlaces.Variable).Append(" to the folder that holds ").Append(OperatingSystem.IsWindows() ? "nvrtc64_*.dll" : "libnvrtc.so.*").Append(".\nSearched:");
        foreach ((string folder, string what) in places.Folders)
        {
            text.Append("\n  ").Append(folder).Append(" (").Append(what).Append(')');
        }

        text.Append("\n  the system's loader: ").AppendJoin(", ", NvrtcPlaces.LoaderNames);
        foreach (string refusal in refused)
        {
            text.Append("\nFound but not usable: ").Append(refusal);
        }

        return text.ToString();
    }

    private void Check(string operation, int result)
    {
        if (result != Success)
        {
            throw new CudaException(operation, ErrorText(result));
        }
    }

    private string ErrorText(int result) => Marshal.PtrToStringUTF8((nint)_getErrorString(result)) ?? $"NVRTC's error {result}";

    private string Log(nint program)
    {
        nuint size = 0;
        if (_getLogSize(program, &size) != Success || size <= 1)
        {
            return "The compiler left no messages.";
        }

        byte[] log = new byte[checked((int)size)];
        fixed (byte* text = log)
        {
            return _getLog(program, text) == Success ? Encoding.UTF8.GetString(log).TrimEnd('\0', '\n') : "";
        }
    }

    /// <summary>Texts in unmanaged memory, with a zero at the end, for as long as a compilation runs.</summary>
    private sealed class NativeTexts : IDisposable
    {
        private readonly List<nint> _blocks = [];

        public byte* Add(string text)
        {
            nint block = Marshal.StringToCoTaskMemUTF8(text);
            _blocks.Add(block);
            return (byte*)block;
        }

        public byte** AddAll(IEnumerable<string> all)
        {
            nint[] addresses = [.. all.Select(text => (nint)Add(text))];
            var block = Marshal.AllocCoTaskMem((addresses.Length + 1) * sizeof(nint));
            _blocks.Add(block);
            Marshal.Copy(addresses, 0, block, addresses.Length);
            return (byte**)block;
        }

        public void Dispose() => _blocks.ForEach(Marshal.FreeCoTaskMem);
    }
}
