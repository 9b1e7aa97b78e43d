using System.Text;
using Microsoft.ML.Mamba.Kernels.Cuda;

namespace Microsoft.ML.Mamba.Kernels.Tests.Cuda;

public class CudaCompilerTests
{
    private const string Source = "sequence_reverse";
    private static readonly string[] Defines = ["UNIT=uint1"];

    [SkippableFact]
    public void A_variant_is_compiled_once_per_process_whoever_asks()
    {
        var nvrtc = Compiler.SkipIfMissing();
        using var folder = Compiler.NewFolder();
        var compiler = new CudaCompiler(() => nvrtc, new CompiledKernels(folder.Path));
        var images = new byte[8][];

        Parallel.For(0, images.Length, i => images[i] = compiler.Compile(Source, Defines, 9, 0));

        Assert.All(images, image => Assert.Same(images[0], image));
        Assert.Single(Directory.GetFiles(folder.Path));
        Assert.NotSame(images[0], compiler.Compile(Source, Defines, 8, 0));
        Assert.Equal(2, Directory.GetFiles(folder.Path).Length);
    }

    [SkippableFact]
    public void Macros_for_all_kernels_reach_the_source_and_the_cache()
    {
        var nvrtc = Compiler.SkipIfMissing();
        using var folder = Compiler.NewFolder();
        var variant = CudaKernelVariants.All.First(v => v.Source == "selective_scan_forward");
        byte[] Compile(params string[] added) => new CudaCompiler(() => nvrtc, new CompiledKernels(folder.Path), added).Compile(variant.Source, variant.Defines, 9, 0);

        Assert.NotEqual(Compile(), Compile("WHOLE_BARRIERS"));
        Assert.Equal(2, Directory.GetFiles(folder.Path).Length);
    }

    [SkippableFact]
    public void The_next_process_takes_what_lies_on_disk_and_builds_a_damaged_entry_anew()
    {
        var nvrtc = Compiler.SkipIfMissing();
        using var folder = Compiler.NewFolder();
        byte[] Compile() => new CudaCompiler(() => nvrtc, new CompiledKernels(folder.Path)).Compile(Source, Defines, 9, 0);
        var image = Compile();
        var file = Directory.GetFiles(folder.Path).Single();
        var written = File.GetLastWriteTimeUtc(file).AddDays(-1);
        File.SetLastWriteTimeUtc(file, written);

        Assert.Equal(image, Compile());
        Assert.Equal(written, File.GetLastWriteTimeUtc(file));

        var content = File.ReadAllBytes(file);
        content[^1] ^= 1;
        File.WriteAllBytes(file, content);
        Assert.Equal(image, Compile());
        content[^1] ^= 1;
        Assert.Equal(content, File.ReadAllBytes(file));
    }

    [SkippableFact]
    public void An_error_in_a_source_comes_with_what_the_compiler_says()
    {
        var nvrtc = Compiler.SkipIfMissing();
        using var folder = Compiler.NewFolder();
        var compiler = new CudaCompiler(() => nvrtc, new CompiledKernels(folder.Path));

        var error = Assert.Throws<CudaException>(() => compiler.Compile(Source, ["UNIT=nonsense"], 9, 0));

        Assert.Contains("compiling sequence_reverse.cu with NVRTC", error.Operation);
        Assert.Contains("identifier \"nonsense\" is undefined", error.Message);
        Assert.False(error.IsOutOfMemory);
        Assert.Empty(Directory.GetFiles(folder.Path));
    }

    [SkippableFact]
    public void For_a_device_newer_than_the_compiler_the_driver_gets_intermediate_code()
    {
        var nvrtc = Compiler.SkipIfMissing();
        using var folder = Compiler.NewFolder();
        var compiler = new CudaCompiler(() => nvrtc, new CompiledKernels(folder.Path));

        var text = Encoding.ASCII.GetString(compiler.Compile(Source, Defines, 99, 0));

        Assert.Contains($".target sm_{nvrtc.Architectures[^1]}", text);
        Assert.EndsWith("\0", text);
    }

    [Theory]
    [InlineData(90, false, "--gpu-architecture=sm_90")]
    [InlineData(80, false, "--gpu-architecture=sm_80")]
    [InlineData(89, true, "--gpu-architecture=compute_80")]
    [InlineData(120, true, "--gpu-architecture=compute_90")]
    public void The_device_decides_what_is_compiled(int device, bool toPtx, string option) =>
        Assert.Equal((toPtx, option), CudaCompiler.Target([75, 80, 90], device));

    [Fact]
    public void A_device_older_than_everything_that_the_compiler_knows_has_no_target() =>
        Assert.Null(CudaCompiler.Target([75, 80, 90], 70));

    [Fact]
    public void A_source_that_does_not_exist_is_named_with_those_that_do()
    {
        var error = Assert.Throws<ArgumentException>(() => CudaSource.Read("absent.cu"));

        Assert.Contains("absent.cu", error.Message);
        Assert.Contains("sequence_reverse.cu", error.Message);
    }
}
