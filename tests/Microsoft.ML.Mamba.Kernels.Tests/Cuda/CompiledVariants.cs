using System.Text;
using Microsoft.ML.Mamba.Kernels.Cuda;

namespace Microsoft.ML.Mamba.Kernels.Tests.Cuda;

/// <summary>Every variant of every kernel as the compiler makes it, without a GPU.</summary>
internal static class CompiledVariants
{
    /// <summary>What compiled before is kept beside the tests: same sources, options and compiler, same result.</summary>
    private static readonly CompiledKernels Kept = new(Path.Combine(AppContext.BaseDirectory, "compiled-kernels"));

    private static readonly CudaCompiler Compiling = new(Compiler.SkipIfMissing, Kept);

    /// <summary>Source, macros and kernels of each module.</summary>
    public static IEnumerable<object[]> Modules => CudaKernelVariants.All
        .GroupBy(variant => (variant.Source, Defines: string.Join(' ', variant.Defines)))
        .Select(group => new object[] { group.Key.Source, group.Key.Defines, string.Join(' ', group.Select(variant => variant.Function).Distinct()) });

    /// <summary>Compiles a module for a compute capability and finds all its kernels in the result.</summary>
    public static void AssertCompiles(string source, string defines, string functions, int major)
    {
        Compiler.SkipIfMissing();
        var image = Compiling.Compile(source, defines.Split(' ', StringSplitOptions.RemoveEmptyEntries), major, 0);
        Assert.Equal("\u007fELF"u8, image.AsSpan(0, 4));
        Assert.All(functions.Split(' '), function => Assert.True(
            image.AsSpan().IndexOf(Encoding.ASCII.GetBytes($".text.{function}\0")) >= 0, $"{source}.cu has no kernel {function}."));
    }
}

/// <summary>For the A100; a class for each GPU, so that the two compile side by side.</summary>
public class VariantsForA100Tests
{
    public static IEnumerable<object[]> Modules => CompiledVariants.Modules;

    [SkippableTheory]
    [MemberData(nameof(Modules))]
    public void Every_variant_compiles_without_a_GPU(string source, string defines, string functions) => CompiledVariants.AssertCompiles(source, defines, functions, major: 8);
}

/// <summary>For the H100 and the H200.</summary>
public class VariantsForH100Tests
{
    public static IEnumerable<object[]> Modules => CompiledVariants.Modules;

    [SkippableTheory]
    [MemberData(nameof(Modules))]
    public void Every_variant_compiles_without_a_GPU(string source, string defines, string functions) => CompiledVariants.AssertCompiles(source, defines, functions, major: 9);
}
