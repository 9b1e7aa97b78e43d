using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>What a mixer computes with between its two projections. D channels, N states, R the rank of the step sizes, W taps.</summary>
/// <param name="Projected">(B, L, 2·D): x, then the gate z.</param>
/// <param name="Filters">(D, W).</param>
/// <param name="FilterBias">(D), or null.</param>
/// <param name="SelectWeight">(R + 2·N, D): u to the step sizes' low rank, B and C.</param>
/// <param name="StepWeight">(D, R).</param>
/// <param name="StepBias">(D).</param>
/// <param name="ALog">(D, N); A is -exp of it.</param>
/// <param name="D">(D): the skip connection's weights.</param>
internal sealed record MixerInputs(
    Tensor Projected, Tensor Filters, Tensor? FilterBias, Tensor SelectWeight, Tensor StepWeight, Tensor StepBias, Tensor ALog, Tensor D)
{
    public long Channels { get; } = ALog.size(0);

    public long State { get; } = ALog.size(1);

    /// <summary>x and z, views.</summary>
    public (Tensor X, Tensor Z) Halves() => (Projected.narrow(-1, 0, Channels), Projected.narrow(-1, Channels, Channels));

    /// <summary>(B·L, D) of a tensor (B, L, D), a view.</summary>
    public Tensor Rows(Tensor sequences) => sequences.view(-1, Channels);

    /// <summary>(B·L, R) of what was selected, a view.</summary>
    public Tensor Rank(Tensor selected) => selected.narrow(1, 0, StepWeight.size(1));

    public ConvInputs Convolution(Tensor x) => new(x, Filters, FilterBias, null, Silu: true);

    public ScanInputs Scan(Tensor u, Tensor delta, Tensor a, Tensor selected, Tensor z)
    {
        var (rank, perPosition) = (StepWeight.size(1), selected.view(u.size(0), u.size(1), -1));
        return new ScanInputs(
            u, delta, a, perPosition.narrow(-1, rank, State), perPosition.narrow(-1, rank + State, State), D, z, StepBias, null, DeltaSoftplus: true);
    }
}
