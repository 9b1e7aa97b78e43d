using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// The gradients that a backward callback handed to torch. Torch takes its own reference as soon as the callback returns, so ours
/// are let go at the next callback on the same thread; waiting for the finalizer, or for the caller's scope, would keep the
/// gradients of every layer in memory at once.
/// </summary>
internal static class ReturnedGradients
{
    [ThreadStatic]
    private static List<Tensor>? _held;

    /// <summary>Lets go of what the previous callback returned.</summary>
    public static void Release()
    {
        if (_held is null)
            return;
        foreach (var gradient in _held)
            gradient.Dispose();
        _held.Clear();
    }

    /// <summary>A gradient that torch handed in, or null where it left it undefined.</summary>
    public static Tensor? Defined(Tensor gradient) => gradient.IsInvalid ? null : gradient;

    /// <summary>Keeps the gradients that the present callback returns alive until the next one.</summary>
    public static List<Tensor> Hold(params ReadOnlySpan<Tensor?> gradients)
    {
        _held ??= [];
        var result = new List<Tensor>(gradients.Length);
        foreach (var gradient in gradients)
        {
            if (gradient is not null)
                _held.Add(gradient.DetachFromDisposeScope());
            result.Add(gradient!);
        }

        return result;
    }
}
