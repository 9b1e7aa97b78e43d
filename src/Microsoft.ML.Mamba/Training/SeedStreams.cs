namespace Microsoft.ML.Mamba.Training;

/// <summary>
/// Independent seeds from one: weights, shuffling, augmentation and dropout each draw from a generator of their own, so
/// that switching one of them on or off leaves the others as they were.
/// </summary>
internal readonly struct SeedStreams(int seed)
{
    internal int Weights => Derive(1);

    internal int Dropout => Derive(2);

    internal Random Shuffling() => new(Derive(3));

    internal Random Augmentation() => new(Derive(4));

    internal Random Split() => new(Derive(5));

    internal Random Masking() => new(Derive(6));

    internal Random EvaluationMasking() => new(Derive(7));

    internal int Head => Derive(8);

    // SplitMix64's output function (Steele, Lea and Flood 2014) on (stream, seed).
    private int Derive(ulong stream)
    {
        var x = (stream << 32 | (uint)seed) + 0x9E3779B97F4A7C15UL;
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9UL;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBUL;
        return (int)((x ^ (x >> 31)) & int.MaxValue);
    }
}
