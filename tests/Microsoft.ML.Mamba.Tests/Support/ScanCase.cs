using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Support;

/// <summary>Random operands of a scan with every option on.</summary>
internal sealed class ScanCase
{
    public ScanCase(Random random, ScalarType type, long batch, long length, long channels, long state, long groups = 1)
    {
        Tensor New(params long[] shape) => RandomTensor.Of(random, shape).to(type);
        Operands = new()
        {
            ["u"] = New(batch, length, channels),
            ["delta"] = New(batch, length, channels),
            ["a"] = -(New(channels, state).abs() + 0.1),
            ["b"] = New(batch, length, groups, state),
            ["c"] = New(batch, length, groups, state),
            ["d"] = New(channels),
            ["z"] = New(batch, length, channels),
            ["deltaBias"] = New(channels),
            ["initialState"] = New(batch, channels, state),
        };
    }

    public Dictionary<string, Tensor> Operands { get; }

    public static (Tensor Y, Tensor FinalState) Run(IReadOnlyDictionary<string, Tensor> o, bool softplus = true)
    {
        var (y, last) = SelectiveScan.Forward(
            o["u"], o["delta"], o["a"], o["b"], o["c"], o["d"], o["z"], o["deltaBias"], softplus, o["initialState"], returnFinalState: true);
        return (y, last!);
    }
}
