using Microsoft.ML.Mamba.Kernels.Cuda;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>What an optimizer does, for all weights in one launch. A table of their addresses goes to the GPU before.</summary>
internal sealed partial class CudaBackend
{
    public void AdamWStep(IReadOnlyList<AdamWWeight> weights, AdamWGuard? guard)
    {
        using var scope = NewDisposeScope();
        var tensors = new CudaTensors(weights[0].Weight);
        var rows = new CudaAdamWWeight[weights.Count];
        var copies = new List<(Tensor Own, Tensor Given)>();
        nint Written(Tensor given, string name, long count)
        {
            var own = given.dtype == ScalarType.Float32 ? given : given.to(ScalarType.Float32);
            if (!ReferenceEquals(own, given))
                copies.Add((own, given));
            return tensors.Single(own, name, 1, count).Address;
        }

        for (var i = 0; i < rows.Length; i++)
        {
            var (weight, gradient, first, second, step) = weights[i];
            var count = weight.NumberOfElements;
            rows[i] = new CudaAdamWWeight(
                Written(weight, "weight", count), tensors.Single(gradient, "gradient", 1, count).Address, Written(first, "firstMoment", count),
                Written(second, "secondMoment", count), count, step);
        }

        var table = CudaAdamW.Table(rows);
        CudaAdamW.Step(tensors.Device, table, tensors.Table(table), guard is { } numbers ? Guard(tensors, numbers) : default);
        foreach (var (own, given) in copies)
            given.copy_(own);
        GC.KeepAlive((weights, guard));
    }

    public Tensor SumOfSquares(IReadOnlyList<Tensor> values)
    {
        using var scope = NewDisposeScope();
        var tensors = new CudaTensors(values[0]);
        var rows = new (nint, long)[values.Count];
        for (var i = 0; i < rows.Length; i++)
        {
            var count = values[i].NumberOfElements;
            rows[i] = (tensors.Single(values[i], "values", 1, count).Address, count);
        }

        var table = CudaSumOfSquares.Table(rows);
        var result = tensors.New(ScalarType.Float64);
        CudaSumOfSquares.Of(tensors.Device, table, tensors.Table(table), tensors.Scratch(ScalarType.Float64, table.Blocks), TensorRows.Dense(result));
        GC.KeepAlive(values);
        return result.MoveToOuterDisposeScope();
    }

    private static CudaAdamWGuard Guard(CudaTensors tensors, AdamWGuard guard) => new(
        tensors.Single(guard.Loss, "loss", 1, 1).Address, tensors.Double(guard.SumOfSquares, "sumOfSquares"), guard.MaxNorm, AdamWGuard.Epsilon);
}
