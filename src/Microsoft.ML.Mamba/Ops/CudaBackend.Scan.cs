using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

internal sealed partial class CudaBackend
{
    public ScanOutputs SelectiveScanForward(ScanInputs inputs, bool finalState, bool forBackward) => throw new NotSupportedException();

    public ScanGradients SelectiveScanBackward(ScanInputs inputs, Tensor? checkpoints, Tensor? dy, Tensor? dFinalState, ScanOperands wanted) => throw new NotSupportedException();
}
