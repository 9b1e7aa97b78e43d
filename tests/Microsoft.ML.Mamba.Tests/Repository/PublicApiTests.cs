using System.Reflection;
using Microsoft.ML.Mamba.Tests.Support;
using PublicApiGenerator;

namespace Microsoft.ML.Mamba.Tests.Repository;

/// <summary>
/// The public surface of the packages as approved text: a change shows up as a difference in a review, and tells whether
/// CHANGELOG.md needs an entry.
/// </summary>
public sealed class PublicApiTests
{
    [Theory]
    [InlineData("Microsoft.ML.Mamba")]
    [InlineData("Microsoft.ML.Mamba.Kernels")]
    [InlineData("Microsoft.ML.Mamba.Extensions.AI")]
    public void The_public_API_is_the_approved_one(string assembly)
    {
        var api = Assembly.Load(assembly).GeneratePublicApi(new ApiGeneratorOptions
        {
            IncludeAssemblyAttributes = false,
            AllowNamespacePrefixes = ["Microsoft.ML", "Microsoft.Extensions.DependencyInjection"], // by default names that begin with Microsoft are left out
        });

        Approved.Text(api, "PublicApi." + assembly);
    }
}
