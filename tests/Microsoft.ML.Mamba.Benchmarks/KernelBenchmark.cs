using System.CommandLine;
using Microsoft.ML.Mamba.Kernels;
using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <param name="Op">scan, conv1d or rmsnorm.</param>
/// <param name="Backend">Name in <see cref="KernelBackends.All"/>.</param>
/// <param name="Direction">forward or backward.</param>
/// <param name="DState">States of the scan; 0 for the other ops.</param>
/// <param name="NsPerElement">Median time divided by batch·length·channels.</param>
/// <param name="SpeedupOverTorch">Time of the torch backend in the same rounds divided by this one's.</param>
/// <param name="MaxRelError">Largest difference from the reference backend divided by its largest value, over all outputs or gradients.</param>
internal sealed record KernelRow(string Op, string Backend, string Direction, long Batch, long Length, long Channels, int DState,
    int Threads, double NsPerElement, double SpeedupOverTorch, double MaxRelError);

/// <summary>The ops on every backend for the CPU, against the torch backend for time and the reference for error.</summary>
internal static class KernelBenchmark
{
    private const string Torch = "torch", Reference = "reference";
    private static readonly (long Batch, long Length, long Channels, int State)[] Shapes = [(1, 2048, 1536, 16), (4, 512, 512, 16), (32, 60, 256, 16)];

    public static System.CommandLine.Command Command()
    {
        Option<FileInfo?> json = Report.JsonOption();
        Option<string[]> only = new("--only") { Description = "Only these ops: scan, conv1d, rmsnorm.", AllowMultipleArgumentsPerToken = true };
        Option<int> rounds = new("--rounds") { Description = "Rounds whose median counts.", DefaultValueFactory = _ => 5 };
        System.CommandLine.Command command = new("kernels", "Time per element of each op, backend and direction.") { only, rounds, json };
        command.SetAction(arguments => Report.Write(Measure(arguments.GetValue(only)!, new Interleaved(arguments.GetValue(rounds))), arguments.GetValue(json)));
        return command;
    }

    private static List<KernelRow> Measure(string[] only, Interleaved timing)
    {
        MambaEnvironment.LoadLibTorch();
        var rows = new List<KernelRow>();
        foreach ((long batch, long length, long channels, int state) in Shapes)
        {
            foreach (KernelCase op in KernelCase.All(batch, length, channels, state).Where(op => only.Length == 0 || only.Contains(op.Name)))
            {
                using (op)
                {
                    KernelErrors errors = KernelErrors.AgainstReference(op, Contenders());
                    foreach (int threads in new[] { 1, Environment.ProcessorCount }.Distinct())
                    {
                        rows.AddRange(Time(op, threads, timing, errors));
                        Console.WriteLine($"{op.Name} ({batch}, {length}, {channels}), {threads} threads: done");
                    }
                }
            }
        }

        return rows;
    }

    private static IEnumerable<KernelRow> Time(KernelCase op, int threads, Interleaved timing, KernelErrors errors)
    {
        KernelThreads.Count = threads;
        set_num_threads(threads);
        string[] backends = Contenders();
        foreach (string direction in new[] { "forward", "backward" })
        {
            double[] seconds = timing.MediansOf([.. backends.Select(name => (Func<double>)(() => Once(op, name, direction)))]);
            double torchSeconds = seconds[Array.IndexOf(backends, Torch)];
            for (int i = 0; i < backends.Length; i++)
            {
                yield return new KernelRow(op.Name, backends[i], direction, op.Batch, op.Length, op.Channels, op.State, threads,
                    seconds[i] * 1e9 / (op.Batch * op.Length * op.Channels), torchSeconds / seconds[i], errors.Of(backends[i], direction));
            }
        }
    }

    private static double Once(KernelCase op, string backend, string direction)
    {
        using IDisposable forced = KernelBackends.Force(backend);
        using DisposeScope scope = NewDisposeScope();
        if (direction == "forward")
        {
            using IDisposable withoutGraph = no_grad();
            return Interleaved.Seconds(() => op.Forward());
        }

        Tensor y = op.Forward();
        return Interleaved.Seconds(() => op.Backward(y));
    }

    /// <summary>Every backend that computes float32 on the CPU, the reference aside: it is the truth, not a contender.</summary>
    private static string[] Contenders() =>
        [.. KernelBackends.All.Where(b => b.Name != Reference && b.Supports(DeviceType.CPU, ScalarType.Float32, out _)).Select(b => b.Name)];
}
