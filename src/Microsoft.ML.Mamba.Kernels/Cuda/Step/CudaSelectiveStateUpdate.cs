using System.Runtime.InteropServices;

namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>One step of the selective scan in a GPU's memory, see <see cref="SelectiveStateUpdate"/>: state and parameters in float32, everything else in one of the types of <see cref="CudaNumber"/>.</summary>
public static class CudaSelectiveStateUpdate
{
    /// <summary>Most states of a channel, N.</summary>
    public const int MaxState = 256;

    private const string Source = "selective_state_update";
    private const int Threads = 128;
    private const int Pack = 4;
    private const int WarpLanes = 32;

    private static readonly CudaKernelFamily<(CudaNumber Type, int Pack)> Kernels = new(k => new(Source, Source, $"REAL={k.Type.Name()}", $"VECTOR={k.Pack}"));

    /// <summary>Every kernel that can be launched.</summary>
    internal static IReadOnlyList<CudaKernelVariant> Variants { get; } =
        [.. from type in CudaNumbers.All from pack in new[] { 1, Pack } select Variant(type, pack)];

    /// <summary>Advances the state and gives y.</summary>
    /// <param name="device">The GPU.</param>
    /// <param name="step">Operands.</param>
    /// <exception cref="ArgumentException">A shape or a type does not fit.</exception>
    /// <exception cref="CudaException">The kernel cannot be compiled or launched.</exception>
    public static void Step(CudaDevice device, in CudaStateUpdate step) => Plan(step).On(device);

    internal static CudaLaunch<CudaStateUpdateArguments> Plan(in CudaStateUpdate step)
    {
        step.Require();
        var dims = step.Dims;
        var pack = CudaRows.Pack(Pack, step.State, step.A) == Pack ? Pack : 1;
        var lanes = 1;
        while (lanes < WarpLanes && lanes * pack < dims.State)
        {
            lanes *= 2;
        }

        return new(
            Variant(step.U.Type, pack),
            new CudaStateUpdateArguments
            {
                State = step.State.Address,
                X = step.U.Address,
                Delta = step.Delta.Address,
                A = step.A.Address,
                B = step.B.Address,
                C = step.C.Address,
                D = step.D.Address,
                Z = step.Z.Address,
                DeltaBias = step.DeltaBias.Address,
                Y = step.Y.Address,
                Batch = dims.Batch,
                Channels = dims.Channels,
                ChannelsPerGroup = dims.ChannelsPerGroup,
                XStride = step.U.Stride,
                DeltaStride = step.Delta.Stride,
                BStride = step.B.Stride,
                CStride = step.C.Stride,
                ZStride = step.Z.Stride,
                States = dims.State,
                Lanes = lanes,
                Softplus = step.DeltaSoftplus ? 1 : 0,
                AIsLog = step.AIsLog ? 1 : 0,
            },
            (dims.Batch * dims.Channels * lanes + Threads - 1) / Threads,
            Threads);
    }

    private static CudaKernelVariant Variant(CudaNumber type, int pack) => Kernels[(type, pack)];
}

/// <summary>Parameters of selective_state_update.</summary>
[StructLayout(LayoutKind.Sequential)]
[CudaParameters("selective_state_update.cuh", "StateUpdateParams")]
internal struct CudaStateUpdateArguments
{
    public nint State;
    public nint X;
    public nint Delta;
    public nint A;
    public nint B;
    public nint C;
    public nint D;
    public nint Z;
    public nint DeltaBias;
    public nint Y;
    public long Batch;
    public long Channels;
    public long ChannelsPerGroup;
    public long XStride;
    public long DeltaStride;
    public long BStride;
    public long CStride;
    public long ZStride;
    public int States;
    public int Lanes;
    public int Softplus;
    public int AIsLog;
}
