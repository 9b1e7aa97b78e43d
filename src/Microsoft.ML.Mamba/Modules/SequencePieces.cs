using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>
/// Long sequences through a causal encoder piece by piece, with the state carried over: what is held beside input and result does
/// not grow with the length.
/// </summary>
internal static class SequencePieces
{
    /// <summary>
    /// Positions of a piece. Few enough that a small model's activations stay in the cache: with 8192 it took longer per token, and
    /// the heap kept 130 MB more between pieces.
    /// </summary>
    public const int Length = 2048;

    /// <summary>Whether a batch is better read in pieces: outside of gradient mode, where an encoder can carry its state.</summary>
    public static bool Wanted(MambaModel encoder, SequenceInput input) =>
        !encoder.Config.Bidirectional && !is_grad_enabled() && input.Length > Length;

    /// <summary>(B, Features): the pooled states of a layer (null: the final ones).</summary>
    public static Tensor Pool(MambaModel encoder, SequencePooling pooling, int? layer, SequenceInput input, long pieceLength)
    {
        using var scope = NewDisposeScope();
        var pooled = pooling.Begin(input.Batch, input.Lengths);
        ForEach(encoder, layer, input, pieceLength, pooled.Add);
        return pooled.Result().MoveToOuterDisposeScope();
    }

    /// <summary>(B, l, DModel): the states of a layer (null: the final ones), up to the end l of the longest sequence.</summary>
    public static Tensor Encode(MambaModel encoder, int? layer, SequenceInput input, long pieceLength)
    {
        using var scope = NewDisposeScope();
        var device = (input.Ids ?? input.Frames)!.device;
        var states = empty(input.Batch, input.Lengths.Append(0).Max(), encoder.Config.DModel, dtype: ScalarType.Float32, device: device);
        ForEach(encoder, layer, input, pieceLength, (hidden, start) =>
        {
            using var place = states.narrow(1, start, hidden.shape[1]);
            place.copy_(hidden);
        });
        return states.MoveToOuterDisposeScope();
    }

    /// <summary>(B, l, outputs): what a head makes of the final states, up to the end l of the longest sequence.</summary>
    public static Tensor Map(MambaModel encoder, SequenceInput input, long pieceLength, Func<Tensor, Tensor> head)
    {
        using var scope = NewDisposeScope();
        Tensor? result = null;
        ForEach(encoder, layer: null, input, pieceLength, (hidden, start) =>
        {
            using var given = head(hidden);
            result ??= empty([input.Batch, input.Lengths.Max(), given.shape[2]], dtype: given.dtype, device: given.device);
            using var place = result.narrow(1, start, given.shape[1]);
            place.copy_(given);
        });
        return (result ?? head(empty(input.Batch, 0, encoder.Config.DModel, device: (input.Ids ?? input.Frames)!.device))).MoveToOuterDisposeScope();
    }

    private static void ForEach(MambaModel encoder, int? layer, SequenceInput input, long pieceLength, Action<Tensor, long> take)
    {
        using var state = encoder.NewState(input.Batch);
        var end = input.Lengths.Append(0).Max();
        for (long start = 0; start < end; start += pieceLength)
        {
            using var piece = input.Slice(start, Math.Min(pieceLength, end - start));
            using var hidden = encoder.EncodePiece(piece, layer, state);
            take(hidden, start);
        }
    }
}
