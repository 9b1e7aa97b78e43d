using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>
/// Long sequences through a bidirectional network window by window. Each window begins where its first kept position has a margin of
/// an eighth of a window before it; what a window gives within a margin of an end that is no end of the sequence is dropped for what the
/// neighbouring window gives there. Which windows a sequence is read in depends on its own length alone, never on its batch.
/// </summary>
internal static class OverlappingWindows
{
    /// <summary>The shortest window that has margins.</summary>
    public const int Shortest = 8;

    /// <summary>(B, l, Outputs): what a network gives, up to the end l of the longest sequence.</summary>
    /// <param name="input">The sequences.</param>
    /// <param name="window">Positions of a window.</param>
    /// <param name="network">A batch → (B, its length, Outputs).</param>
    public static Tensor Map(SequenceInput input, int window, Func<SequenceInput, Tensor> network)
    {
        using var scope = NewDisposeScope();
        var margin = window / 8;
        var stride = window - (2 * margin);
        var end = input.Lengths.Append(0).Max();
        Tensor? result = null;
        for (var start = 0; start == 0 || start + (2 * margin) < end; start += stride)
        {
            using var part = input.Slice(start, Math.Min(window, end - start));
            using var given = network(part);
            result ??= zeros([input.Batch, end, given.shape[2]], dtype: given.dtype, device: given.device);
            for (var row = 0; row < input.Batch; row++)
            {
                var length = input.Lengths[row];
                if (start > 0 && start + (2 * margin) >= length)
                    continue; // the window before this one reached the end of this sequence
                var from = start == 0 ? 0 : start + margin;
                var to = start + window >= length ? length : start + window - margin;
                using var place = result[row].narrow(0, from, to - from);
                using var kept = given[row].narrow(0, from - start, to - from);
                place.copy_(kept);
            }
        }
        return result!.MoveToOuterDisposeScope();
    }
}
