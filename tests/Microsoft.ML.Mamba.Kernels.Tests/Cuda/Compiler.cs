using Microsoft.ML.Mamba.Kernels.Cuda;

namespace Microsoft.ML.Mamba.Kernels.Tests.Cuda;

/// <summary>NVRTC for tests that compile without a GPU, from where the library finds it or from where eng/nvrtc.sh puts it.</summary>
internal static class Compiler
{
    private static readonly Lazy<(Nvrtc? Compiler, string Reason)> Found = new(Find);

    /// <summary>The compiler; the test is skipped with the reason where there is none.</summary>
    public static Nvrtc SkipIfMissing()
    {
        Skip.If(Found.Value.Compiler is null, $"NVRTC is not at hand; eng/nvrtc.sh gets it where it can be had. {Found.Value.Reason}");
        return Found.Value.Compiler!;
    }

    /// <summary>A folder of its own that is removed again.</summary>
    public static TemporaryFolder NewFolder() => new();

    private static (Nvrtc? Compiler, string Reason) Find()
    {
        if (Nvrtc.TryLoad(out var compiler, out var reason))
        {
            return (compiler, "");
        }

        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Microsoft.ML.Mamba.sln")))
            {
                return (Nvrtc.Load(new NvrtcPlaces(Path.Combine(folder.FullName, "artifacts", "nvrtc"), [], [], []), out _), reason);
            }
        }

        return (null, reason);
    }

    internal sealed class TemporaryFolder : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("Microsoft.ML.Mamba-");

        public string Path => _folder.FullName;

        /// <summary>Makes empty files below the folder.</summary>
        public TemporaryFolder With(params string[] files)
        {
            foreach (var file in files)
            {
                var path = In(file);
                Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
                File.WriteAllBytes(path, []);
            }

            return this;
        }

        public string In(string name) => System.IO.Path.Combine([Path, .. name.Split('/')]);

        public void Dispose() => _folder.Delete(recursive: true);
    }
}
