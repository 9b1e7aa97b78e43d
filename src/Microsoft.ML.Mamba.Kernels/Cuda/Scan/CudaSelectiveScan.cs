namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>
/// The selective scan in a GPU's memory, see <see cref="SelectiveScan"/>: u, delta, B, C, z, y and their gradients in one of the types
/// of <see cref="CudaNumber"/>; A, D, the bias of delta, states and their gradients in float32. Nothing is added to in an order that
/// could change, so equal launches give equal bits.
/// </summary>
public static class CudaSelectiveScan
{
    /// <summary>Every kernel that can be launched.</summary>
    internal static IReadOnlyList<CudaKernelVariant> Variants { get; } = [.. CudaScanPlan.Variants];

    /// <summary>Floats of the checkpoints that <see cref="Forward"/> leaves for <see cref="Backward"/>: the states every 16 positions (8 where N is above 64).</summary>
    /// <param name="device">The GPU.</param>
    /// <param name="dims">Sizes.</param>
    public static long CheckpointLength(CudaDevice device, ScanDims dims) => Plan(device, dims).CheckpointLength;

    /// <summary>Floats of memory that <see cref="Forward"/> needs; 0 unless sequences are cut.</summary>
    /// <param name="device">The GPU.</param>
    /// <param name="dims">Sizes.</param>
    public static long ForwardScratch(CudaDevice device, ScanDims dims) => Plan(device, dims).ForwardScratch;

    /// <summary>Floats of memory that <see cref="Backward"/> needs for its partial sums.</summary>
    /// <param name="device">The GPU.</param>
    /// <param name="dims">Sizes.</param>
    public static long BackwardScratch(CudaDevice device, ScanDims dims) => Plan(device, dims).BackwardScratch;

    /// <summary>Scans whole sequences.</summary>
    /// <param name="device">The GPU.</param>
    /// <param name="dims">Sizes.</param>
    /// <param name="inputs">Operands.</param>
    /// <param name="y">Output, (B·L, D) of the inputs' type, any row stride.</param>
    /// <param name="finalState">Output, (B·D, N) float32 without gaps; absent when not wanted.</param>
    /// <param name="checkpoints">Output, address of <see cref="CheckpointLength"/> floats, or 0 when no backward pass follows.</param>
    /// <param name="scratch">Address of <see cref="ForwardScratch"/> floats.</param>
    /// <exception cref="ArgumentException">A shape or a type does not fit.</exception>
    /// <exception cref="CudaException">A kernel cannot be compiled or launched.</exception>
    public static void Forward(CudaDevice device, ScanDims dims, CudaScanInputs inputs, CudaRows y, CudaRows finalState, nint checkpoints, nint scratch) =>
        Forward(new CudaDeviceTarget(device), dims, inputs, y, finalState, checkpoints, scratch);

    internal static void Forward<TTarget>(TTarget target, ScanDims dims, CudaScanInputs inputs, CudaRows y, CudaRows finalState, nint checkpoints, nint scratch)
        where TTarget : ICudaTarget
    {
        const string Operation = "SelectiveScan.Forward";
        var plan = new CudaScanPlan(target.Multiprocessors, dims);
        inputs.Require(Operation, dims);
        y.Require(Operation, "y", "(B·L, D)", dims.Steps, dims.Channels, inputs.U.Type);
        finalState.RequireDenseIfPresent(Operation, "finalState", "(B·D, N)", dims.Batch * dims.Channels, dims.State, CudaNumber.Float32);
        var carries = Carry(target, plan, dims, inputs, default, inputs.InitialState.Address, scratch, backward: false);
        target.Run(plan.Forward(inputs.U.Type, inputs.Aligned(dims, y), new CudaScanForwardArguments
        {
            U = inputs.U.Address,
            Delta = inputs.Delta.Address,
            A = inputs.A.Address,
            B = inputs.B.Address,
            C = inputs.C.Address,
            D = inputs.D.Address,
            Z = inputs.Z.Address,
            DeltaBias = inputs.DeltaBias.Address,
            InitialState = carries,
            Y = y.Address,
            FinalState = finalState.Address,
            Checkpoints = checkpoints,
            Length = dims.Length,
            SegmentLength = plan.ForwardCut.SegmentLength,
            UStride = inputs.U.Stride,
            DeltaStride = inputs.Delta.Stride,
            BStride = inputs.B.Stride,
            CStride = inputs.C.Stride,
            ZStride = inputs.Z.Stride,
            YStride = y.Stride,
            Channels = checked((int)dims.Channels),
            States = dims.State,
            Groups = dims.Groups,
            Segments = plan.ForwardCut.Segments,
            DeltaSoftplus = inputs.DeltaSoftplus ? 1 : 0,
        }));
    }

    /// <summary>Gradients of the scan.</summary>
    /// <param name="device">The GPU.</param>
    /// <param name="dims">Sizes.</param>
    /// <param name="inputs">As in the forward pass.</param>
    /// <param name="checkpoints">What the forward pass has left.</param>
    /// <param name="dy">Gradient of y, (B·L, D), any row stride.</param>
    /// <param name="dFinalState">Gradient of the final state, (B·D, N) float32 without gaps; absent for zeros.</param>
    /// <param name="gradients">Outputs.</param>
    /// <param name="scratch">Address of <see cref="BackwardScratch"/> floats.</param>
    /// <exception cref="ArgumentException">A shape or a type does not fit.</exception>
    /// <exception cref="CudaException">A kernel cannot be compiled or launched.</exception>
    public static void Backward(
        CudaDevice device, ScanDims dims, CudaScanInputs inputs, nint checkpoints, CudaRows dy, CudaRows dFinalState, CudaScanGradients gradients, nint scratch) =>
        Backward(new CudaDeviceTarget(device), dims, inputs, checkpoints, dy, dFinalState, gradients, scratch);

