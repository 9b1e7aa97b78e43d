using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Modules;

public sealed class MambaForSequenceClassificationTests
{
    private static readonly int[] Lengths = [7, 0, 12, 1, 5];
    private const int Vocabulary = 11;

    public static TheoryData<MambaPooling, bool, string> Cases()
    {
        var cases = new TheoryData<MambaPooling, bool, string>();
        foreach (var pooling in Enum.GetValues<MambaPooling>())
        {
            foreach (var backend in BackendCases.OnCpu)
            {
                cases.Add(pooling, false, backend);
                cases.Add(pooling, true, backend);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Scores_of_a_sequence_do_not_depend_on_its_neighbours_or_its_padding(MambaPooling pooling, bool bidirectional, string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var model = Build(pooling, bidirectional);
        model.eval();
        using var noGradient = no_grad();
        using var batch = Batch(Lengths, 12, padding: 3);
        using var together = model.forward(batch);
        for (var row = 0; row < Lengths.Length; row++)
        {
            using var single = Batch([Lengths[row]], Lengths[row], padding: 0, seed: row);
            using var alone = model.forward(single);
            TensorAssert.Close(alone[0], together[row], 1e-5, $"row {row}");
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Gradients_do_not_depend_on_padding(MambaPooling pooling, bool bidirectional, string backend)
    {
        using var force = KernelBackends.Force(backend);
        var tight = Gradients(12, padding: 0);
        var wide = Gradients(20, padding: 5);
        Assert.NotEmpty(tight);
        foreach (var (name, gradient) in tight)
            TensorAssert.Close(gradient, wide[name], 1e-4, name);

        Dictionary<string, Tensor> Gradients(int length, int padding)
        {
            using var model = Build(pooling, bidirectional);
            using var batch = Batch(Lengths, length, padding);
            using var loss = model.forward(batch).square().sum();
            loss.backward();
            return model.named_parameters().Where(p => p.parameter.grad is not null).ToDictionary(p => p.name, p => p.parameter.grad!.clone());
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void An_empty_sequence_scores_the_bias_of_the_head(MambaPooling pooling, bool bidirectional, string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var model = Build(pooling, bidirectional);
        using var noGradient = no_grad();
        var bias = model.state_dict()["head.bias"];
        bias.copy_(tensor(new[] { 0.25f, -1f, 3f }));
        using var batch = Batch([0, 4], 4, padding: 1);
        using var empty = Batch([0, 0], 0, padding: 0);

        using var scores = model.forward(batch);
        using var allEmpty = model.forward(empty);

        TensorAssert.BitEqual(bias, scores[0], "in a batch");
        TensorAssert.BitEqual(bias, allEmpty[1], "in an empty batch");
    }

    private static MambaForSequenceClassification Build(MambaPooling pooling, bool bidirectional) =>
        new(new MambaConfig { DModel = 16, NLayer = 2, DState = 4, VocabSize = Vocabulary, Bidirectional = bidirectional, MaxPositions = 9 }, pooling, 3, 0, seed: 7);

    /// <summary>Row i holds ids drawn with seed i, whatever stands beside it.</summary>
    private static SequenceInput Batch(int[] lengths, int length, int padding, int seed = 0)
    {
        var ids = new int[lengths.Length * length];
        Array.Fill(ids, padding);
        for (var row = 0; row < lengths.Length; row++)
        {
            var random = new Random(100 + seed + row);
            for (var t = 0; t < lengths[row]; t++)
                ids[row * length + t] = random.Next(Vocabulary);
        }

        return SequenceInput.FromIds(ids, lengths.Length, length, lengths);
    }
}
