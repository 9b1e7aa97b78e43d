using System.Text.Json;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Tests.Support;
using Microsoft.ML.Mamba.Training;
using TorchSharp;

namespace Microsoft.ML.Mamba.Tests.Training;

/// <summary>What training and scoring leave behind in the process: nothing.</summary>
[Collection(nameof(Alone))]
public sealed class ProcessWideStateTests
{
    [Fact]
    public void Cancelling_throws_at_the_next_step_and_leaves_no_tensors()
    {
        AssertNoTensorsLeft(() =>
        {
            var calls = 0;
            var request = ToyTasks.Request() with
            {
                CheckAlive = () =>
                {
                    if (++calls == 5)
                    {
                        throw new OperationCanceledException();
                    }
                },
            };

            Assert.Throws<OperationCanceledException>(() => TrainingLoop.Run(request));
            Assert.Equal(5, calls);
        });
    }

    [Fact]
    public void Training_and_disposing_a_model_leaves_no_tensors()
    {
        AssertNoTensorsLeft(() => TrainingLoop.Run(ToyTasks.Request()).Dispose());
    }

    [Fact]
    public void No_step_leaves_anything_to_the_garbage_collector()
    {
        long Left(int epochs)
        {
            var before = LiveTensorsAfter(static () => { });
            TrainingLoop.Run(ToyTasks.Request(ToyTasks.FastOptions(epochs))).Dispose();
            return torch.Tensor.TotalCount - before;
        }

        Left(1);
        Assert.Equal(Left(1), Left(4));
    }

    [Theory]
    [MemberData(nameof(SelfSupervisionTests.Kinds), MemberType = typeof(SelfSupervisionTests))]
    public void No_step_without_labels_leaves_anything_to_the_garbage_collector(bool frames, bool bidirectional)
    {
        long Left(int epochs)
        {
            var before = LiveTensorsAfter(static () => { });
            TrainingLoop.Run(SelfSupervisionTests.Request(frames, bidirectional, epochs)).Dispose();
            return torch.Tensor.TotalCount - before;
        }

        Left(1);
        Assert.Equal(Left(1), Left(4));
    }

    [Fact]
    public void No_prediction_leaves_anything_to_the_garbage_collector()
    {
        using var model = TrainingLoop.Run(ToyTasks.Request(ToyTasks.FastOptions(epochs: 1)));
        var batch = ToyTasks.AllOf(ToyTasks.GcRich(4, seed: 1));
        var before = LiveTensorsAfter(() => model.Predict(batch));

        for (var i = 0; i < 100; i++)
        {
            model.Predict(batch);
        }

        var left = torch.Tensor.TotalCount - before;
        Assert.True(left <= 0, $"{left} tensors are left");
    }

    [Fact]
    public void Loading_well_or_in_vain_leaves_no_tensors()
    {
        var saved = SmallSavedModel();
        var broken = saved with { Weights = saved.Weights[..^1] };

        AssertNoTensorsLeft(() => saved.Load(SequenceTokenizer.Dna).Dispose());
        AssertNoTensorsLeft(() => Assert.Throws<MambaCheckpointException>(() => broken.Load(SequenceTokenizer.Dna)));
    }

    [Fact]
    public void Training_leaves_the_options_and_the_global_generator_alone()
    {
        var options = ToyTasks.FastOptions(epochs: 2);
        options.ClassWeights = [1, 2];
        var before = JsonSerializer.Serialize(options);

        AssertGlobalGeneratorUnmoved(() => TrainingLoop.Run(ToyTasks.Request(options)).Dispose());

        Assert.Equal(before, JsonSerializer.Serialize(options));
    }

    [Fact]
    public void Loading_leaves_the_global_generator_alone()
    {
        var saved = SmallSavedModel();

        AssertGlobalGeneratorUnmoved(() => saved.Load(SequenceTokenizer.Dna).Dispose());
    }

    private static SavedModel SmallSavedModel()
    {
        using var model = TrainingLoop.Run(ToyTasks.Request(ToyTasks.FastOptions(epochs: 1)));
        return SavedModel.Of(model);
    }

    // TorchSharp counts the tensor that a Parameter takes over and never takes it off the count again: one per weight built.
    private static void AssertNoTensorsLeft(Action action)
    {
        var weights = WeightsOfOneNetwork();
        var before = LiveTensorsAfter(action);
        var after = LiveTensorsAfter(action);
        Assert.Equal(weights, after - before);
    }

    private static int WeightsOfOneNetwork()
    {
        using var network = new MambaForSequenceClassification(ToyTasks.SmallModel with { VocabSize = 5 }, MambaPooling.Mean, 1, 0, 0);
        return NetworkWeights.Of(network).Length;
    }

    private static long LiveTensorsAfter(Action action)
    {
        action();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return torch.Tensor.TotalCount;
    }

    private static void AssertGlobalGeneratorUnmoved(Action action)
    {
        using var before = torch.random.get_rng_state();

        action();

        using var after = torch.random.get_rng_state();
        Assert.True(before.bytes.SequenceEqual(after.bytes), "torch's global generator was moved");
    }
}
