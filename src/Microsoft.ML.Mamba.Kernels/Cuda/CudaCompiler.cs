using System.Collections.Concurrent;

namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>Compiles the sources of native/ for an architecture; each variant once per process, and once per machine where the cache on disk works.</summary>
/// <param name="compiler">Gives the compiler.</param>
/// <param name="cache">Keeps what was compiled between processes.</param>
/// <param name="added">Macros for all variants.</param>
internal sealed class CudaCompiler(Func<Nvrtc> compiler, CompiledKernels cache, params string[] added)
{
    /// <summary>Environment variable with macros for all kernels, separated by spaces: WHOLE_BARRIERS for racecheck (native/scan_tiles.cuh).</summary>
    public const string Variable = "MAMBA_CUDA_DEFINES";

    private readonly ConcurrentDictionary<string, Lock> _compiling = new();
    private readonly ConcurrentDictionary<string, byte[]> _images = new();

    public static CudaCompiler OfCurrentUser { get; } = new(
        () => Nvrtc.TryLoad(out Nvrtc? found, out string reason) ? found : throw new CudaException("compiling CUDA kernels", reason),
        CompiledKernels.OfCurrentUser,
        (Environment.GetEnvironmentVariable(Variable) ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries));

    /// <summary>The image of one variant, for the driver to load.</summary>
    /// <param name="source">Name in native/ without <c>.cu</c>.</param>
    /// <param name="defines">Macros, <c>NAME</c> or <c>NAME=value</c>.</param>
    /// <param name="major">Compute capability.</param>
    /// <param name="minor">Compute capability.</param>
    /// <exception cref="CudaException">No compiler, or one that knows nothing this device can run, or the source does not compile.</exception>
    public byte[] Compile(string source, IReadOnlyList<string> defines, int major, int minor)
    {
        Nvrtc nvrtc = compiler();
        (bool toPtx, string architecture) = Target(nvrtc, major * 10 + minor);
        string[] options = [architecture, "--std=c++17", .. defines.Concat(added).Select(define => "-D" + define)];
        CudaSource text = CudaSource.Read(source + ".cu");
        string key = CompiledKernels.Key(nvrtc.Version, options, [text, .. CudaSource.Headers]);
        if (_images.TryGetValue(key, out byte[]? known))
        {
            return known;
        }

        lock (_compiling.GetOrAdd(key, _ => new Lock()))
        {
            if (_images.TryGetValue(key, out known))
            {
                return known;
            }

            byte[] image = cache.Find(key) ?? Make();
            _images[key] = image;
            return image;
        }

        byte[] Make()
        {
            byte[] made = nvrtc.Compile(text.Name, text.Text, CudaSource.Headers, options, toPtx);
            cache.Store(key, made);
            return made;
        }
    }

    /// <summary>Machine code where the compiler knows the device, else the newest intermediate code that the device's driver can translate.</summary>
    internal static (bool ToPtx, string Option) Target(Nvrtc nvrtc, int device) =>
        Target(nvrtc.Architectures, device) ?? throw new CudaException(
            "compiling CUDA kernels",
            $"NVRTC {nvrtc.Version} ({nvrtc.File}) knows no architecture up to the device's, sm_{device}; it starts at sm_{nvrtc.Architectures.FirstOrDefault()}. "
            + $"Name the folder of an older NVRTC in {NvrtcPlaces.Variable}.");

    internal static (bool ToPtx, string Option)? Target(IReadOnlyList<int> known, int device)
    {
        if (known.Contains(device))
        {
            return (false, $"--gpu-architecture=sm_{device}");
        }

        int below = known.Where(architecture => architecture < device).DefaultIfEmpty().Max();
        return below == 0 ? null : (true, $"--gpu-architecture=compute_{below}");
    }
}
