using Microsoft.ML.Mamba.Tests.Support;

namespace Microsoft.ML.Mamba.Tests.Repository;

/// <summary>What the library needs of ML.NET beyond its public surface: docs/decisions/0001-ml-net-internals.md.</summary>
public sealed class MlNetInternalsTests
{
    [Fact]
    public void The_internals_of_ML_NET_in_use_are_the_approved_ones()
    {
        var internals = LibrarySources.Current.InternalsOfMlNet().Distinct().Order(StringComparer.Ordinal);

        Approved.Text(string.Join('\n', internals) + '\n', "MlNetInternals");
    }
}
