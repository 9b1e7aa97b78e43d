using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Ops;

/// <summary>The RMS norm against the official reference, on every backend.</summary>
public sealed class GoldenNormTests
{
    public static TheoryData<string, string, string> Cases() => BackendCases.PlacedOf(["norms_d32_L5", "norms_d7_L3"]);

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Norms_and_gradients_are_the_official_ones(string name, string backend, string device)
    {
        var place = BackendCases.DeviceOrSkip(device);
        using var force = KernelBackends.Force(backend);
        using var golden = GoldenFile.Read($"norm/{name}").On(place);
        using var scope = NewDisposeScope();
        Run(golden, "rms", withResidual: false);
        Run(golden, "rms_residual", withResidual: true);
    }

    private static void Run(GoldenFile golden, string prefix, bool withResidual)
    {
        Tensor Input(string key) => golden[key].clone().requires_grad_(true);
        var (x, weight, residual) = (Input("x"), Input("weight"), withResidual ? Input("residual") : null);

        var (y, sum) = RmsNorm.Forward(x, residual, weight, golden.Options.GetProperty("eps").GetDouble());
        (y * golden["grad_out"]).sum().backward();

        golden.AssertMatches($"{prefix}.y", y);
        golden.AssertMatches($"{prefix}.grad_x", x.grad!);
        golden.AssertMatches($"{prefix}.grad_weight", weight.grad!);
        if (residual is not null)
            golden.AssertMatches($"{prefix}.grad_residual", residual.grad!);
        TensorAssert.BitEqual(residual is null ? x : x + residual, sum!, "the sum");
    }
}
