using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Ops;

/// <summary>Every backend against the reference over odd shapes: outputs and all gradients, through the ops.</summary>
public sealed class BackendAgreementTests
{
    // Float32 sums of up to 64 states over up to 131 steps, in another order.
    private const double Tolerance = 3e-5;

    private static readonly (long Batch, long Length, long Channels, long State, long Groups)[] Shapes =
    [
        (1, 1, 1, 1, 1), (2, 3, 7, 16, 1), (3, 131, 5, 4, 1), (1, 64, 31, 17, 1), (2, 65, 8, 64, 2), (1, 100, 33, 5, 3), (5, 2, 9, 8, 9), (1, 7, 130, 16, 1),
    ];

    public static TheoryData<int, string> Cases()
    {
        var cases = new TheoryData<int, string>();
        for (var shape = 0; shape < Shapes.Length; shape++)
        {
            foreach (var backend in KernelBackends.All.Where(b => b.Name != "reference"))
                cases.Add(shape, backend.Name);
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Scans_agree(int shape, string backend)
    {
        using var scope = NewDisposeScope();
        var (batch, length, channels, state, groups) = Shapes[shape];
        Compare(backend, () => new ScanCase(new Random(shape), float32, batch, length, channels, state, groups).Operands, o =>
        {
            var (y, last) = ScanCase.Run(o);
            return [y, last];
        });
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Convolutions_agree(int shape, string backend)
    {
        using var scope = NewDisposeScope();
        var (batch, length, channels, _, _) = Shapes[shape];
        var width = 2 + shape % 7;
        Compare(
            backend,
            () =>
            {
                var random = new Random(shape);
                return new()
                {
                    ["x"] = RandomTensor.Single(random, batch, length, channels),
                    ["weight"] = RandomTensor.Single(random, channels, width),
                    ["bias"] = RandomTensor.Single(random, channels),
                    ["initial"] = RandomTensor.Single(random, batch, width - 1, channels),
                };
            },
            o =>
            {
                var (y, last) = CausalConv1d.Forward(o["x"], o["weight"], o["bias"], o["initial"], silu: true, returnFinalState: true);
                return [y, last!];
            });
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Norms_agree(int shape, string backend)
    {
        using var scope = NewDisposeScope();
        var (batch, length, channels, _, _) = Shapes[shape];
        Compare(
            backend,
            () =>
            {
                var random = new Random(shape);
                return new()
                {
                    ["x"] = RandomTensor.Single(random, batch, length, channels),
                    ["residual"] = RandomTensor.Single(random, batch, length, channels),
                    ["weight"] = RandomTensor.Single(random, channels),
                };
            },
            o =>
            {
                var (y, sum) = RmsNorm.Forward(o["x"], o["residual"], o["weight"], 1e-5);
                return [y, sum!];
            });
    }

    private static void Compare(string backend, Func<Dictionary<string, Tensor>> operands, Func<Dictionary<string, Tensor>, Tensor[]> run)
    {
        var want = Run("reference");
        var got = Run(backend);
        foreach (var (name, value) in want)
            TensorAssert.Close(value, got[name], Tolerance, name);

        Dictionary<string, Tensor> Run(string name)
        {
            using var force = KernelBackends.Force(name);
            var inputs = operands();
            foreach (var input in inputs.Values)
                input.requires_grad_(true);
            var outputs = run(inputs);
            var random = new Random(77);
            outputs.Aggregate(zeros(1), (loss, output) => loss + (output * RandomTensor.Single(random, output.shape)).sum()).backward();
            var results = inputs.ToDictionary(p => $"gradient of {p.Key}", p => p.Value.grad!);
            for (var i = 0; i < outputs.Length; i++)
                results.Add($"output {i}", outputs[i]);
            return results;
        }
    }
}
