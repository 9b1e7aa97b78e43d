using System.CommandLine;
using System.Diagnostics;
using Microsoft.ML.Mamba.Checkpoints;
using Microsoft.ML.Mamba.Modules;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <param name="FileType">Element type of the file's tensors; the model's are float32.</param>
/// <param name="Megabytes">10^6 bytes of all tensors in the model's type.</param>
/// <param name="Seconds">Median over processes of the time from the folder to a language model.</param>
/// <param name="PeakMb">Median of the largest resident memory, runtime and libtorch included, in 10^6 bytes.</param>
/// <param name="PeakRatio">Median of (peak - resident memory just before) / size of the tensors.</param>
internal sealed record LoadRow(string FileType, double Megabytes, double Seconds, double PeakMb, double PeakRatio);

/// <summary>Loading a checkpoint of 130M parameters, each time in a process of its own. The file has just been written, so the system's cache holds it.</summary>
internal static class LoadBenchmark
{
    private static readonly MambaConfig Config = new() { DModel = 768, NLayer = 24, VocabSize = 50_280, Bidirectional = false };

    public static IEnumerable<System.CommandLine.Command> Commands()
    {
        Option<FileInfo?> json = Report.JsonOption();
        Option<int> rounds = new("--rounds") { Description = "Processes for each file.", DefaultValueFactory = _ => 3 };
        System.CommandLine.Command command = new("load", "Time and peak memory of loading a checkpoint of 130M parameters.") { rounds, json };
        command.SetAction(arguments => Report.Write(Measure(arguments.GetValue(rounds)), arguments.GetValue(json)));
        yield return command;

        Argument<DirectoryInfo> folder = new("FOLDER");
        System.CommandLine.Command one = new("load-of-one", "What a process of the load benchmark does.") { folder };
        one.Hidden = true;
        one.SetAction(arguments => MeasureHere(arguments.GetValue(folder)!.FullName));
        yield return one;
    }

    private static List<LoadRow> Measure(int rounds)
    {
        string folder = Directory.CreateTempSubdirectory("mamba-load-").FullName;
        try
        {
            ScalarType[] types = [ScalarType.Float32, ScalarType.BFloat16];
            Write(folder, types);
            var samples = types.ToDictionary(type => type, _ => new List<double[]>());
            for (int round = 0; round < rounds; round++)
            {
                foreach (ScalarType type in types)
                    samples[type].Add(OwnProcess.Numbers("load-of-one", Path.Combine(folder, type.ToString())));
                Console.WriteLine($"round {round + 1} of {rounds}: done");
            }

            return [.. samples.Select(s => new LoadRow(s.Key.ToString(), Median(s.Value, 0), Median(s.Value, 1), Median(s.Value, 2), Median(s.Value, 3)))];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double Median(List<double[]> samples, int column) => Interleaved.Median([.. samples.Select(sample => sample[column])]);

    /// <summary>A folder for each type, named after it.</summary>
    private static void Write(string folder, ScalarType[] types)
    {
        string saved = Path.Combine(folder, types[0].ToString());
        using (var model = new MambaForCausalLM(Config, tieEmbeddings: true, seed: 1))
            MambaCheckpoint.Save(model, saved);
        using DisposeScope scope = NewDisposeScope();
        Dictionary<string, Tensor> tensors = SafeTensors.Read(Path.Combine(saved, MambaCheckpoint.WeightsName));
        foreach (ScalarType type in types[1..])
        {
            string other = Directory.CreateDirectory(Path.Combine(folder, type.ToString())).FullName;
            File.Copy(Path.Combine(saved, MambaCheckpoint.ConfigName), Path.Combine(other, MambaCheckpoint.ConfigName));
            using FileStream file = File.Create(Path.Combine(other, MambaCheckpoint.WeightsName));
            SafeTensors.Write(file, tensors.Select(tensor => (tensor.Key, tensor.Value.to(type))));
        }

        foreach (Tensor tensor in tensors.Values)
            tensor.Dispose();
    }

    /// <summary>Prints megabytes, seconds, the peak in 10^6 bytes, and its ratio.</summary>
    private static void MeasureHere(string folder)
    {
        MambaEnvironment.LoadLibTorch();
        using Process self = Process.GetCurrentProcess();
        long before = self.WorkingSet64;
        long start = Stopwatch.GetTimestamp();
        using MambaForCausalLM model = MambaCheckpoint.Load(folder).CreateLanguageModel();
        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        self.Refresh();
        long peak = self.PeakWorkingSet64, bytes = model.parameters().Sum(parameter => parameter.NumberOfElements * parameter.ElementSize);
        Console.WriteLine(FormattableString.Invariant($"{bytes / 1e6} {seconds} {peak / 1e6} {(double)(peak - before) / bytes}"));
    }
}
