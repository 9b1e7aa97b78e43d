using System.Text;
using System.Text.RegularExpressions;
using Microsoft.ML.Mamba.Kernels.Cuda;

namespace Microsoft.ML.Mamba.Kernels.Tests.Cuda;

public partial class CudaKernelVariantsTests
{
    /// <summary>What compiled before is kept beside the tests: same sources, options and compiler, same result.</summary>
    private static readonly CompiledKernels Kept = new(Path.Combine(AppContext.BaseDirectory, "compiled-kernels"));

    private static readonly CudaCompiler Compiling = new(Compiler.SkipIfMissing, Kept);

    public static IEnumerable<object[]> Modules => CudaKernelVariants.All
        .GroupBy(variant => (variant.Source, Defines: string.Join(' ', variant.Defines)))
        .Select(group => new object[] { group.Key.Source, group.Key.Defines, string.Join(' ', group.Select(variant => variant.Function).Distinct()) });

    [SkippableTheory]
    [MemberData(nameof(Modules))]
    public void Every_variant_compiles_for_the_A100_and_the_H100_without_a_GPU(string source, string defines, string functions)
    {
        Compiler.SkipIfMissing();
        foreach (var major in new[] { 8, 9 })
        {
            var image = Compiling.Compile(source, defines.Split(' ', StringSplitOptions.RemoveEmptyEntries), major, 0);
            Assert.Equal("\u007fELF"u8, image.AsSpan(0, 4));
            Assert.All(functions.Split(' '), function => Assert.True(
                image.AsSpan().IndexOf(Encoding.ASCII.GetBytes($".text.{function}\0")) >= 0, $"{source}.cu has no kernel {function}."));
        }
    }

    [Fact]
    public void Every_kernel_of_the_sources_has_a_variant()
    {
        var declared = CudaSource.Names(".cu").SelectMany(name => Kernel().Matches(CudaSource.Read(name).Text).Select(match => match.Groups["name"].Value));
        var launched = CudaKernelVariants.All.Select(variant => variant.Function);

        Assert.Empty(declared.Except(launched));
    }

    /// <summary>A launch may begin while those before it run; one that did not wait for them would read what they have not written yet.</summary>
    [Fact]
    public void Every_kernel_waits_for_earlier_launches_before_it_touches_memory_or_returns()
    {
        foreach (var source in CudaSource.Names(".cu").Select(CudaSource.Read))
        {
            foreach (Match kernel in Kernel().Matches(source.Text))
            {
                var body = source.Text[source.Text.IndexOf('{', kernel.Index)..];
                var before = body[..Math.Max(0, body.IndexOf("wait_for_earlier_launches();", StringComparison.Ordinal))];

                Assert.True(before.Length > 0 && !Kernel().IsMatch(before) && !Reading().IsMatch(before), $"{kernel.Groups["name"].Value} in {source.Name}: {before}");
            }
        }
    }

    [Fact]
    public void No_variant_stands_in_the_list_twice()
    {
        var texts = CudaKernelVariants.All.Select(variant => variant.ToString()).ToArray();

        Assert.Equal(texts.Distinct(), texts);
    }

    [GeneratedRegex(@"__global__\s+void\s+(__launch_bounds__\s*\([^)]*\)\s*)?(?<name>\w+)\s*\(")]
    private static partial Regex Kernel();

    [GeneratedRegex(@"\breturn\b|\bp\.\w+\s*\[|[=(,;{]\s*\*\s*p\.|->|\bload|\bcopy|\bfetch|__sync")]
    private static partial Regex Reading();
}
