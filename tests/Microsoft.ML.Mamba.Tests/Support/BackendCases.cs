using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Support;

/// <summary>The list of backends as test data: a new backend is tested by the existing tests.</summary>
internal static class BackendCases
{
    public static TheoryData<string> All() => new(KernelBackends.All.Select(backend => backend.Name));

    /// <summary>Every name with every backend that computes on this type.</summary>
    public static TheoryData<string, string> Of(IEnumerable<string> names, ScalarType type = ScalarType.Float32)
    {
        var cases = new TheoryData<string, string>();
        foreach (var name in names)
        {
            foreach (var backend in KernelBackends.All.Where(b => b.Supports(DeviceType.CPU, type, out _)))
                cases.Add(name, backend.Name);
        }

        return cases;
    }
}
