namespace Microsoft.ML.Mamba.Kernels;

/// <summary>Checks that <see cref="SequenceReverse"/> and its reference share.</summary>
internal static class SequenceReverseArguments
{
    public static void Require<T>(Rows<T> x, ReadOnlySpan<int> lengths, long length, Rows<T> y)
        where T : unmanaged
    {
        const string Operation = "SequenceReverse";
        if (length < 0)
        {
            throw new ArgumentException($"{Operation}: length (L) is {length}; expected ≥ 0.", nameof(length));
        }

        for (var b = 0; b < lengths.Length; b++)
        {
            if (lengths[b] < 0 || lengths[b] > length)
            {
                throw new ArgumentException($"{Operation}: lengths[{b}] is {lengths[b]}; expected 0 to L = {length}.", nameof(lengths));
            }
        }

        x.Require(Operation, "x", "(B·L, D)", lengths.Length * length, x.Width);
        y.RequireOutput(Operation, "y", "(B·L, D)", lengths.Length * length, x.Width);
        y.RequireApart(Operation, "y", "x", x);
    }
}
