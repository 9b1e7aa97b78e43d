using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>One op with operands of one shape, all of them with gradients, and with a gradient of its output.</summary>
internal sealed class KernelCase : IDisposable
{
    private readonly (string Name, Tensor Value)[] _operands;
    private readonly Func<Tensor> _forward;
    private readonly Tensor _dy;

    private KernelCase(string name, long[] shape, int state, Func<Tensor> forward, params (string, Tensor)[] operands)
    {
        (Name, Batch, Length, Channels, State) = (name, shape[0], shape[1], shape[2], state);
        (_forward, _operands) = (forward, operands);
        foreach ((_, Tensor value) in _operands)
            value.requires_grad_(true);
        _dy = randn(shape);
    }

    public string Name { get; }

    public long Batch { get; }

    public long Length { get; }

    public long Channels { get; }

    public int State { get; }

    /// <summary>The three ops on one shape, with values as a trained model has them.</summary>
    public static IEnumerable<KernelCase> All(long batch, long length, long channels, int state)
    {
        using Generator seeded = manual_seed(1);
        yield return Scan([batch, length, channels], state);
        yield return Conv([batch, length, channels]);
        yield return Norm([batch, length, channels]);
    }

    public Tensor Forward() => _forward();

    /// <summary>Fills the gradients of all operands.</summary>
    public void Backward(Tensor y)
    {
        foreach ((_, Tensor operand) in _operands)
            operand.grad = null;
        y.backward([_dy]);
    }

    /// <summary>The gradient of each operand after <see cref="Backward"/>.</summary>
    public IEnumerable<(string Name, Tensor Gradient)> Gradients() => _operands.Select(operand => (operand.Name, operand.Value.grad!));

    public void Dispose()
    {
        _dy.Dispose();
        foreach ((_, Tensor operand) in _operands)
        {
            operand.grad = null;
            operand.Dispose();
        }
    }

    /// <summary>The scan as a mixer calls it: softplus of delta with a bias, skip and gate.</summary>
    private static KernelCase Scan(long[] shape, int state)
    {
        Tensor u = randn(shape), delta = randn(shape) * 0.5, z = randn(shape);
        Tensor a = -arange(1, state + 1, ScalarType.Float32).repeat(shape[2], 1), d = ones(shape[2]), deltaBias = rand(shape[2]) * 4 - 6;
        Tensor b = randn(shape[0], shape[1], state), c = randn(shape[0], shape[1], state);
        return new KernelCase("scan", shape, state, () => SelectiveScan.Forward(u, delta, a, b, c, d, z, deltaBias, deltaSoftplus: true).Y,
            (nameof(u), u), (nameof(delta), delta), (nameof(a), a), (nameof(b), b), (nameof(c), c), (nameof(d), d), (nameof(z), z), (nameof(deltaBias), deltaBias));
    }

    private static KernelCase Conv(long[] shape)
    {
        Tensor x = randn(shape), weight = randn(shape[2], 4) * 0.5, bias = randn(shape[2]) * 0.1;
        return new KernelCase("conv1d", shape, 0, () => CausalConv1d.Forward(x, weight, bias, silu: true).Y, (nameof(x), x), (nameof(weight), weight), (nameof(bias), bias));
    }

    private static KernelCase Norm(long[] shape)
    {
        Tensor x = randn(shape), residual = randn(shape), weight = ones(shape[2]);
        return new KernelCase("rmsnorm", shape, 0, () => RmsNorm.Forward(x, residual, weight, 1e-5).Y, (nameof(x), x), (nameof(residual), residual), (nameof(weight), weight));
    }
}
