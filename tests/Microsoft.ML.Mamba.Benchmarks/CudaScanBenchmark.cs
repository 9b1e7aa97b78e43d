using System.CommandLine;
using System.Diagnostics;
using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <param name="Shape">B × L × D; DState 16; gate, skip, bias and softplus on.</param>
/// <param name="Type">Of the activations.</param>
/// <param name="Direction">forward, forward leaving checkpoints, or backward.</param>
/// <param name="Microseconds">Median time of a call through the op's backend, launches and allocation included.</param>
/// <param name="Picoseconds">Per (b, l, d).</param>
/// <param name="QueueMicroseconds">Median time that the processor takes for it.</param>
/// <param name="Official">Of the official kernel on an H200 (state-spaces/mamba e9594ce, CUDA 13.0), picoseconds per (b, l, d); null where it was not measured.</param>
/// <param name="Ratio">Official over ours.</param>
internal sealed record CudaScanRow(string Shape, string Type, string Direction, double Microseconds, double Picoseconds, double QueueMicroseconds, double? Official, double? Ratio);

/// <summary>Time of the selective scan on a GPU.</summary>
internal static class CudaScanBenchmark
{
    private const int State = 16;

    private static readonly (long Batch, long Length, long Channels, ScalarType Type, double? Forward, double? Backward)[] Cases =
    [
        (8, 2048, 1536, ScalarType.BFloat16, 17.7, 69.6),
        (8, 2048, 1536, ScalarType.Float32, 34.7, 80.5),
        (32, 512, 1536, ScalarType.BFloat16, 16.0, 62.8),
        (64, 1024, 256, ScalarType.BFloat16, 17.1, 70.6),
        (16, 256, 512, ScalarType.BFloat16, 21.0, 90.9),
        (1, 32768, 1024, ScalarType.BFloat16, 21.4, 85.1),
        (1, 131072, 256, ScalarType.BFloat16, 38.7, 90.4),
        (1, 524288, 1024, ScalarType.BFloat16, 21.7, 84.2),
    ];

    public static System.CommandLine.Command Command()
    {
        Option<FileInfo?> json = Report.JsonOption();
        Option<int> rounds = new("--rounds") { Description = "Rounds whose median counts.", DefaultValueFactory = _ => 5 };
        System.CommandLine.Command command = new("cuda-scan", "Time of the selective scan on a GPU, forward and backward, beside the official kernel's.") { rounds, json };
        command.SetAction(arguments =>
        {
            MambaEnvironment.LoadLibTorch();
            InitializeDeviceType(DeviceType.CUDA);
            var backend = (IBackwardKernels)KernelBackends.All.First(b => b.Name == "cuda");
            if (!backend.Supports(DeviceType.CUDA, ScalarType.BFloat16, out string reason))
                throw new NotSupportedException($"cuda-scan needs an NVIDIA GPU: {reason}.");
            List<CudaScanRow> rows = [];
            foreach (var c in Cases)
            {
                foreach (CudaScanRow row in Measure(backend, c.Batch, c.Length, c.Channels, c.Type, c.Forward, c.Backward, arguments.GetValue(rounds)))
                {
                    Console.WriteLine(FormattableString.Invariant($"{row.Shape} {row.Type} {row.Direction}: {row.Picoseconds:0.00} ps, {row.QueueMicroseconds:0.0} µs of the processor"));
                    rows.Add(row);
                }
            }

            Report.Write(rows, arguments.GetValue(json));
        });
        return command;
    }

    private static IEnumerable<CudaScanRow> Measure(
        IBackwardKernels backend, long batch, long length, long channels, ScalarType type, double? forward, double? backward, int rounds)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor Random(params long[] shape) => randn(shape, dtype: type, device: CUDA);
        var inputs = new ScanInputs(
            Random(batch, length, channels), Random(batch, length, channels), -arange(1, State + 1, ScalarType.Float32, CUDA).expand(channels, State).contiguous(),
            Random(batch, length, State), Random(batch, length, State), randn(channels, device: CUDA), Random(batch, length, channels),
            -4 - rand(channels, device: CUDA), null, DeltaSoftplus: true);
        Tensor dy = Random(batch, length, channels);
        string shape = $"{batch} x {length} x {channels}";
        double elements = (double)batch * length * channels;
        CudaScanRow Row(string direction, (double Call, double Queueing) seconds, double? official)
        {
            double picoseconds = 1e12 * seconds.Call / elements;
            return new(shape, type.ToString(), direction, 1e6 * seconds.Call, picoseconds, 1e6 * seconds.Queueing, official, official / picoseconds);
        }


        yield return Row("forward", Seconds(() => Release(backend.SelectiveScanForward(inputs, finalState: false, forBackward: false)), rounds), forward);
        yield return Row("forward with checkpoints", Seconds(() => Release(backend.SelectiveScanForward(inputs, finalState: false, forBackward: true)), rounds), null);
        ScanOutputs outputs = backend.SelectiveScanForward(inputs, finalState: false, forBackward: true);
        const ScanOperands All = ScanOperands.U | ScanOperands.Delta | ScanOperands.A | ScanOperands.B | ScanOperands.C | ScanOperands.D | ScanOperands.Z | ScanOperands.DeltaBias;
        yield return Row("backward", Seconds(() => Release(backend.SelectiveScanBackward(inputs, outputs.Checkpoints, dy, null, All)), rounds), backward);
    }

    /// <summary>
    /// Calls are queued one behind the other, as a model does with hundreds, so that only the longer of queueing and computing counts: as
    /// many as keep the GPU busy for about 20 ms, so that the start of the first and the wait for the last, 10 to 15 µs, are lost in them.
    /// Processor time is that of ten calls, which the GPU's queue takes at once.
    /// </summary>
    private static (double Call, double Queueing) Seconds(Action call, int rounds)
    {
        const int Least = 10, Most = 400;
        const double Wanted = 20e-3;
        Round(call, Least);
        int calls = (int)Math.Clamp(Wanted / Round(call, Least).Call, Least, Most);
        (double Call, double Queueing)[] times = [.. Enumerable.Range(0, rounds).Select(_ => (Round(call, calls).Call, Round(call, Least).Queueing))];
        return (times.Select(t => t.Call).Order().ElementAt(rounds / 2), times.Select(t => t.Queueing).Order().ElementAt(rounds / 2));
    }

    private static (double Call, double Queueing) Round(Action call, int calls)
    {
        cuda.synchronize();
        long start = Stopwatch.GetTimestamp();
        for (int k = 0; k < calls; k++)
            call();
        double queueing = Stopwatch.GetElapsedTime(start).TotalSeconds;
        cuda.synchronize();
        return (Stopwatch.GetElapsedTime(start).TotalSeconds / calls, queueing / calls);
    }

    private static void Release(ScanOutputs outputs)
    {
        outputs.Y.Dispose();
        outputs.FinalState?.Dispose();
        outputs.Checkpoints?.Dispose();
    }

    private static void Release(ScanGradients gradients)
    {
        foreach (Tensor? gradient in new[] { gradients.U, gradients.Delta, gradients.A, gradients.B, gradients.C, gradients.D, gradients.Z, gradients.DeltaBias })
            gradient?.Dispose();
    }
}
