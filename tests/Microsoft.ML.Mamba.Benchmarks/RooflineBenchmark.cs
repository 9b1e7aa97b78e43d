using System.CommandLine;
using Microsoft.ML.Mamba.Kernels;
using Microsoft.ML.Mamba.Modules;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <param name="Mode">forward: without gradients. train: zeroing the gradients, forward and backward; no optimizer.</param>
/// <param name="ModelMs">Median time of the encoder (embedding, blocks, final norm).</param>
/// <param name="GemmMs">Median time of its matrix products alone in the same rounds; train: three times that.</param>
/// <param name="Ratio">ModelMs / GemmMs.</param>
internal sealed record RooflineRow(int DModel, int NLayer, long Batch, long Length, string Mode, double ModelMs, double GemmMs, double Ratio);

/// <summary>A causal model against the lower bound that its own matrix products set on this machine.</summary>
internal static class RooflineBenchmark
{
    private const int Vocabulary = 256;
    private static readonly (int DModel, int NLayer, long Batch, long Length)[] Shapes = [(768, 2, 1, 2048), (256, 4, 4, 512), (128, 4, 32, 60)];

    public static System.CommandLine.Command Command()
    {
        Option<FileInfo?> json = Report.JsonOption();
        Option<int> rounds = new("--rounds") { Description = "Rounds whose median counts.", DefaultValueFactory = _ => 15 };
        Option<int> threads = new("--threads") { Description = "Threads of libtorch and of the kernels.", DefaultValueFactory = _ => Environment.ProcessorCount };
        System.CommandLine.Command command = new("roofline", "Time of a model divided by the time of its matrix products alone.") { rounds, threads, json };
        command.SetAction(arguments =>
        {
            MambaEnvironment.LoadLibTorch();
            KernelThreads.Count = arguments.GetValue(threads);
            set_num_threads(arguments.GetValue(threads));
            var timing = new Interleaved(arguments.GetValue(rounds));
            Report.Write([.. Shapes.SelectMany(shape => Measure(shape, timing))], arguments.GetValue(json));
        });
        return command;
    }

    private static List<RooflineRow> Measure((int DModel, int NLayer, long Batch, long Length) shape, Interleaved timing)
    {
        var config = new MambaConfig { DModel = shape.DModel, NLayer = shape.NLayer, VocabSize = Vocabulary, Bidirectional = false };
        using var model = new MambaModel(config, seed: 1);
        using var input = SequenceInput.FromIds(randint(0, Vocabulary, [shape.Batch, shape.Length], dtype: ScalarType.Int64));
        using var products = new MatrixProducts(config, shape.Batch * shape.Length);

        double[] seconds = timing.Medians(() => Forward(model, input), products.Run, () => Train(model, input));
        (double forward, double gemm, double train) = (seconds[0] * 1e3, seconds[1] * 1e3, seconds[2] * 1e3);
        return
        [
            new RooflineRow(shape.DModel, shape.NLayer, shape.Batch, shape.Length, "forward", forward, gemm, forward / gemm),
            new RooflineRow(shape.DModel, shape.NLayer, shape.Batch, shape.Length, "train", train, 3 * gemm, train / (3 * gemm)),
        ];
    }

    private static void Forward(MambaModel model, SequenceInput input)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable withoutGraph = no_grad();
        model.eval();
        model.forward(input);
    }

    private static void Train(MambaModel model, SequenceInput input)
    {
        using DisposeScope scope = NewDisposeScope();
        model.train();
        model.zero_grad();
        model.forward(input).sum().backward();
    }
}
