using System.Numerics;
using System.Runtime.CompilerServices;

namespace Microsoft.ML.Mamba.Kernels.Reference;

/// <summary>The truth that <see cref="Kernels.BlockSteps"/> is compared with: the plain loops of each part, one after the other.</summary>
public static class BlockSteps
{
    /// <inheritdoc cref="Kernels.BlockSteps.Advance"/>
    /// <typeparam name="T">float or double.</typeparam>
    public static void Advance<T>(
        in BlockStepDims dims, ReadOnlySpan<BlockStep<T>> blocks, Rows<T> hidden, Rows<T> residual, double normEpsilon, double selectionEpsilon)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Kernels.BlockSteps.Require(dims, blocks, hidden, residual, normEpsilon, selectionEpsilon);
        foreach (ref readonly var block in blocks)
        {
            Advance(dims, block, hidden, residual, normEpsilon, selectionEpsilon);
        }
    }

    private static void Advance<T>(
        in BlockStepDims dims, in BlockStep<T> block, Rows<T> hidden, Rows<T> residual, double normEpsilon, double selectionEpsilon)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var (batch, model, channels, _, state, rank) = dims;
        using var normed = new NativeArray<T>(batch * model);
        using var projected = new NativeArray<T>(batch * 2 * channels);
        using var u = new NativeArray<T>(batch * channels);
        using var selected = new NativeArray<T>(batch * dims.Selected);
        using var delta = new NativeArray<T>(batch * channels);
        using var y = new NativeArray<T>(batch * channels);
        Rows<T> Selected(long from, long width) => new(selected.Address + (nint)from * Unsafe.SizeOf<T>(), batch, width, rank + 2 * state);
        Rows<T> Half(long half) => new(projected.Address + (nint)(half * channels) * Unsafe.SizeOf<T>(), batch, channels, 2 * channels);

        RmsNorm.Forward(hidden, residual, block.Norm, normEpsilon, normed.AsRows(batch, model), residual);
        LinearStep.Apply(normed.AsRows(batch, model), block.In, block.InBias, projected.AsRows(batch, 2 * channels));
        CausalConv1d.Step(new CausalConv1dStep<T>
        {
            Dims = dims.Convolution,
            State = block.Inputs,
            X = Half(0),
            Weight = block.Convolution,
            Bias = block.ConvolutionBias,
            Silu = true,
            Y = u.AsRows(batch, channels),
        });
        LinearStep.Apply(u.AsRows(batch, channels), block.Select, default, selected.AsRows(batch, dims.Selected));
        if (selectionEpsilon > 0)
        {
            foreach (var part in new[] { Selected(0, rank), Selected(rank, state), Selected(rank + state, state) })
            {
                using var ones = new NativeArray<T>(part.Width);
                ones.AsSpan().Fill(T.One);
                RmsNorm.Forward(part, default, ones.AsRows(1, part.Width), selectionEpsilon, part, default);
            }
        }

        LinearStep.Apply(Selected(0, rank), block.Delta, default, delta.AsRows(batch, channels));
        SelectiveStateUpdate.Step(block.Scan(
            dims, u.AsRows(batch, channels), delta.AsRows(batch, channels), Selected(rank, state), Selected(rank + state, state), Half(1), y.AsRows(batch, channels)));
        LinearStep.Apply(y.AsRows(batch, channels), block.Out, block.OutBias, hidden);
    }
}
