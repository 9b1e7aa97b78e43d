namespace Microsoft.ML.Mamba.Kernels.Tests.Support;

/// <summary>Test data: numbers that are exact in float, so that float and double runs see the same.</summary>
internal static class RandomValues
{
    /// <summary>Uniform numbers in (-scale, scale).</summary>
    public static double[] Next(Random random, long count, double scale = 2)
    {
        var values = new double[count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (float)((2 * random.NextDouble() - 1) * scale);
        }

        return values;
    }

    public static TItem Pick<TItem>(Random random, params TItem[] items) => items[random.Next(items.Length)];
}
