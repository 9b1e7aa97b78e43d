using System.CommandLine;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <param name="Batch">Prompts that are continued together.</param>
/// <param name="TokensPerSecond">Tokens of all rows, greedy, through <see cref="MambaLanguageModel"/>.</param>
/// <param name="BoundTokensPerSecond">What memory alone would allow: each step reads all weights and reads and writes the states, at CopyGBs.</param>
/// <param name="Ratio">TokensPerSecond / BoundTokensPerSecond.</param>
/// <param name="WeightBytes">Bytes of all weights as they are kept.</param>
/// <param name="StateBytes">Bytes of the states of all rows.</param>
/// <param name="CopyGBs">10^9 bytes per second that a copy within the GPU's memory reads and writes.</param>
/// <param name="PeakMiB">Memory in use on the GPU afterwards.</param>
internal sealed record GpuGenerateRow(string Gpu, int DModel, int NLayer, int VocabSize, string Precision, int Batch, double TokensPerSecond,
    double BoundTokensPerSecond, double Ratio, long WeightBytes, long StateBytes, double CopyGBs, double PeakMiB);

/// <summary>A language model of 130M parameters that continues prompts on a GPU, against the time in which memory gives what a step needs.</summary>
internal static class GpuGenerateBenchmark
{
    private const int Tokens = 64;

    private static readonly MambaConfig Config = new() { DModel = 768, NLayer = 24, VocabSize = 50_280, Bidirectional = false };

    public static System.CommandLine.Command Command()
    {
        Option<FileInfo?> json = Report.JsonOption();
        Option<int> rounds = new("--rounds") { Description = "Rounds whose median counts.", DefaultValueFactory = _ => 5 };
        Option<int[]> batches = new("--batch") { Description = "Prompts continued together.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [1, 128] };
        Option<MambaPrecision> precision = new("--precision") { Description = "What the blocks compute in.", DefaultValueFactory = _ => MambaPrecision.BFloat16 };
        System.CommandLine.Command command = new("cuda-generate", "Tokens per second of a language model (DModel 768, 24 layers, 50,280 ids) on a GPU against its memory.")
        {
            rounds, batches, precision, json,
        };
        command.SetAction(arguments => Report.Write(
            Measure(arguments.GetValue(batches)!, arguments.GetValue(precision), new Interleaved(arguments.GetValue(rounds))), arguments.GetValue(json)));
        return command;
    }

    private static List<GpuGenerateRow> Measure(int[] batches, MambaPrecision precision, Interleaved timing)
    {
        MambaEnvironment.LoadLibTorch();
        Device device = new ComputeDevice(0).ToTorch();
        double copy = GpuState.CopyGBs(device, timing);
        MambaForCausalLM network = new MambaForCausalLM(Config, tieEmbeddings: true, seed: 1).to(device);
        if (precision == MambaPrecision.BFloat16)
            network.Backbone.ConvertBlocks(ScalarType.BFloat16);
        using var model = new MambaLanguageModel(network, tokenizer: null, endTokenIds: []);
        long weights = network.parameters().Sum(parameter => parameter.NumberOfElements * parameter.ElementSize);
        var rows = new List<GpuGenerateRow>();
        foreach (int batch in batches)
        {
            using MambaState state = network.Backbone.NewState(batch);
            long states = state.Layers.Sum(layer => (layer.Conv.NumberOfElements * layer.Conv.ElementSize) + (layer.Ssm.NumberOfElements * layer.Ssm.ElementSize));
            double seconds = timing.MediansOf(() => Generate(model, batch, Tokens))[0];
            double tokens = (double)batch * Tokens / seconds, bound = batch * copy * 1e9 / (weights + 2 * states);
            GpuState gpu = GpuState.Read(0);
            rows.Add(new GpuGenerateRow(gpu.Name, Config.DModel, Config.NLayer, Config.VocabSize, precision.ToString(), batch, tokens, bound, tokens / bound,
                weights, states, copy, gpu.UsedMiB));
        }

        return rows;
    }

    /// <summary>Every new token is one step of the recurrent path: the prompt's only token is read by the first.</summary>
    private static double Generate(MambaLanguageModel model, int batch, int count)
    {
        int[][] prompts = [.. Enumerable.Range(1, batch).Select(id => new[] { id })];
        var options = new MambaGenerationOptions { MaxNewTokens = count, StopTokens = [] };
        return Interleaved.Seconds(() => model.Generate(prompts, options));
    }
}
