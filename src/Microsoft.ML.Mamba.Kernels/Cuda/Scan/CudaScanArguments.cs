using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>Parameters of selective_scan_forward.</summary>
[StructLayout(LayoutKind.Sequential)]
[CudaParameters("selective_scan.cuh", "ScanForwardParams")]
internal struct CudaScanForwardArguments
{
    public nint U;
    public nint Delta;
    public nint A;
    public nint B;
    public nint C;
    public nint D;
    public nint Z;
    public nint DeltaBias;
    public nint InitialState;
    public nint Y;
    public nint FinalState;
    public nint Checkpoints;
    public long Length;
    public long SegmentLength;
    public long UStride;
    public long DeltaStride;
    public long BStride;
    public long CStride;
    public long ZStride;
    public long YStride;
    public int Channels;
    public int States;
    public int Groups;
    public int Segments;
    public int DeltaSoftplus;
}

/// <summary>Parameters of selective_scan_carry.</summary>
[StructLayout(LayoutKind.Sequential)]
[CudaParameters("selective_scan.cuh", "ScanCarryParams")]
internal struct CudaScanCarryArguments
{
    public nint U;
    public nint Delta;
    public nint A;
    public nint Matrix;
    public nint Z;
    public nint Dy;
    public nint DeltaBias;
    public nint Ends;
    public nint Totals;
    public long Length;
    public long SegmentLength;
    public long UStride;
    public long DeltaStride;
    public long MatrixStride;
    public long ZStride;
    public long DyStride;
    public int Channels;
    public int States;
    public int Groups;
    public int Segments;
    public int DeltaSoftplus;
}

/// <summary>Parameters of selective_scan_chain.</summary>
[StructLayout(LayoutKind.Sequential)]
[CudaParameters("selective_scan.cuh", "ScanChainParams")]
internal struct CudaScanChainArguments
{
    public nint A;
    public nint Ends;
    public nint Totals;
    public nint Start;
    public nint Carries;
    public long Sequences;
    public int Channels;
    public int States;
    public int Segments;
    public int Backward;
}

/// <summary>Parameters of selective_scan_backward.</summary>
[StructLayout(LayoutKind.Sequential)]
[CudaParameters("selective_scan.cuh", "ScanBackwardParams")]
internal struct CudaScanBackwardArguments
{
    public nint U;
    public nint Delta;
    public nint A;
    public nint B;
    public nint C;
    public nint D;
    public nint Z;
    public nint DeltaBias;
    public nint Checkpoints;
    public nint Carries;
    public nint Dy;
    public nint Du;
    public nint DDelta;
    public nint Dz;
    public nint Sums;
    public nint DMatrices;
    public nint DInitialState;
    public long Length;
    public long SegmentLength;
    public long UStride;
    public long DeltaStride;
    public long BStride;
    public long CStride;
    public long ZStride;
    public long DyStride;
    public long DzStride;
    public int Channels;
    public int States;
    public int Groups;
    public int Segments;
    public int DeltaSoftplus;
}

/// <summary>Parameters of selective_scan_matrices.</summary>
[StructLayout(LayoutKind.Sequential)]
[CudaParameters("selective_scan.cuh", "ScanMatricesParams")]
internal struct CudaScanMatricesArguments
{
    public nint Partials;
    public nint Db;
    public nint Dc;
    public long Rows;
    public int Blocks;
    public int States;
    public int Groups;
}
