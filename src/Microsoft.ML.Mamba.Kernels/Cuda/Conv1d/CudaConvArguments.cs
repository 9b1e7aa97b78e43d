using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>Parameters of causal_conv1d_forward.</summary>
[StructLayout(LayoutKind.Sequential)]
[CudaParameters("causal_conv1d.cuh", "ConvForwardParams")]
internal struct CudaConvForwardArguments
{
    public nint X;
    public nint Weight;
    public nint Bias;
    public nint Initial;
    public nint Y;
    public nint Last;
    public long Batch;
    public long Length;
    public long Channels;
    public long XStride;
    public long InitialStride;
    public long Segments;
    public int Steps;
    public int Silu;
}

/// <summary>Parameters of causal_conv1d_backward.</summary>
[StructLayout(LayoutKind.Sequential)]
[CudaParameters("causal_conv1d.cuh", "ConvBackwardParams")]
internal struct CudaConvBackwardArguments
{
    public nint X;
    public nint Weight;
    public nint Bias;
    public nint Initial;
    public nint DY;
    public nint DLast;
    public nint DX;
    public nint DInitial;
    public nint Partials;
    public long Batch;
    public long Length;
    public long Channels;
    public long XStride;
    public long InitialStride;
    public long DYStride;
    public long DXStride;
    public long DLastStride;
    public long Segments;
    public int Steps;
    public int Silu;
}

/// <summary>Parameters of causal_conv1d_step.</summary>
[StructLayout(LayoutKind.Sequential)]
[CudaParameters("causal_conv1d.cuh", "ConvStepParams")]
internal struct CudaConvStepArguments
{
    public nint X;
    public nint Weight;
    public nint Bias;
    public nint State;
    public nint Y;
    public long Batch;
    public long Channels;
    public long XStride;
    public int Silu;
}
