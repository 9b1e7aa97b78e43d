using System.CommandLine;
using Microsoft.ML.Mamba.Modules;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <param name="Batch">Prompts that are continued together.</param>
/// <param name="TokensPerSecond">Tokens of one row, greedy, through <see cref="MambaLanguageModel"/>.</param>
/// <param name="BoundTokensPerSecond">BandwidthGBs / WeightBytes: what a model would reach that did nothing but read its weights.</param>
/// <param name="Ratio">TokensPerSecond / BoundTokensPerSecond.</param>
/// <param name="WeightBytes">Bytes of all weights; each is needed once per token. The head is the table of embeddings.</param>
/// <param name="BandwidthGBs">10^9 bytes per second that all processors together read from memory.</param>
/// <param name="ProductShare">Share of a token's time that the products of weights and vectors take when nothing else is done.</param>
internal sealed record GenerateRow(int DModel, int NLayer, int VocabSize, int Batch, double TokensPerSecond, double BoundTokensPerSecond,
    double Ratio, long WeightBytes, double BandwidthGBs, double ProductShare);

/// <summary>A language model of 130M parameters that continues a prompt, against the time in which memory gives its weights once per token.</summary>
internal static class GenerateBenchmark
{
    private const int Tokens = 16;

    private static readonly MambaConfig Config = new() { DModel = 768, NLayer = 24, VocabSize = 50_280, Bidirectional = false };

    public static System.CommandLine.Command Command()
    {
        Option<FileInfo?> json = Report.JsonOption();
        Option<int> rounds = new("--rounds") { Description = "Rounds whose median counts.", DefaultValueFactory = _ => 11 };
        Option<int[]> batches = new("--batch") { Description = "Prompts continued together.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = _ => [1] };
        System.CommandLine.Command command = new("generate", "Tokens per second of a language model (DModel 768, 24 layers, 50,280 ids) against memory bandwidth.") { rounds, batches, json };
        command.SetAction(arguments => Report.Write(Measure(arguments.GetValue(batches)!, new Interleaved(arguments.GetValue(rounds))), arguments.GetValue(json)));
        return command;
    }

    private static List<GenerateRow> Measure(int[] batches, Interleaved timing)
    {
        var network = new MambaForCausalLM(Config, tieEmbeddings: true, seed: 1);
        using var model = new MambaLanguageModel(network, tokenizer: null, endTokenIds: []);
        long weightBytes = network.parameters().Sum(parameter => parameter.NumberOfElements * parameter.ElementSize);
        var bandwidth = new ReadBandwidth(weightBytes);
        var rows = new List<GenerateRow>();
        foreach (int batch in batches)
        {
            using var products = new StepProducts(network, batch);
            double[] seconds = timing.MediansOf(
                () => Generate(model, batch) / Tokens,
                () => Interleaved.Seconds(products.Run),
                bandwidth.InOneStream,
                bandwidth.InFourStreams);
            double bytesPerSecond = bandwidth.Bytes / Math.Min(seconds[2], seconds[3]);
            double bound = bytesPerSecond / weightBytes;
            rows.Add(new GenerateRow(Config.DModel, Config.NLayer, Config.VocabSize, batch, 1 / seconds[0], bound, 1 / seconds[0] / bound,
                weightBytes, bytesPerSecond / 1e9, seconds[1] / seconds[0]));
        }

        return rows;
    }

    /// <summary>Every new token is one step of the recurrent path: the prompt's only token is read by the first.</summary>
    private static double Generate(MambaLanguageModel model, int batch)
    {
        int[][] prompts = [.. Enumerable.Range(1, batch).Select(id => new[] { id })];
        var options = new MambaGenerationOptions { MaxNewTokens = Tokens, StopTokens = [] };
        return Interleaved.Seconds(() => model.Generate(prompts, options));
    }
}
