using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Pipeline;
using Microsoft.ML.Mamba.Tests.Training;
using Microsoft.ML.Mamba.Training;

namespace Microsoft.ML.Mamba.Tests.Gpu;

/// <summary>Training and scoring on a GPU against the CPU.</summary>
public sealed class GpuTrainingTests
{
    // A few steps of Adam turn rounding differences of 1e-6 into differences of the learning rate's size where gradients are near 0.
    private const float AfterTraining = 2e-2f;

    private const float SameWeights = 1e-4f;

    [SkippableTheory]
    [InlineData(PipelineTask.Multiclass)]
    [InlineData(PipelineTask.Binary)]
    [InlineData(PipelineTask.Regression)]
    public void Every_trainer_learns_on_a_GPU_what_it_learns_on_the_CPU(PipelineTask task)
    {
        CudaMachine.SkipIfAbsent();

        AssertClose(Scores(null), Scores(0), AfterTraining);

        float[] Scores(int? gpu)
        {
            var ml = new MLContext(seed: 3) { GpuDeviceId = gpu, FallbackToCpu = false };
            var view = PipelineData.View(ml, task, PipelineData.Rows(60));
            var model = PipelineModels.Trainer(ml, task).Fit(view);
            using ((IDisposable)model)
                return ScoresOf(ml, model, view);
        }
    }

    [SkippableFact]
    public void The_embedding_is_learnt_on_a_GPU_as_on_the_CPU()
    {
        CudaMachine.SkipIfAbsent();

        AssertClose(Vectors(null), Vectors(0), AfterTraining);

        static float[] Vectors(int? gpu)
        {
            var ml = new MLContext(seed: 3) { GpuDeviceId = gpu, FallbackToCpu = false };
            using var model = EmbeddingModels.Fit(ml);
            return [.. EmbeddingModels.Embed(ml, model, PipelineData.Rows(30)).SelectMany(v => v)];
        }
    }

    [SkippableTheory]
    [InlineData(0, null)]
    [InlineData(null, 0)]
    public void A_model_saved_on_one_device_scores_alike_on_another(int? trained, int? loaded)
    {
        CudaMachine.SkipIfAbsent();
        var (first, second) = (new MLContext(seed: 3) { GpuDeviceId = trained }, new MLContext { GpuDeviceId = loaded });
        var rows = PipelineData.Rows(30);
        using var model = EmbeddingModels.Fit(first);
        var zip = ModelZip.Save(first, model, first.Data.LoadFromEnumerable(rows).Schema);

        var again = zip.Load(second);

        using ((IDisposable)again)
        {
            AssertClose([.. EmbeddingModels.Embed(first, model, rows).SelectMany(v => v)], [.. EmbeddingModels.Embed(second, again, rows).SelectMany(v => v)], SameWeights);
            Assert.Equal(zip.Entries.Single(IsWeights).Value, ModelZip.Save(second, again, second.Data.LoadFromEnumerable(rows).Schema).Entries.Single(IsWeights).Value);
        }

        static bool IsWeights(KeyValuePair<string, byte[]> entry) => entry.Key.EndsWith("model.safetensors", StringComparison.Ordinal);
    }

    [SkippableFact]
    public void A_breakdown_is_noticed_while_a_later_step_is_under_way()
    {
        CudaMachine.SkipIfAbsent();
        var options = ToyTasks.FastOptions();
        options.LearningRate = 1e30;
        options.WarmupRatio = 0;
        using var model = TrainingLoop.Run(ToyTasks.Request(options) with { Device = new ComputeDevice(0) });
        var history = model.Description.History;

        Assert.Equal((0, 0), (history.BestEpoch, history.Epochs.Count));
        Assert.Matches(@"^Training broke down: the (loss|gradient) became \S+ at step \d+ \(epoch 1\)\.$", history.StoppedBecause);
        Assert.All(model.Predict(ToyTasks.AllOf(ToyTasks.GcRich(20, seed: 3))), score => Assert.True(float.IsFinite(score)));
    }

    [SkippableTheory]
    [InlineData(MambaPrecision.Float32)]
    [InlineData(MambaPrecision.BFloat16)]
    public void A_small_model_learns_a_small_task_and_again_to_the_same_bits(MambaPrecision precision)
    {
        CudaMachine.SkipIfAbsent();
        var options = ToyTasks.FastOptions(epochs: 8);
        options.Precision = precision;
        var request = ToyTasks.Request(options) with { Device = new ComputeDevice(0) };
        using var model = TrainingLoop.Run(request);
        using var again = TrainingLoop.Run(request);
        var test = ToyTasks.GcRich(100, seed: 99);

        var scores = model.Predict(ToyTasks.AllOf(test));

        var correct = Enumerable.Range(0, test.Count).Count(row => scores[row] > 0 == test.GetTarget(row) > 0);
        Assert.True(correct >= 90, $"{correct} of 100 are right; expected at least 90");
        Assert.Equal(SavedModel.Of(model).Weights, SavedModel.Of(again).Weights);
        Assert.Equal(scores, again.Predict(ToyTasks.AllOf(test)));
    }

    [SkippableFact]
    public void Without_memory_the_error_says_what_needs_less()
    {
        CudaMachine.SkipIfAbsent();
        var set = Microsoft.ML.Mamba.Data.SequenceSet.OfIds();
        for (var row = 0; row < 4096; row++)
            set.AddIds([.. Enumerable.Range(0, 4096).Select(i => (i + row) % 4)], row % 2);
        var options = new MambaTrainingOptions { Epochs = 1, BatchSize = 4096, ValidationFraction = 0 };
        var request = ToyTasks.Request(options) with
        {
            Config = new MambaConfig { DModel = 1024, NLayer = 4 },
            Train = set,
            Device = new ComputeDevice(0),
        };

        var error = Assert.Throws<OutOfMemoryException>(() => TrainingLoop.Run(request));

        Assert.StartsWith("Training ran out of memory on CUDA device 0 (BatchSize 4096, sequences of up to 4,096 positions); a smaller BatchSize, MaxLength or model needs less, and so does Precision = BFloat16.", error.Message);
    }

    private static float[] ScoresOf(MLContext ml, ITransformer model, IDataView view)
    {
        var scored = model.Transform(view);
        var column = scored.Schema["Score"];
        return column.Type is Microsoft.ML.Data.VectorDataViewType
            ? [.. Microsoft.ML.Data.ColumnCursorExtensions.GetColumn<float[]>(scored, column).SelectMany(v => v)]
            : [.. Microsoft.ML.Data.ColumnCursorExtensions.GetColumn<float>(scored, column)];
    }

    private static void AssertClose(float[] wanted, float[] got, float tolerance)
    {
        Assert.Equal(wanted.Length, got.Length);
        var largest = wanted.Max(Math.Abs);
        for (var i = 0; i < wanted.Length; i++)
            Assert.True(Math.Abs(wanted[i] - got[i]) <= tolerance * largest, $"value {i} is {got[i]}; expected {wanted[i]} ± {tolerance * largest}");
    }
}
