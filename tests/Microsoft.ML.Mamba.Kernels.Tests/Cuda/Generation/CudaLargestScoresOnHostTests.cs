using Microsoft.ML.Mamba.Kernels.Cuda;

namespace Microsoft.ML.Mamba.Kernels.Tests.Cuda.Generation;

public sealed class CudaLargestScoresOnHostTests
{
    [SkippableFact]
    public void The_first_of_the_largest_scores_is_found_and_NaN_before_all()
    {
        HostCuda.SkipIfMissing();
        var random = new Random(3);
        foreach (var count in new[] { 1, 2, 31, 1023, 1024, 5000 })
        {
            float[][] rows =
            [
                [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() - 2)],
                [.. Enumerable.Range(0, count).Select(_ => (float)random.Next(3))], // equals
                [.. Enumerable.Repeat(float.NegativeInfinity, count)],
                [.. Enumerable.Range(0, count).Select(i => i % 700 == count % 700 / 2 ? float.NaN : float.PositiveInfinity)],
            ];
            using var scores = new NativeArray<float>([.. rows.SelectMany(row => row)]);
            using var found = new NativeArray<int>(2 * rows.Length);
            HostCuda.Run(CudaLargestScores.Plan(new CudaRows(scores.Address, rows.Length, count, CudaNumber.Float32), found.Address));
            for (var row = 0; row < rows.Length; row++)
            {
                var firstNaN = Array.FindIndex(rows[row], float.IsNaN);
                var want = firstNaN >= 0 ? firstNaN : Array.IndexOf(rows[row], rows[row].Max());
                Assert.Equal(want, found[rows.Length + row]);
                Assert.Equal(rows[row][want], BitConverter.Int32BitsToSingle(found[row]));
            }
        }
    }
}
