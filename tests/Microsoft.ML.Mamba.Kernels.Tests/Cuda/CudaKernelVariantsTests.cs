using System.Text.RegularExpressions;
using Microsoft.ML.Mamba.Kernels.Cuda;

namespace Microsoft.ML.Mamba.Kernels.Tests.Cuda;

public partial class CudaKernelVariantsTests
{
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
