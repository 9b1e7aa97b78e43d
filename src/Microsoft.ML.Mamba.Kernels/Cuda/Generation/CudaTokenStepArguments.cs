using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>A block in token_step's table.</summary>
[StructLayout(LayoutKind.Sequential)]
[CudaParameters("token_step.cuh", "TokenStepBlock")]
internal struct CudaTokenBlockArguments
{
    public nint Norm;
    public nint In;
    public nint InBias;
    public nint Convolution;
    public nint ConvolutionBias;
    public nint Select;
    public nint Delta;
    public nint DeltaBias;
    public nint ALog;
    public nint Skip;
    public nint Out;
    public nint OutBias;
    public nint Inputs;
    public nint State;
}

/// <summary>Parameters of token_step.</summary>
[StructLayout(LayoutKind.Sequential)]
[CudaParameters("token_step.cuh", "TokenStepParams")]
internal struct CudaTokenStepArguments
{
    public nint Blocks;
    public nint Ids;
    public nint Embedding;
    public nint Position;
    public nint LastNorm;
    public nint Head;
    public nint Stream;
    public nint U;
    public nint Gate;
    public nint Selected;
    public nint Y;
    public nint Scores;
    public nint Counts;
    public long Vocabulary;
    public int Batch;
    public int Model;
    public int Channels;
    public int Width;
    public int States;
    public int Rank;
    public int Layers;
    public int FirstPhase;
    public int EndPhase;
    public int InSplit;
    public int SelectSplit;
    public int OutSplit;
    public int HeadSplit;
    public float NormEpsilon;
    public float SelectionEpsilon;
}
