using System.Diagnostics.CodeAnalysis;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>The one form in which ops say that a shape does not fit.</summary>
internal static class ShapeCheck
{
    public static void Rank(string op, string name, Tensor tensor, string symbols, int rank)
    {
        if (tensor.dim() != rank)
            Throw(op, name, tensor, symbols);
    }

    public static void Equal(string op, string name, Tensor tensor, string symbols, string from, params ReadOnlySpan<long> expected)
    {
        // One size at a time: an array of them, through TorchSharp's callback, takes longer than a small kernel.
        var equal = tensor.dim() == expected.Length;
        for (var i = 0; equal && i < expected.Length; i++)
            equal = tensor.size(i) == expected[i];
        if (!equal)
            Throw(op, name, tensor, $"{symbols} = ({string.Join(", ", expected.ToArray())}) from {from}");
    }

    public static void EqualIfGiven(string op, string name, Tensor? tensor, string symbols, string from, params ReadOnlySpan<long> expected)
    {
        if (tensor is not null)
            Equal(op, name, tensor, symbols, from, expected);
    }

    [DoesNotReturn]
    private static void Throw(string op, string name, Tensor tensor, string expected) =>
        throw new ArgumentException($"{op}: {name} has shape ({string.Join(", ", tensor.shape)}); expected {expected}.", name);
}
