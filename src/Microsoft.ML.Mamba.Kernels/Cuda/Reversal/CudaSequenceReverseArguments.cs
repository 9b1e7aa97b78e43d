using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>Parameters of sequence_reverse; strides and width in units.</summary>
[StructLayout(LayoutKind.Sequential)]
[CudaParameters("sequence_reverse.cu", "SequenceReverseParams")]
internal struct CudaSequenceReverseArguments
{
    public nint X;
    public nint Y;
    public nint Lengths;
    public long XStride;
    public long YStride;
    public long Batch;
    public long Length;
    public long Width;
    public int ThreadsPerRowLog2;
}
