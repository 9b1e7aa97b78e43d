using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>Operands of <see cref="BlockSteps"/>: sizes M, D, W, N, R (DModel, DInner, DConv, DState, DtRank) and what is made of them.</summary>
/// <param name="Hidden">(B, M) what is to be added to the stream; in place what the last block gave.</param>
/// <param name="Residual">(B, M) the stream before it, updated in place.</param>
/// <param name="Blocks">The blocks, first block first.</param>
/// <param name="Model">M.</param>
/// <param name="Channels">D.</param>
/// <param name="Width">W.</param>
/// <param name="State">N.</param>
/// <param name="Rank">R.</param>
/// <param name="NormEpsilon">Added by the norm in front of each block.</param>
/// <param name="SelectionEpsilon">Added by norms of what is selected; 0 where there are none.</param>
internal sealed record BlockStepInputs(
    Tensor Hidden, Tensor Residual, BlockStepOperands[] Blocks, int Model, int Channels, int Width, int State, int Rank, double NormEpsilon, double SelectionEpsilon);

/// <summary>Weights and states of one block; see the kernel for what they mean.</summary>
/// <param name="Norm">(M).</param>
/// <param name="In">(2·D, M).</param>
/// <param name="InBias">(2·D), or null.</param>
/// <param name="Convolution">(D, 1, W).</param>
/// <param name="ConvolutionBias">(D), or null.</param>
/// <param name="Select">(R + 2·N, D).</param>
/// <param name="Delta">(D, R).</param>
/// <param name="DeltaBias">(D), or null.</param>
/// <param name="ALog">(D, N).</param>
/// <param name="Skip">(D).</param>
/// <param name="Out">(M, D).</param>
/// <param name="OutBias">(M), or null.</param>
/// <param name="Inputs">(B, W-1, D), updated in place.</param>
/// <param name="State">(B, D, N), updated in place.</param>
internal sealed record BlockStepOperands(
    Tensor Norm, Tensor In, Tensor? InBias, Tensor Convolution, Tensor? ConvolutionBias, Tensor Select, Tensor Delta, Tensor? DeltaBias, Tensor ALog, Tensor Skip,
    Tensor Out, Tensor? OutBias, Tensor Inputs, Tensor State);
