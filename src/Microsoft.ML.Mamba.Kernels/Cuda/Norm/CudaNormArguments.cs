using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>Parameters of rms_norm_forward.</summary>
[StructLayout(LayoutKind.Sequential)]
[CudaParameters("rms_norm.cuh", "NormForwardParams")]
internal struct CudaNormForwardArguments
{
    public nint X;
    public nint Residual;
    public nint Weight;
    public nint Y;
    public nint Sum;
    public long Rows;
    public long Width;
    public long XStride;
    public long ResidualStride;
    public float Epsilon;
}

/// <summary>Parameters of rms_norm_backward.</summary>
[StructLayout(LayoutKind.Sequential)]
[CudaParameters("rms_norm.cuh", "NormBackwardParams")]
internal struct CudaNormBackwardArguments
{
    public nint Sum;
    public nint Weight;
    public nint DY;
    public nint DSum;
    public nint DX;
    public nint DResidual;
    public nint Partials;
    public long Rows;
    public long Width;
    public long SumStride;
    public long DYStride;
    public long DSumStride;
    public long RowsPerTeam;
    public float Epsilon;
}
