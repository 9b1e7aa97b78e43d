using Microsoft.ML.Mamba.Kernels.Cuda;
using Microsoft.ML.Mamba.Kernels.Tests.Scan;

namespace Microsoft.ML.Mamba.Kernels.Tests.Cuda.Scan;

/// <summary>The CUDA scan, run on the processor, against the plain loops: outputs and all gradients.</summary>
public sealed class CudaScanOnHostTests
{
    private const CudaNumber F = CudaNumber.Float32;

    [SkippableTheory]
    [InlineData(CudaNumber.Float32, 2, 70, 16, 16, 1, 0)]
    [InlineData(CudaNumber.Float32, 1, 33, 7, 5, 1, 3)]
    [InlineData(CudaNumber.Float32, 1, 20, 36, 17, 3, 1)]
    [InlineData(CudaNumber.Float32, 1, 9, 8, 100, 1, 0)]
    [InlineData(CudaNumber.BFloat16, 2, 70, 40, 16, 1, 0)]
    [InlineData(CudaNumber.BFloat16, 1, 35, 5, 16, 1, 2)]
    [InlineData(CudaNumber.Float16, 1, 35, 16, 64, 2, 0)]
    public void Outputs_and_gradients_agree_with_the_plain_loops(CudaNumber type, int batch, int length, int channels, int states, int groups, int gap)
    {
        HostCuda.SkipIfMissing();
        var data = ScanData.Random(new ScanDims(batch, length, channels, states, groups), length * channels);
        AssertAgrees(type, data, gap, multiprocessors: 1);
        AssertAgrees(type, data.Without(0x3f), gap, multiprocessors: 1);
    }

    [SkippableFact]
    public void A_sequence_that_is_cut_into_segments_agrees_with_the_plain_loops()
    {
        HostCuda.SkipIfMissing();
        var dims = new ScanDims(1, 1100, 8, 3, 1);
        Assert.True(new CudaScanPlan(132, dims).Segments > 1);
        AssertAgrees(F, ScanData.Random(dims, 1), 0, multiprocessors: 132);
    }

    // Narrow types have some products of the backward pass in bfloat16.
    private static double Tolerance(CudaNumber type) => type == F ? 1e-5 : 1e-2;

    private static void AssertAgrees(CudaNumber type, ScanData data, int gap, int multiprocessors)
    {
        double[] Round(double[] values) => TypedRows.Round(type, values);
        data = data with
        {
            U = Round(data.U),
            Delta = Round(data.Delta),
            B = Round(data.B),
            C = Round(data.C),
            Z = data.Z is null ? null : Round(data.Z),
            DY = Round(data.DY!),
        };
        var got = Run(type, data, gap, multiprocessors);
        foreach (var (name, want) in ScanRunner.ReferenceForward(data).Concat(ScanRunner.ReferenceBackward(data)))
        {
            Closeness.Assert($"{type}, {data.Dims}: {name}", want, got[name], Tolerance(type));
        }
    }

    private static Dictionary<string, double[]> Run(CudaNumber type, ScanData data, int gap, int multiprocessors)
    {
        var (dims, plan) = (data.Dims, new CudaScanPlan(multiprocessors, data.Dims));
        var (steps, channels, rows, columns) = (dims.Steps, dims.Channels, dims.Batch * dims.Channels, (long)dims.Groups * dims.State);
        var memory = new Dictionary<string, TypedRows>();
        CudaRows Rows(string name, CudaNumber of, long count, long width, double[]? values, int between) =>
            (memory[name] = new TypedRows(of, count, width, between, values)).Rows;
        CudaRows Input(string name, CudaNumber of, long count, long width, double[]? values) =>
            values is null ? default : Rows(name, of, count, width, values, of == F && count != steps ? 0 : gap);
        CudaRows Output(string name, CudaNumber of, long count, long width) => Rows(name, of, count, width, null, 0);
        try
        {
            var inputs = new CudaScanInputs
            {
                U = Input("u", type, steps, channels, data.U),
                Delta = Input("delta", type, steps, channels, data.Delta),
                A = Input("A", F, channels, dims.State, data.A),
                B = Input("B", type, steps, columns, data.B),
                C = Input("C", type, steps, columns, data.C),
                D = Input("D", F, 1, channels, data.D),
                Z = Input("z", type, steps, channels, data.Z),
                DeltaBias = Input("delta_bias", F, 1, channels, data.DeltaBias),
                InitialState = Input("initial_state", F, rows, dims.State, data.InitialState),
                DeltaSoftplus = data.DeltaSoftplus,
            };
            var target = HostCuda.Target(multiprocessors);
            var checkpoints = Output("checkpoints", F, 1, plan.CheckpointLength).Address;
            var scratch = Output("scratch", F, 1, Math.Max(plan.CarryScratch, plan.BackwardScratch)).Address;
            CudaSelectiveScan.Forward(
                target, dims, inputs, Output("y", type, steps, channels), Output("last_state", F, rows, dims.State), checkpoints, scratch);
            CudaSelectiveScan.Backward(
                target, dims, inputs, checkpoints, Input("grad_out", type, steps, channels, data.DY), Input("grad_last_state", F, rows, dims.State, data.DFinalState),
                new CudaScanGradients
                {
                    U = Output("grad_u", type, steps, channels),
                    Delta = Output("grad_delta", type, steps, channels),
                    A = Output("grad_A", F, channels, dims.State),
                    B = Output("grad_B", type, steps, columns),
                    C = Output("grad_C", type, steps, columns),
                    D = Output("grad_D", F, 1, channels),
                    Z = data.Z is null ? default : Output("grad_z", type, steps, channels),
                    DeltaBias = Output("grad_delta_bias", F, 1, channels),
                    InitialState = Output("grad_initial_state", F, rows, dims.State),
                },
                scratch);
            return memory.ToDictionary(entry => entry.Key, entry => entry.Value.Read(entry.Key));
        }
        finally
        {
            foreach (var entry in memory.Values)
            {
                entry.Dispose();
            }
        }
    }
}
