using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Ops;

public sealed class SelectiveScanTests
{
    public static TheoryData<string> Backends() => BackendCases.All();

    public static TheoryData<string, string> Float64Backends() => BackendCases.Of(["2 groups", "no softplus"], float64);

    [Theory]
    [MemberData(nameof(Float64Backends))]
    public void Gradients_are_those_of_finite_differences(string options, string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var scope = NewDisposeScope();
        var operands = new ScanCase(new Random(1), float64, batch: 2, length: 5, channels: 4, state: 3, groups: options == "2 groups" ? 2 : 1).Operands;
        if (options == "no softplus")
            operands["delta"] = operands["delta"].abs();

        GradientCheck.Run(
            inputs =>
            {
                var (y, last) = ScanCase.Run(inputs, softplus: options != "no softplus");
                return [y, last];
            },
            operands);
    }

    [Theory]
    [InlineData("cpu")]
    [InlineData("reference")]
    public void Views_with_row_strides_give_the_same_bits_as_copies(string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var scope = NewDisposeScope();
        var random = new Random(2);
        var o = new ScanCase(random, float32, batch: 2, length: 7, channels: 5, state: 3).Operands;
        var wide = cat([o["u"], o["z"], o["delta"]], 2);
        var narrow = cat([o["b"].squeeze(2), o["c"].squeeze(2)], 2);

        var (y, last) = ScanCase.Run(o);
        var views = new Dictionary<string, Tensor>(o)
        {
            ["u"] = wide.narrow(2, 0, 5),
            ["z"] = wide.narrow(2, 5, 5),
            ["delta"] = wide.narrow(2, 10, 5),
            ["b"] = narrow.narrow(2, 0, 3),
            ["c"] = narrow.narrow(2, 3, 3),
        };
        var (viewY, viewLast) = ScanCase.Run(views);

        TensorAssert.BitEqual(y, viewY, "y");
        TensorAssert.BitEqual(last, viewLast, "final state");
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Tensors_of_any_other_layout_are_copied_first(string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var scope = NewDisposeScope();
        var o = new ScanCase(new Random(3), float32, batch: 3, length: 6, channels: 4, state: 2).Operands;
        var (y, _) = ScanCase.Run(o);
        var odd = o.ToDictionary(p => p.Key, p => p.Value.dim() < 2 ? p.Value : p.Value.transpose(0, -1).contiguous().transpose(0, -1));
        Assert.Contains(odd, p => !p.Value.is_contiguous());

        TensorAssert.Close(y, ScanCase.Run(odd).Y, 1e-6, "y");
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void A_sequence_of_length_0_keeps_the_state(string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var scope = NewDisposeScope();
        var o = new ScanCase(new Random(4), float32, batch: 2, length: 0, channels: 3, state: 4).Operands;

        var (y, last) = ScanCase.Run(o);

        Assert.Equal([2, 0, 3], y.shape);
        TensorAssert.BitEqual(o["initialState"], last, "final state");
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Outside_of_gradient_mode_nothing_is_recorded(string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var o = new ScanCase(new Random(5), float32, 1, 4, 3, 2).Operands;
        o["u"].requires_grad_(true);

        Assert.False(ScanCase.Run(o).Y.requires_grad);
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void Only_operands_that_want_a_gradient_get_one(string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var scope = NewDisposeScope();
        var o = new ScanCase(new Random(6), float32, 2, 4, 3, 2).Operands;
        o["a"].requires_grad_(true);
        o["z"].requires_grad_(true);

        ScanCase.Run(o).Y.sum().backward();

        Assert.Equal(["a", "z"], o.Where(p => p.Value.grad is not null).Select(p => p.Key).Order());
    }

    [Theory]
    [MemberData(nameof(Backends))]
    public void A_gradient_through_the_final_state_alone_is_enough(string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var scope = NewDisposeScope();
        var o = new ScanCase(new Random(7), float32, 2, 4, 3, 2).Operands;
        o["u"].requires_grad_(true);

        ScanCase.Run(o).FinalState.sum().backward();

        Assert.True(o["u"].grad!.abs().sum().item<float>() > 0);
    }

    public static TheoryData<string, long[], string> Misfits() => new()
    {
        { "u", [2, 4], "SelectiveScan: u has shape (2, 4); expected (B, L, D)." },
        { "delta", [2, 3, 4], "SelectiveScan: delta has shape (2, 3, 4); expected (B, L, D) = (2, 4, 3) from u." },
        { "a", [4, 2], "SelectiveScan: a has shape (4, 2); expected (D, N) = (3, 2) from u." },
        { "z", [2, 4, 6], "SelectiveScan: z has shape (2, 4, 6); expected (B, L, D) = (2, 4, 3) from u." },
        { "d", [2], "SelectiveScan: d has shape (2); expected (D) = (3) from u." },
        { "deltaBias", [1, 3], "SelectiveScan: deltaBias has shape (1, 3); expected (D) = (3) from u." },
        { "initialState", [2, 2, 3], "SelectiveScan: initialState has shape (2, 2, 3); expected (B, D, N) = (2, 3, 2) from u and a." },
        { "b", [2, 4, 4], "SelectiveScan: b has shape (2, 4, 4); expected (B, L, N) = (2, 4, 2), (B, L, G, N) or (B, L, G·N) with G a divisor of D = 3, or (D, N) = (3, 2)." },
        { "c", [2, 4, 6], "SelectiveScan: c has 3 groups; expected 1, as b has." },
    };

    [Theory]
    [MemberData(nameof(Misfits))]
    public void A_shape_that_does_not_fit_is_named(string operand, long[] shape, string message)
    {
        using var scope = NewDisposeScope();
        var o = new ScanCase(new Random(8), float32, 2, 4, 3, 2).Operands;
        o[operand] = zeros(shape);

        var error = Assert.Throws<ArgumentException>(() => ScanCase.Run(o));

        Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_operand_of_another_type_is_named()
    {
        using var scope = NewDisposeScope();
        using var force = KernelBackends.Force("reference");
        var o = new ScanCase(new Random(9), float32, 2, 4, 3, 2).Operands;
        o["delta"] = o["delta"].to(float64);

        var error = Assert.Throws<ArgumentException>(() => ScanCase.Run(o));

        Assert.StartsWith("delta is Float64 on CPU; expected Float32 on the CPU, as the other operands.", error.Message, StringComparison.Ordinal);
    }
}
