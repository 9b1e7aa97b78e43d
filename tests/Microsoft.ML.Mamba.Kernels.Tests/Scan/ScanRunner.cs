using System.Numerics;

namespace Microsoft.ML.Mamba.Kernels.Tests.Scan;

/// <summary>Runs a scan on copies of its numbers, in rows with gaps, and returns the outputs by name.</summary>
internal static class ScanRunner
{
    public static Dictionary<string, double[]> ReferenceForward(ScanData data)
    {
        using var memory = new ScanMemory<double>(data, gap: 0);
        Reference.SelectiveScan.Forward(memory.Forward);
        return memory.Results("y", "last_state");
    }

    public static Dictionary<string, double[]> ReferenceBackward(ScanData data)
    {
        using var memory = new ScanMemory<double>(data, gap: 0);
        Reference.SelectiveScan.Backward(memory.Backward);
        return memory.Results(memory.Gradients);
    }

    /// <summary>The SIMD kernel.</summary>
    /// <param name="data">Numbers; rounded to float.</param>
    /// <param name="bits">Vector width.</param>
    /// <param name="threads">Threads.</param>
    /// <param name="gap">Elements between rows.</param>
    public static Dictionary<string, double[]> Forward(ScanData data, int bits, int threads = 1, int gap = 0)
    {
        using var width = SimdWidth.Force(bits);
        using var memory = new ScanMemory<float>(data, gap);
        SelectiveScan.Forward(memory.Forward, threads);
        memory.AssertGapsUntouched();
        return memory.Results("y", "last_state");
    }

    /// <summary>The SIMD kernel, forward (for the checkpoints) and backward.</summary>
    public static Dictionary<string, double[]> Backward(ScanData data, int bits, int threads = 1, int gap = 0)
    {
        using var width = SimdWidth.Force(bits);
        using var memory = new ScanMemory<float>(data, gap);
        SelectiveScan.Forward(memory.Forward, threads);
        SelectiveScan.Backward(memory.Backward, threads);
        memory.AssertGapsUntouched();
        return memory.Results(memory.Gradients);
    }
}

/// <summary>The arguments of both directions in memory.</summary>
internal sealed class ScanMemory<T> : IDisposable
    where T : unmanaged, IBinaryFloatingPointIeee754<T>
{
    private readonly Dictionary<string, RowsBuffer<T>> _buffers = [];

    public ScanMemory(ScanData data, int gap)
    {
        var dims = data.Dims;
        var (steps, channels, states, columns) = (dims.Steps, dims.Channels, dims.Batch * dims.Channels, dims.Groups * dims.State);

        Rows<T> Input(string name, long count, long width, double[]? values) =>
            values is null ? default : Add(name, new RowsBuffer<T>(count, width, gap, values));
        Rows<T> Output(string name, long count, long width, bool wanted = true) =>
            wanted ? Add(name, new RowsBuffer<T>(count, width, gap)) : default;

        Forward = new SelectiveScanForward<T>
        {
            Dims = dims,
            U = Input("u", steps, channels, data.U),
            Delta = Input("delta", steps, channels, data.Delta),
            A = Input("A", channels, dims.State, data.A),
            B = Input("B", steps, columns, data.B),
            C = Input("C", steps, columns, data.C),
            D = Input("D", 1, channels, data.D),
            Z = Input("z", steps, channels, data.Z),
            DeltaBias = Input("delta_bias", 1, channels, data.DeltaBias),
            InitialState = Input("initial_state", states, dims.State, data.InitialState),
            DeltaSoftplus = data.DeltaSoftplus,
            Y = Output("y", steps, channels),
            FinalState = Output("last_state", states, dims.State),
            Checkpoints = Output("checkpoints", 1, SelectiveScan.CheckpointLength(dims)),
        };
        Backward = new SelectiveScanBackward<T>
        {
            Dims = dims,
            U = Forward.U,
            Delta = Forward.Delta,
            A = Forward.A,
            B = Forward.B,
            C = Forward.C,
            D = Forward.D,
            Z = Forward.Z,
            DeltaBias = Forward.DeltaBias,
            InitialState = Forward.InitialState,
            DeltaSoftplus = data.DeltaSoftplus,
            Checkpoints = Forward.Checkpoints,
            DY = Input("grad_out", steps, channels, data.DY),
            DFinalState = Input("grad_last_state", states, dims.State, data.DFinalState),
            DU = Output("grad_u", steps, channels),
            DDelta = Output("grad_delta", steps, channels),
            DA = Output("grad_A", channels, dims.State),
            DB = Output("grad_B", steps, columns),
            DC = Output("grad_C", steps, columns),
            DD = Output("grad_D", 1, channels),
            DZ = Output("grad_z", steps, channels, data.Z is not null),
            DDeltaBias = Output("grad_delta_bias", 1, channels),
            DInitialState = Output("grad_initial_state", states, dims.State),
        };
    }

    public SelectiveScanForward<T> Forward { get; }

    public SelectiveScanBackward<T> Backward { get; }

    /// <summary>Names of the gradients that are computed.</summary>
    public string[] Gradients => [.. _buffers.Keys.Where(name => name.StartsWith("grad_") && name is not ("grad_out" or "grad_last_state"))];

    public Dictionary<string, double[]> Results(params string[] names) => names.ToDictionary(name => name, name => _buffers[name].ToArray());

    public void AssertGapsUntouched()
    {
        foreach (var (name, buffer) in _buffers.Where(b => b.Key.StartsWith("grad_") || b.Key is "y" or "last_state"))
        {
            buffer.AssertGapsUntouched(name);
        }
    }

    public void Dispose()
    {
        foreach (var buffer in _buffers.Values)
        {
            buffer.Dispose();
        }
    }

    private Rows<T> Add(string name, RowsBuffer<T> buffer)
    {
        _buffers.Add(name, buffer);
        return buffer.Rows;
    }
}
