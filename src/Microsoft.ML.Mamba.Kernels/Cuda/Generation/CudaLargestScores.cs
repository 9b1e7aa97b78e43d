using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>The largest score of each row of a matrix in a GPU's memory, and its place: some bytes to copy in place of a vocabulary.</summary>
public static class CudaLargestScores
{
    private const string Source = "largest_scores";
    private const int Threads = 1024;

    /// <summary>Every kernel that can be launched.</summary>
    internal static IReadOnlyList<CudaKernelVariant> Variants { get; } = [new(Source, Source)];

    /// <summary>Finds the first of each row's largest scores; of a row with NaN, the first NaN. Does not wait for it.</summary>
    /// <param name="device">The GPU.</param>
    /// <param name="scores">(rows, V) float32 without gaps, V ≥ 1.</param>
    /// <param name="found">Address of 2·rows words of 32 bits: the largest scores, then their places as integers.</param>
    /// <exception cref="ArgumentException">The type does not fit, or there are gaps.</exception>
    /// <exception cref="CudaException">The kernel cannot be compiled or launched.</exception>
    public static void Find(CudaDevice device, CudaRows scores, nint found) => Plan(scores, found).On(device);

    internal static CudaLaunch<CudaLargestScoresArguments> Plan(CudaRows scores, nint found)
    {
        scores.RequireDense("LargestScores", "scores", "(rows, V)", scores.Count, scores.Width, CudaNumber.Float32);
        if (scores.Width is < 1 or > int.MaxValue)
        {
            throw new ArgumentException($"LargestScores: rows of {scores.Width} scores; expected 1 to {int.MaxValue}.", nameof(scores));
        }

        return new(
            Variants[0],
            new CudaLargestScoresArguments { Scores = scores.Address, Values = found, Ids = found + (nint)scores.Count * sizeof(float), Count = (int)scores.Width },
            scores.Count,
            Threads);
    }
}

/// <summary>Parameters of largest_scores.</summary>
[StructLayout(LayoutKind.Sequential)]
[CudaParameters("largest_scores.cuh", "LargestScoresParams")]
internal struct CudaLargestScoresArguments
{
    public nint Scores;
    public nint Values;
    public nint Ids;
    public int Count;
}
