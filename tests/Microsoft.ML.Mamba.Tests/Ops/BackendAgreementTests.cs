using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Ops;

/// <summary>Every backend against the reference over odd shapes: outputs and all gradients, through the ops.</summary>
public sealed class BackendAgreementTests
{
    private static readonly (long Batch, long Length, long Channels, long State, long Groups)[] Shapes =
    [
        (1, 1, 1, 1, 1), (2, 3, 7, 16, 1), (3, 131, 5, 4, 1), (1, 64, 31, 17, 1), (2, 65, 8, 64, 2), (1, 100, 33, 5, 3), (5, 2, 9, 8, 9), (1, 7, 130, 16, 1),
    ];

    public static TheoryData<int, string, string, ScalarType> Cases()
    {
        var cases = new TheoryData<int, string, string, ScalarType>();
        for (var shape = 0; shape < Shapes.Length; shape++)
        {
            foreach (var (backend, device) in BackendCases.Placed.Where(place => place.Backend != "reference"))
            {
                cases.Add(shape, backend, device, ScalarType.Float32);
                if (backend != "cpu")
                    cases.Add(shape, backend, device, ScalarType.BFloat16);
                if (backend == "cuda")
                    cases.Add(shape, backend, device, ScalarType.Float16);
            }
        }

        return cases;
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Scans_agree(int shape, string backend, string device, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var (batch, length, channels, state, groups) = Shapes[shape];
        Compare(backend, device, type, ["u", "delta", "b", "c", "z"], () => new ScanCase(new Random(shape), float32, batch, length, channels, state, groups).Operands, o =>
        {
            var (y, last) = ScanCase.Run(o);
            return [y, last];
        });
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Convolutions_agree(int shape, string backend, string device, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var (batch, length, channels, _, _) = Shapes[shape];
        var width = 2 + shape % 7;
        Compare(
            backend,
            device,
            type,
            ["x", "initial"],
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

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Norms_agree(int shape, string backend, string device, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var (batch, length, channels, _, _) = Shapes[shape];
        Compare(
            backend,
            device,
            type,
            ["x"],
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

    // Float32: sums of up to 64 states over up to 131 steps, in another order. Narrower: results and some products in bfloat16.
    private static double Tolerance(ScalarType type) => type == ScalarType.Float32 ? 3e-5 : 1e-2;

    /// <summary>Compares outputs and gradients with the reference's, which sees the same rounded numbers.</summary>
    /// <param name="backend">Who computes.</param>
    /// <param name="device">Where.</param>
    /// <param name="type">Type of the activations.</param>
    /// <param name="activations">Operands that have this type; the others are parameters and states, float32.</param>
    /// <param name="operands">Makes the operands.</param>
    /// <param name="run">Runs the op.</param>
    private static void Compare(
        string backend, string device, ScalarType type, string[] activations, Func<Dictionary<string, Tensor>> operands, Func<Dictionary<string, Tensor>, Tensor[]> run)
    {
        var place = BackendCases.DeviceOrSkip(device);
        var want = Run("reference", CPU, float32);
        var got = Run(backend, place, type);
        foreach (var (name, value) in want)
            TensorAssert.Close(value, got[name], Tolerance(type), name);

        Dictionary<string, Tensor> Run(string name, Device on, ScalarType computed)
        {
            using var force = KernelBackends.Force(name);
            var inputs = operands().ToDictionary(
                p => p.Key, p => (activations.Contains(p.Key) ? p.Value.to(type).to(computed) : p.Value).to(on).clone().detach().requires_grad_(true));
            var outputs = run(inputs);
            var random = new Random(77);
            var loss = zeros(1, device: on);
            foreach (var output in outputs)
                loss = loss + (output.to(float32) * RandomTensor.Single(random, output.shape).to(type).to(float32).to(on)).sum();
            loss.backward();
            var results = inputs.ToDictionary(p => $"gradient of {p.Key}", p => p.Value.grad!);
            for (var i = 0; i < outputs.Length; i++)
                results.Add($"output {i}", outputs[i]);
            foreach (var (operand, input) in inputs)
                Assert.Equal(input.dtype, results[$"gradient of {operand}"].dtype);
            return results;
        }
    }
}
