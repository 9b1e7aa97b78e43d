using System.CommandLine;
using Microsoft.ML.Mamba.Benchmarks;

// Each command measures one thing, prints a table and, with --json, writes an array of flat objects: docs/performance.md.
var root = new RootCommand("Measures Microsoft.ML.Mamba on this machine.")
{
    KernelBenchmark.Command(),
    RooflineBenchmark.Command(),
    ScoringBenchmark.Command(),
    EmbeddingBenchmark.Command(),
    LogMelBenchmark.Command(),
    CudaScanBenchmark.Command(),
    GenerateBenchmark.Command(),
    GpuTrainBenchmark.Command(),
    GpuGenerateBenchmark.Command(),
    AccuracyBenchmark.Command(),
    EmbeddingAccuracyBenchmark.Command(),
};
var diagnose = new Command("diagnose", "What the library finds on this machine.");
diagnose.SetAction(_ => Console.WriteLine(Microsoft.ML.Mamba.MambaEnvironment.Diagnose()));
root.Add(diagnose);
foreach (Command command in LengthBenchmark.Commands().Concat(StreamBenchmark.Commands()).Concat(LoadBenchmark.Commands()))
    root.Add(command);
return root.Parse(args).Invoke();
