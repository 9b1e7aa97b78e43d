using System.Runtime.InteropServices;
using static TorchSharp.torch;
using TensorPrimitives = System.Numerics.Tensors.TensorPrimitives;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>The largest score of each row and its place: all that the likeliest token needs of a vocabulary.</summary>
internal static class LargestScores
{
    /// <summary>Finds them.</summary>
    /// <param name="scores">(rows, V) float32, contiguous, on any device.</param>
    /// <returns>For each row the first of its largest scores; with NaN, the first NaN.</returns>
    public static (float Score, int Id)[] Of(Tensor scores) =>
        KernelBackends.Choose(nameof(LargestScores), scores) is ILargestScoreKernels kernels ? kernels.LargestScores(scores) : OnProcessor(scores);

    /// <summary>The same by the processor, whose memory gets all scores.</summary>
    public static (float Score, int Id)[] OnProcessor(Tensor scores)
    {
        using var own = scores.cpu();
        var all = MemoryMarshal.Cast<byte, float>(own.bytes);
        var width = (int)scores.size(1);
        var largest = new (float, int)[scores.size(0)];
        for (var row = 0; row < largest.Length; row++)
        {
            var mine = all.Slice(row * width, width);
            var id = TensorPrimitives.IndexOfMax(mine);
            largest[row] = (mine[id], id);
        }

        return largest;
    }
}

/// <summary>A backend that finds the largest scores where they are.</summary>
internal interface ILargestScoreKernels
{
    /// <summary>See <see cref="Ops.LargestScores.Of"/>.</summary>
    (float Score, int Id)[] LargestScores(Tensor scores);
}
