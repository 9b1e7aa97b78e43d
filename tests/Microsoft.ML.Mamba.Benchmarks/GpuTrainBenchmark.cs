using System.CommandLine;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <param name="Vocabulary">Number of different ids: width of the head, which computes in float32.</param>
/// <param name="StepMs">Median time of a whole step among several in a row: forward, loss, backward, clipping, AdamW.</param>
/// <param name="TokensPerSecond">Positions of the batch / StepMs.</param>
/// <param name="ProductsMs">Median time of its matrix products alone, forward and backward, in the same rounds and type.</param>
/// <param name="Ratio">StepMs / ProductsMs.</param>
/// <param name="PeakMiB">Memory in use on the GPU after the steps.</param>
internal sealed record GpuTrainRow(string Gpu, int DModel, int NLayer, int Vocabulary, int Batch, int Length, string Precision, double Parameters, double StepMs,
    double TokensPerSecond, double ProductsMs, double Ratio, double PeakMiB);

/// <summary>Training steps of a causal encoder that learns to predict the next id, against the time of their matrix products alone.</summary>
internal static class GpuTrainBenchmark
{
    /// <summary>Steps in a row, each queued while the GPU computes the one before it, as training does.</summary>
    private const int StepsInARow = 8;

    public static System.CommandLine.Command Command()
    {
        Option<FileInfo?> json = Report.JsonOption();
        Option<int> rounds = new("--rounds") { Description = "Rounds whose median counts.", DefaultValueFactory = _ => 15 };
        Option<int> layers = new("--layers") { Description = "Blocks.", DefaultValueFactory = _ => 24 };
        Option<int> width = new("--width") { Description = "DModel.", DefaultValueFactory = _ => 768 };
        Option<int> batch = new("--batch") { Description = "Sequences per step.", DefaultValueFactory = _ => 8 };
        Option<int> length = new("--length") { Description = "Positions of each.", DefaultValueFactory = _ => 2048 };
        Option<int[]> vocabularies = new("--vocabulary")
        {
            Description = "Numbers of different ids, one measurement for each: bytes, and the published models' tokens.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [256, 50_280],
        };
        Option<double> dropout = new("--dropout") { Description = "Share of activations dropped.", DefaultValueFactory = _ => 0 };
        Option<MambaPrecision[]> precisions = new("--precision")
        {
            Description = "What the blocks compute in.",
            AllowMultipleArgumentsPerToken = true,
            DefaultValueFactory = _ => [MambaPrecision.BFloat16],
        };
        System.CommandLine.Command command = new("cuda-train", "Tokens per second of training (DModel 768, 24 layers, 8 × 2048, bfloat16) against its matrix products alone.")
        {
            rounds, layers, width, vocabularies, batch, length, dropout, precisions, json,
        };
        command.SetAction(arguments => Report.Write(
            [.. arguments.GetValue(precisions)!.SelectMany(_ => arguments.GetValue(vocabularies)!, (precision, vocabulary) => Measure(
                new MambaConfig { DModel = arguments.GetValue(width), NLayer = arguments.GetValue(layers), VocabSize = vocabulary, Bidirectional = false },
                arguments.GetValue(batch), arguments.GetValue(length), precision, arguments.GetValue(dropout), new Interleaved(arguments.GetValue(rounds))))],
            arguments.GetValue(json)));
        return command;
    }

    private static GpuTrainRow Measure(MambaConfig config, int batch, int length, MambaPrecision precision, double dropout, Interleaved timing)
    {
        MambaEnvironment.LoadLibTorch();
        var device = new ComputeDevice(0);
        TrainingPlan plan = TrainingPlan.Make(new TrainingRequest
        {
            Config = config,
            Pooling = MambaPooling.Mean,
            Objective = new EmbeddingObjective(layer: null, normalize: false, perPosition: false),
            Train = RandomIds(batch, length, config.VocabSize),
            Options = new MambaTrainingOptions { BatchSize = batch, ValidationFraction = 0, Dropout = dropout, Precision = precision },
            Device = device,
            Seed = 1,
        });
        using ITrainee trainee = plan.Objective.CreateTrainee(plan);
        using var network = trainee.Network;
        using var step = new TrainingStep(trainee, plan.Options);
        using var products = new GpuProducts(config, (long)batch * length, precision == MambaPrecision.BFloat16 ? ScalarType.BFloat16 : ScalarType.Float32, device.ToTorch());
        PaddedBatch rows = PaddedBatch.Gather(plan.Train, [.. Enumerable.Range(0, batch)]);
        trainee.BeginTraining();
        double[] seconds = timing.MediansOf(
            () => GpuState.Seconds(device.ToTorch(), () => Train(step, rows)) / StepsInARow,
            () => GpuState.Seconds(device.ToTorch(), products.Run));
        GpuState gpu = GpuState.Read(0);
        double parameters = trainee.Weights.Sum(w => w.Tensor.NumberOfElements);
        return new GpuTrainRow(gpu.Name, config.DModel, config.NLayer, config.VocabSize, batch, length, precision.ToString(), parameters, seconds[0] * 1e3,
            (double)batch * length / seconds[0], seconds[1] * 1e3, seconds[0] / seconds[1], gpu.UsedMiB);
    }

    private static void Train(TrainingStep step, PaddedBatch rows)
    {
        StepOutcome? before = null;
        for (int i = 0; i < StepsInARow; i++)
        {
            StepOutcome outcome = step.Take(rows, learningRate: 1e-4);
            Require(before);
            before = outcome;
        }

        Require(before);
    }

    private static void Require(StepOutcome? outcome)
    {
        using (outcome)
        {
            if (outcome?.Read() is { IsFinite: false } numbers)
                throw new InvalidOperationException($"cuda-train: {numbers}; expected finite numbers.");
        }
    }

    private static SequenceSet RandomIds(int rows, int length, int vocabulary)
    {
        var random = new Random(1);
        SequenceSet set = SequenceSet.OfIds();
        for (int row = 0; row < rows; row++)
            set.AddIds([.. Enumerable.Range(0, length).Select(i => i == 0 ? vocabulary - 1 : random.Next(vocabulary))], 0);
        return set;
    }
}