    internal static void Backward<TTarget>(
        TTarget target, ScanDims dims, CudaScanInputs inputs, nint checkpoints, CudaRows dy, CudaRows dFinalState, CudaScanGradients gradients, nint scratch)
        where TTarget : ICudaTarget
    {
        const string Operation = "SelectiveScan.Backward";
        var plan = new CudaScanPlan(target.Multiprocessors, dims);
        inputs.Require(Operation, dims);
        dy.Require(Operation, "dy", "(B·L, D)", dims.Steps, dims.Channels, inputs.U.Type);
        dFinalState.RequireDenseIfPresent(Operation, "dFinalState", "(B·D, N)", dims.Batch * dims.Channels, dims.State, CudaNumber.Float32);
        gradients.Require(Operation, dims, inputs);
        nint At(long floats) => scratch + checked((nint)(floats * sizeof(float)));
        var carries = Carry(target, plan, dims, inputs, dy, dFinalState.Address, scratch, backward: true);
        target.Run(plan.Backward(inputs.U.Type, inputs.Aligned(dims, dy, gradients.U, gradients.Delta, gradients.Z), new CudaScanBackwardArguments
        {
            U = inputs.U.Address,
            Delta = inputs.Delta.Address,
            A = inputs.A.Address,
            B = inputs.B.Address,
            C = inputs.C.Address,
            D = inputs.D.Address,
            Z = inputs.Z.Address,
            DeltaBias = inputs.DeltaBias.Address,
            Checkpoints = checkpoints,
            Carries = carries,
            Dy = dy.Address,
            Du = gradients.U.Address,
            DDelta = gradients.Delta.Address,
            Dz = gradients.Z.Address,
            Sums = At(plan.PartialSums),
            DMatrices = At(plan.PartialMatrices),
            DInitialState = gradients.InitialState.Address,
            Length = dims.Length,
            SegmentLength = plan.BackwardCut.SegmentLength,
            UStride = inputs.U.Stride,
            DeltaStride = inputs.Delta.Stride,
            BStride = inputs.B.Stride,
            CStride = inputs.C.Stride,
            ZStride = inputs.Z.Stride,
            DyStride = dy.Stride,
            DzStride = gradients.Z.Stride,
            Channels = checked((int)dims.Channels),
            States = dims.State,
            Groups = dims.Groups,
            Segments = plan.BackwardCut.Segments,
            DeltaSoftplus = inputs.DeltaSoftplus ? 1 : 0,
        }));
        if (!gradients.B.IsAbsent || !gradients.C.IsAbsent)
            target.Run(plan.Matrices(inputs.U.Type, At(plan.PartialMatrices), gradients.B.Address, gradients.C.Address));
        target.Run(CudaOrderedSums.Plan(
            At(plan.PartialSums), plan.BackwardCut.Runs, dims.Channels, dims.State, dims.State + 2, gradients.A.Address, gradients.DeltaBias.Address, gradients.D.Address));
    }

    /// <summary>What each segment starts from: <paramref name="start"/> itself where there is one segment.</summary>
    private static nint Carry<TTarget>(TTarget target, CudaScanPlan plan, ScanDims dims, CudaScanInputs inputs, CudaRows dy, nint start, nint scratch, bool backward)
        where TTarget : ICudaTarget
    {
        var cut = plan.Cut(backward);
        if (cut.Segments == 1)
            return start;
        var states = cut.Runs * dims.Channels * dims.State;
        nint ends = scratch, carries = ends + checked((nint)(states * sizeof(float))), totals = carries + checked((nint)(states * sizeof(float)));
        var matrix = backward ? inputs.C : inputs.B;
        target.Run(plan.Carry(inputs.U.Type, backward ? inputs.Aligned(dims, dy) : inputs.Aligned(dims), backward, new CudaScanCarryArguments
        {
            U = inputs.U.Address,
            Delta = inputs.Delta.Address,
            A = inputs.A.Address,
            Matrix = matrix.Address,
            Z = inputs.Z.Address,
            Dy = dy.Address,
            DeltaBias = inputs.DeltaBias.Address,
            Ends = ends,
            Totals = totals,
            Length = dims.Length,
            SegmentLength = cut.SegmentLength,
            UStride = inputs.U.Stride,
            DeltaStride = inputs.Delta.Stride,
            MatrixStride = matrix.Stride,
            ZStride = inputs.Z.Stride,
            DyStride = dy.Stride,
            Channels = checked((int)dims.Channels),
            States = dims.State,
            Groups = dims.Groups,
            Segments = cut.Segments,
            DeltaSoftplus = inputs.DeltaSoftplus ? 1 : 0,
        }));
        target.Run(plan.Chain(new CudaScanChainArguments
        {
            A = inputs.A.Address,
            Ends = ends,
            Totals = totals,
            Start = start,
            Carries = carries,
            Sequences = dims.Batch,
            Channels = checked((int)dims.Channels),
            States = dims.State,
            Segments = cut.Segments,
            Backward = backward ? 1 : 0,
        }));
        return carries;
    }

    private static CudaScanPlan Plan(CudaDevice device, ScanDims dims) => new(device.Multiprocessors, dims);
}
