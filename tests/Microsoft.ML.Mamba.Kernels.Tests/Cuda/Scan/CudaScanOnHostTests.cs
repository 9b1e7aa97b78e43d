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

    /// <summary>Steps of a size and decay rates that decide how far back states remember: all, part or next to nothing of a segment.</summary>
    [SkippableTheory]
    [InlineData(CudaNumber.Float32, 1100, 8, 3, 0.07, 2.0)]
    [InlineData(CudaNumber.Float32, 1100, 8, 3, 1e-6, 1.0)]
    [InlineData(CudaNumber.Float32, 1100, 8, 3, 6.0, 4.0)]
    [InlineData(CudaNumber.Float32, 1537, 33, 16, 0.5, 1.0)]
    [InlineData(CudaNumber.Float32, 1030, 8, 20, 0.5, 1.0)]
    [InlineData(CudaNumber.BFloat16, 1090, 40, 16, 0.3, 1.0)]
    [InlineData(CudaNumber.BFloat16, 1090, 8, 16, 6.0, 1.0)]
    public void Sequences_that_are_cut_into_segments_agree_with_the_plain_loops(CudaNumber type, int length, int channels, int states, double step, double rate)
    {
        HostCuda.SkipIfMissing();
        AssertAgrees(type, Cut(length, channels, states, step, _ => -rate), 0, multiprocessors: 132);
    }

    /// <summary>Beside states that forget at once some that forget slowly or, with A near or at zero, never.</summary>
    [SkippableTheory]
    [InlineData(CudaNumber.Float32)]
    [InlineData(CudaNumber.BFloat16)]
    public void States_of_one_block_may_remember_differently_long(CudaNumber type)
    {
        HostCuda.SkipIfMissing();
        double[] rates = [-20, -0.2, -1e-6, 0, -5, -0.05];
        AssertAgrees(type, Cut(1030, 16, 13, 0.5, n => rates[n % 7 % 6]), 0, multiprocessors: 132);
        AssertAgrees(type, Cut(1030, 16, 13, 0.5, n => n == 77 ? -1e-5 : -20), 0, multiprocessors: 132);
    }

    /// <summary>
    /// Without softplus steps may be negative: what the last 128 steps of the first segment let decay below 2^-64 has grown by more before.
    /// </summary>
    [SkippableFact]
    public void Steps_that_let_states_grow_drop_nothing()
    {
        HostCuda.SkipIfMissing();
        const int Channels = 8, Segment = 576;
        double StepAt(int t) => t < 265 ? 0.3 : t < 448 ? -0.3 : t < Segment ? 0.356 : 0.1;
        var data = Cut(1100, Channels, 3, 0.5, _ => -1) with { DeltaSoftplus = false };
        data = data with { Delta = [.. data.Delta.Select((_, i) => (double)(float)StepAt(i / Channels))] };
        Assert.Equal(Segment, new CudaScanPlan(132, data.Dims).ForwardCut.SegmentLength);
        var (want, got) = (ScanRunner.ReferenceForward(data)["y"], Run(F, data, 0, 132)["y"]);
        Closeness.Assert("y of the second segment", want[(Segment * Channels)..], got[(Segment * Channels)..], 1e-4);
    }

    /// <summary>
    /// NaN in delta that states at the cut still remember reaches all later outputs of its channel, and no others; NaN long before it, the
    /// outputs to the end of its segment.
    /// </summary>
    [SkippableTheory]
    [InlineData(560, 1100)]
    [InlineData(100, 576)]
    public void NaN_in_delta_goes_as_far_as_states_remember(int at, int end)
    {
        HostCuda.SkipIfMissing();
        const int Channels = 8, Channel = 3;
        var data = Cut(1100, Channels, 3, 0.5, _ => -2);
        Assert.Equal(576, new CudaScanPlan(132, data.Dims).ForwardCut.SegmentLength);
        var want = ScanRunner.ReferenceForward(data)["y"];
        data.Delta[at * Channels + Channel] = double.NaN;
        var got = Run(F, data, 0, 132)["y"];
        for (var i = 0; i < got.Length; i++)
        {
            Assert.Equal(i % Channels == Channel && i / Channels >= at && i / Channels < end, double.IsNaN(got[i]));
        }

        Closeness.Assert("y", want, [.. got.Select((value, i) => double.IsNaN(value) ? want[i] : value)], Tolerance(F));
    }

    /// <summary>Random numbers with steps near <paramref name="step"/> and rates around those of <paramref name="rate"/>, which gets the index in A.</summary>
    private static ScanData Cut(int length, int channels, int states, double step, Func<int, double> rate)
    {
        var dims = new ScanDims(1, length, channels, states, 1);
        var plan = new CudaScanPlan(132, dims);
        Assert.True(plan.ForwardCut.Segments > 1 && plan.BackwardCut.Segments > 1);
        var data = ScanData.Random(dims, length + channels);
        var raw = Math.Log(Math.Exp(step) - 1); // of which softplus makes step
        return data with
        {
            Delta = [.. data.Delta.Select(value => (double)(float)(raw + 0.1 * value))],
            DeltaBias = null,
            A = [.. data.A.Select((value, n) => (double)(float)(rate(n) * (1 - 0.1 * value)))],
        };
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
            var scratch = Output("scratch", F, 1, Math.Max(plan.ForwardScratch, plan.BackwardScratch)).Address;
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
                    Z = data.Z is null ? default : Rows("grad_z", type, steps, channels, null, gap),
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
