using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Gpu;

/// <summary>Steps that are prepared for a state, against going from op to op; generation on a GPU against that on the CPU.</summary>
public sealed class GpuGenerationTests
{
    private const int Steps = 4;

    private static readonly MambaConfig Config = new() { DModel = 64, NLayer = 3, VocabSize = 301, Bidirectional = false };

    private static readonly (string Name, MambaConfig Config)[] Configs =
    [
        ("plain", Config),
        ("norms of what is selected", Config with { MixerNormEpsilon = 1e-3f }),
        ("all biases", Config with { UseBias = true, DConv = 2 }),
        ("no bias of the convolution, positions", Config with { UseConvBias = false, MaxPositions = 3, DState = 40, DConv = 8 }),
        ("rows that are no whole vectors", Config with { DModel = 30, DtRank = 3 }),
        ("wide", Config with { DModel = 776, DtRank = 50, NLayer = 2 }),
    ];

    public static TheoryData<int, int, bool> Cases()
    {
        var cases = new TheoryData<int, int, bool>();
        for (var i = 0; i < Configs.Length; i++)
        {
            foreach (var batch in new[] { 1, 2, 3, 8, 9, 40 })
            {
                cases.Add(i, batch, false);
                cases.Add(i, batch, true);
            }
        }

        return cases;
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Prepared_steps_agree_with_ops_on_the_CPU(int config, int batch, bool bfloat16)
    {
        CudaMachine.SkipIfAbsent();
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var what = Configs[config].Name;
        var (network, onCpu) = (Model(Configs[config].Config).to(CUDA), Model(Configs[config].Config));
        if (bfloat16)
        {
            network.Backbone.ConvertBlocks(ScalarType.BFloat16);
            foreach (var (parameter, rounded) in onCpu.parameters().Zip(network.parameters()))
                parameter.copy_(rounded);
        }

        var (got, gotStates) = Run(network, batch, prepare: true);
        var (want, wantStates) = Run(onCpu, batch, prepare: false);
        for (var t = 0; t < Steps; t++)
            TensorAssert.Close(want[t], got[t], bfloat16 ? 3e-2 : 3e-5, $"{what}: scores of step {t}");
        for (var i = 0; i < wantStates.Count; i++)
            TensorAssert.Close(wantStates[i], gotStates[i], bfloat16 ? 3e-2 : 3e-5, $"{what}: state {i}");
    }

    [SkippableTheory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_sequence_has_the_same_bits_alone_and_in_a_small_batch_and_again(bool bfloat16)
    {
        CudaMachine.SkipIfAbsent();
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var network = Model(Config with { DModel = 768 }).to(CUDA);
        if (bfloat16)
            network.Backbone.ConvertBlocks(ScalarType.BFloat16);
        var (together, _) = Run(network, 8, prepare: true);
        var (again, _) = Run(network, 8, prepare: true);
        for (var t = 0; t < Steps; t++)
        {
            TensorAssert.BitEqual(together[t], again[t], $"step {t} again");
            for (var row = 0; row < 8; row++)
            {
                var (alone, _) = Run(network, 1, prepare: true, firstRow: row);
                TensorAssert.BitEqual(together[t].narrow(0, row, 1), alone[t], $"step {t}, sequence {row}");
            }
        }
    }

    [SkippableFact]
    public void Few_sequences_take_one_launch_and_many_take_products()
    {
        CudaMachine.SkipIfAbsent();
        using var network = Model(Config).to(CUDA);
        foreach (var (batch, type) in new[] { (1, typeof(OneLaunchSteps)), (8, typeof(OneLaunchSteps)), (9, typeof(ProductSteps)) })
        {
            using var state = network.Backbone.NewState(batch);
            using var steps = network.PrepareSteps(state);
            Assert.IsType(type, steps);
        }

        Assert.Empty(KernelBackends.Withdrawn);
    }

    [SkippableFact]
    public void Ids_outside_the_vocabulary_are_refused()
    {
        CudaMachine.SkipIfAbsent();
        using var network = Model(Config).to(CUDA);
        using var state = network.Backbone.NewState(1);
        using var steps = network.PrepareSteps(state)!;
        foreach (var ids in new[] { new[] { 301 }, [-1], [0, 1] })
            Assert.StartsWith("TokenSteps: ids [", Assert.Throws<ArgumentException>(() => steps.Advance(ids, null)).Message, StringComparison.Ordinal);
    }

    public static TheoryData<string> GoldenNames() => [.. GoldenLanguageModel.Names];

    [SkippableTheory]
    [MemberData(nameof(GoldenNames))]
    public void Greedy_continuations_are_those_of_the_official_model(string name)
    {
        CudaMachine.SkipIfAbsent();
        using var golden = GoldenFile.Read($"lm/{name}/reference");
        using var model = new MambaLanguageModel(GoldenLanguageModel.Read(name).to(CUDA), null, []);
        var want = RowsOf(golden["greedy_ids"]);

        Assert.Equal(want, model.Generate(RowsOf(golden["input_ids"]), new() { MaxNewTokens = want[0].Length }));
    }

    [SkippableTheory]
    [InlineData(0, 1)]
    [InlineData(0, 1.3)]
    [InlineData(1.5, 1)]
    public void Tokens_are_those_of_the_CPU_whatever_rows_end_when(double temperature, double penalty)
    {
        CudaMachine.SkipIfAbsent();
        int[][] prompts = [.. Enumerable.Range(0, 12).Select(row => Enumerable.Range(row, 1 + row % 4).ToArray())];
        var options = new MambaGenerationOptions { MaxNewTokens = 40, Temperature = temperature, RepetitionPenalty = penalty, Seed = 5, StopTokens = [.. Enumerable.Range(0, 12)] };
        using var onCpu = new MambaLanguageModel(Model(Config), null, []);
        using var onGpu = new MambaLanguageModel(Model(Config).to(CUDA), null, []);

        Assert.Equal(onCpu.Generate(prompts, options), onGpu.Generate(prompts, options));
    }

    [SkippableFact]
    public async Task Streamed_tokens_are_those_of_the_whole_text_and_runs_do_not_disturb_each_other()
    {
        CudaMachine.SkipIfAbsent();
        using var model = new MambaLanguageModel(Model(Config).to(CUDA), SequenceTokenizer.Bytes, []);
        var options = new MambaGenerationOptions { MaxNewTokens = 50, Temperature = 1.2, Seed = 9, StopTokens = [.. Enumerable.Range(256, 45)] };
        var want = model.Generate([SequenceTokenizer.Bytes.Encode("Grüße")], options)[0];

        var streams = await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            var ids = new List<int>();
            await foreach (var token in model.GenerateAsync("Grüße", options))
                ids.Add(token.Id);
            return ids;
        }));

