using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// The operands of one selective scan, as <see cref="SelectiveScan"/> hands them to a backend: shapes checked, one device and
/// one floating type, delta before bias and softplus.
/// </summary>
/// <param name="U">(B, L, D) input, unit inner stride.</param>
/// <param name="Delta">(B, L, D) step sizes before bias and softplus, unit inner stride.</param>
/// <param name="A">(D, N) decay rates, negative.</param>
/// <param name="B">(B, L, G·N) input matrix, channel c uses group c / (D / G).</param>
/// <param name="C">(B, L, G·N) output matrix, grouped as <paramref name="B"/>.</param>
/// <param name="D">(D) skip weights, or null for none.</param>
/// <param name="Z">(B, L, D) gate; y is multiplied by SiLU(z). Null for no gate.</param>
/// <param name="DeltaBias">(D) added to delta before softplus, or null.</param>
/// <param name="InitialState">(B, D, N) state before the first position, or null for zeros.</param>
/// <param name="DeltaSoftplus">Whether delta passes through softplus.</param>
public sealed record ScanInputs(
    Tensor U,
    Tensor Delta,
    Tensor A,
    Tensor B,
    Tensor C,
    Tensor? D,
    Tensor? Z,
    Tensor? DeltaBias,
    Tensor? InitialState,
    bool DeltaSoftplus)
{
    /// <summary>B: sequences in the batch.</summary>
    public long Batch { get; } = U.size(0);

    /// <summary>L: positions of each sequence.</summary>
    public long Length { get; } = U.size(1);

    /// <summary>D: channels.</summary>
    public long Channels { get; } = A.size(0);

    /// <summary>N: states of each channel.</summary>
    public int State { get; } = checked((int)A.size(1));

    /// <summary>G: groups of channels that share B and C.</summary>
    public int Groups { get; } = checked((int)(B.size(2) / A.size(1)));
}

/// <summary>What a forward scan gives back.</summary>
/// <param name="Y">(B, L, D) output.</param>
/// <param name="FinalState">(B, D, N) state after the last position, or null when it was not asked for.</param>
/// <param name="Checkpoints">What the same backend's backward wants to find again, or null.</param>
public readonly record struct ScanOutputs(Tensor Y, Tensor? FinalState, Tensor? Checkpoints);

/// <summary>Gradients of a scan, one for each operand; null where none was asked for.</summary>
public sealed record ScanGradients(
    Tensor? U,
    Tensor? Delta,
    Tensor? A,
    Tensor? B,
    Tensor? C,
    Tensor? D,
    Tensor? Z,
    Tensor? DeltaBias,
    Tensor? InitialState);

/// <summary>The operands whose gradients are wanted.</summary>
[Flags]
public enum ScanOperands
{
    /// <summary>No operand.</summary>
    None = 0,

    /// <summary>The input u.</summary>
    U = 1,

    /// <summary>The step sizes.</summary>
    Delta = 2,

    /// <summary>The decay rates.</summary>
    A = 4,

    /// <summary>The input matrix.</summary>
    B = 8,

    /// <summary>The output matrix.</summary>
    C = 16,

    /// <summary>The skip weights.</summary>
    D = 32,

    /// <summary>The gate.</summary>
    Z = 64,

    /// <summary>The bias of the step sizes.</summary>
    DeltaBias = 128,

    /// <summary>The state before the first position.</summary>
    InitialState = 256,
}
