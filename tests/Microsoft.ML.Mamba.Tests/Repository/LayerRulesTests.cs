using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Microsoft.ML.Mamba.Tests.Repository;

/// <summary>The layers of docs/architecture.md, read from the sources.</summary>
public sealed class LayerRulesTests
{
    /// <summary>What a layer may use beside .NET and itself. "Microsoft.ML" stands for every package of that name's family.</summary>
    /// <remarks>Native: whoever may be the first to touch TorchSharp calls LibTorchLoader.EnsureLoaded before.</remarks>
    private static readonly Dictionary<string, string[]> Allowed = new()
    {
        ["Native"] = ["Kernels", "TorchSharp"],
        ["Environment"] = ["Native", "Kernels", "Ops", "TorchSharp"],
        ["Ops"] = ["Kernels", "Native", "TorchSharp"],
        ["Audio"] = ["Native", "Ops", "TorchSharp"],
        ["Modules"] = ["Native", "Ops", "TorchSharp"],
        ["Checkpoints"] = ["Native", "Modules", "TorchSharp"],
        ["Data"] = ["Microsoft.ML.Tokenizers"],
        ["Generation"] = ["Native", "Ops", "Modules", "Checkpoints", "Data", "TorchSharp"],
        ["Training"] = ["Kernels", "Native", "Ops", "Modules", "Data", "Checkpoints", "TorchSharp"],
        ["Pipeline"] = ["Environment", "Native", "Kernels", "Ops", "Audio", "Modules", "Checkpoints", "Data", "Training", "TorchSharp", "Microsoft.ML"],
    };

    /// <summary>
    /// ML.NET's sweepers read their attributes from the settings classes themselves: docs/decisions/0002-search-space-attributes.md.
    /// </summary>
    private static readonly string[] SettingsWithSearchSpace = ["MambaConfig.cs", "MambaTrainingOptions.cs"];

    [Fact]
    public void Each_layer_uses_only_what_stands_below_it()
    {
        var broken = LibrarySources.Current.Uses()
            .Where(use => !MayUse(use))
            .DistinctBy(use => (use.File, use.Line, use.Target))
            .ToArray();

        Assert.True(broken.Length == 0, "Layer rules (docs/architecture.md) are broken by:\n" + string.Join('\n', broken.Take(40)));
    }

    [Fact]
    public void Every_folder_of_the_library_is_a_layer_with_a_rule()
    {
        var layers = RepositoryFiles.Below("src/Microsoft.ML.Mamba", ".cs")
            .Select(f => LibrarySources.LayerOf(f["src/Microsoft.ML.Mamba/".Length..]))
            .Distinct();

        Assert.Empty(layers.Except(Allowed.Keys));
    }

    [Fact]
    public void TorchSharp_is_in_no_public_signature_that_an_ML_NET_user_sees()
    {
        var leaks = LibrarySources.Current.PublicSignatures("Pipeline", "Audio", "Data", "Training", "Environment")
            .Where(s => s.Assembly.StartsWith("TorchSharp", StringComparison.Ordinal))
            .Select(s => s.Member);

        Assert.Empty(leaks);
    }

    [Fact]
    public void The_kernels_depend_on_nothing_but_dot_NET()
    {
        var project = RepositoryFiles.Read("src/Microsoft.ML.Mamba.Kernels/Microsoft.ML.Mamba.Kernels.csproj");

        Assert.DoesNotContain("PackageReference", project);
        Assert.DoesNotContain("ProjectReference", project);
    }

    [Fact]
    public void Microsoft_Extensions_AI_is_a_matter_of_its_own_package_which_uses_what_users_of_the_library_see()
    {
        var used = Assembly.Load("Microsoft.ML.Mamba.Extensions.AI").GetReferencedAssemblies()
            .Select(a => a.Name!).Where(name => !name.StartsWith("System.", StringComparison.Ordinal)).Order(StringComparer.Ordinal);
        var others = new[] { "Microsoft.ML.Mamba", "Microsoft.ML.Mamba.Kernels" }
            .Where(project => RepositoryFiles.Read($"src/{project}/{project}.csproj").Contains("Microsoft.Extensions", StringComparison.Ordinal));

        Assert.Equal(
            ["Microsoft.Extensions.AI.Abstractions", "Microsoft.Extensions.DependencyInjection.Abstractions", "Microsoft.ML.Core", "Microsoft.ML.Data", "Microsoft.ML.DataView", "Microsoft.ML.Mamba"],
            used);
        Assert.Empty(others);
        Assert.DoesNotContain("Microsoft.ML.Mamba.Extensions.AI", RepositoryFiles.Read("src/Microsoft.ML.Mamba/Microsoft.ML.Mamba.csproj"), StringComparison.Ordinal);
    }

    [Fact]
    public void Unsafe_code_is_in_the_kernels_alone()
    {
        var files = new[] { "src/Microsoft.ML.Mamba", "src/Microsoft.ML.Mamba.Extensions.AI", "samples" }.SelectMany(folder => RepositoryFiles.Below(folder, ".cs"))
            .Where(f => CSharpSyntaxTree.ParseText(RepositoryFiles.Read(f)).GetRoot().DescendantTokens()
                .Any(token => token.IsKind(SyntaxKind.UnsafeKeyword)));
        var projects = RepositoryFiles.Below(".", ".csproj")
            .Where(p => RepositoryFiles.Read(p).Contains("<AllowUnsafeBlocks>true", StringComparison.Ordinal));

        Assert.Empty(files);
        Assert.Equal(["src/Microsoft.ML.Mamba.Kernels/Microsoft.ML.Mamba.Kernels.csproj"], projects);
    }

    [Fact]
    public void No_source_switches_a_warning_off_or_hides_behind_a_region()
    {
        var found = new[] { "src", "tests", "samples" }.SelectMany(folder => RepositoryFiles.Below(folder, ".cs"))
            .Where(f => Regex.IsMatch(RepositoryFiles.Read(f), @"^\s*#(pragma\s+warning\s+disable|region)\b", RegexOptions.Multiline));

        Assert.Empty(found);
    }

    private static bool MayUse(SymbolUse use)
    {
        var layer = LibrarySources.LayerOf(use.File);
        if (use.Target.StartsWith("Microsoft.ML.Mamba.Kernels", StringComparison.Ordinal))
            return Allowed[layer].Contains("Kernels");
        if (use.Namespace.StartsWith("Microsoft.ML.SearchSpace", StringComparison.Ordinal)
            && SettingsWithSearchSpace.Contains(Path.GetFileName(use.File)))
            return true;
        return Allowed[layer].Any(allowed => use.Target == allowed
            || (allowed == "Microsoft.ML" && use.Target.StartsWith("Microsoft.ML", StringComparison.Ordinal)));
    }
}