        Assert.All(streams, ids => Assert.Equal(want, ids));
    }

    /// <summary>A model whose biases and norms are no constants.</summary>
    private static MambaForCausalLM Model(MambaConfig config)
    {
        using var noGradient = no_grad();
        var network = new MambaForCausalLM(config, tieEmbeddings: config.DState == 16, seed: 5);
        network.eval();
        foreach (var (name, parameter) in network.named_parameters().Where(p => p.name.EndsWith("bias", StringComparison.Ordinal) || p.name.Contains("norm", StringComparison.Ordinal)))
            parameter.copy_(RandomTensor.Single(new Random(name.Length), parameter.shape));
        return network;
    }

    /// <summary>Scores of some steps, and the states after them.</summary>
    private static (List<Tensor> Scores, List<Tensor> States) Run(MambaForCausalLM network, int batch, bool prepare, int firstRow = 0)
    {
        using var state = network.Backbone.NewState(batch);
        using var steps = prepare ? network.PrepareSteps(state) : null;
        var scores = new List<Tensor>();
        for (var t = 0; t < Steps; t++)
        {
            int[] ids = [.. Enumerable.Range(firstRow, batch).Select(row => (row * 17 + t * 5) % 301)];
            scores.Add(steps is not null
                ? network.Backbone.Advance(steps, ids, state)
                : network.Step(tensor(ids, dtype: int64).MovedTo(network.Backbone.Device), state));
        }

        return (scores, [.. state.Layers.SelectMany(layer => new[] { layer.Conv.clone(), layer.Ssm.clone() })]);
    }

    private static int[][] RowsOf(Tensor ids) =>
        [.. Enumerable.Range(0, (int)ids.shape[0]).Select(row => ids[row].data<long>().ToArray().Select(id => (int)id).ToArray())];
}
