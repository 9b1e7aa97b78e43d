using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using Microsoft.ML.Mamba.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Training;

/// <summary>Ten AdamW steps of the reference implementation, step by step, on every kernel backend of the CPU.</summary>
public sealed class GoldenTrainingTests
{
    // What the files' notes allow for: AdamW divides by the size of the gradient, which magnifies rounding.
    private const double LossTolerance = 1e-4;
    private const double WeightTolerance = 4e-5;

    public static TheoryData<string, string> Cases()
    {
        var cases = new TheoryData<string, string>();
        foreach (var file in new[] { "train/classifier_equal_lengths", "train/classifier_padded" })
        {
            foreach (var backend in KernelBackends.All.Where(b => b.Supports(DeviceType.CPU, ScalarType.Float32, out _)))
            {
                cases.Add(file, backend.Name);
            }
        }
        return cases;
    }

    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Ten_steps_follow_the_reference(string file, string backend)
    {
        using var forced = KernelBackends.Force(backend);
        using var golden = GoldenFile.Read(file);
        var set = SetOf(golden);
        var plan = TrainingPlan.Make(RequestOf(golden, set));
        var objective = (TargetObjective)plan.Objective;
        using var trainee = new SupervisedTrainee(plan, objective);
        using var network = trainee.Network;
        var weights = trainee.Weights;
        FillFrom(golden, weights);
        using var step = new TrainingStep(trainee, plan.Options, decays: _ => true);
        var batch = ToyTasks.AllOf(set);
        var losses = golden["losses"].data<float>().ToArray();

        AssertLogits(golden, "logits_0", network, batch);
        for (var k = 0; k < 10; k++)
        {
            var first = k == 0;
            using var outcome = step.Take(batch, plan.Options.LearningRate, _ =>
            {
                foreach (var (name, weight) in first ? weights : [])
                {
                    golden.AssertMatches("grad_0." + GoldenName(name), weight.grad!);
                }
            });
            var loss = outcome.Read().Loss;
            Assert.True(Math.Abs(loss - losses[k]) <= LossTolerance, $"loss before step {k + 1} is {loss}; expected {losses[k]} ± {LossTolerance}");
        }

        using var noGradient = no_grad();
        var last = trainee.Loss(batch).item<float>();
        Assert.True(Math.Abs(last - losses[10]) <= LossTolerance, $"loss after ten steps is {last}; expected {losses[10]} ± {LossTolerance}");
        foreach (var (name, weight) in weights)
        {
            var difference = (weight - golden["final." + GoldenName(name)]).abs().max().item<float>();
            Assert.True(difference <= WeightTolerance, $"final {name} differs by {difference}; expected at most {WeightTolerance}");
        }
    }

    private static void AssertLogits(GoldenFile golden, string name, nn.Module<SequenceInput, Tensor> network, PaddedBatch batch)
    {
        using var noGradient = no_grad();
        using var input = SequencePredictor.InputOf(batch, CPU);
        golden.AssertMatches(name, network.call(input));
    }

    private static SequenceSet SetOf(GoldenFile golden)
    {
        var ids = golden["input_ids"];
        var labels = golden["labels"].data<long>().ToArray();
        var lengths = golden.Find("lengths")?.data<long>().ToArray();
        var set = SequenceSet.OfIds();
        for (var row = 0; row < labels.Length; row++)
        {
            var length = lengths?[row] ?? ids.shape[1];
            set.AddIds(Array.ConvertAll(ids[row].data<long>().ToArray(), id => (int)id).AsSpan(0, (int)length), labels[row]);
        }
        return set;
    }

    private static TrainingRequest RequestOf(GoldenFile golden, SequenceSet set)
    {
        var (options, config) = (golden.Options, golden.Options.GetProperty("config"));
        var ssm = config.GetProperty("ssm_cfg");
        return new TrainingRequest
        {
            Config = new MambaConfig
            {
                DModel = config.GetProperty("d_model").GetInt32(),
                NLayer = config.GetProperty("n_layer").GetInt32(),
                VocabSize = config.GetProperty("vocab_size").GetInt32(),
                DState = ssm.TryGetProperty("d_state", out var dState) ? dState.GetInt32() : 16,
                Bidirectional = false,
            },
            Pooling = MambaPooling.Mean,
            Objective = TrainingObjective.Multiclass(options.GetProperty("classes").GetInt32()),
            Train = set,
            Options = new MambaTrainingOptions
            {
                LearningRate = options.GetProperty("lr").GetDouble(),
                Beta1 = options.GetProperty("betas")[0].GetDouble(),
                Beta2 = options.GetProperty("betas")[1].GetDouble(),
                WeightDecay = options.GetProperty("weight_decay").GetDouble(),
                GradientClip = 0,
                LabelSmoothing = 0,
                Dropout = 0,
                ValidationFraction = 0,
            },
        };
    }

    private static void FillFrom(GoldenFile golden, (string Name, TorchSharp.Modules.Parameter Tensor)[] weights)
    {
        using var noGradient = no_grad();
        Assert.Equal(golden.Names.Count(n => n.StartsWith("initial.", StringComparison.Ordinal)), weights.Length);
        foreach (var (name, weight) in weights)
        {
            weight.copy_(golden["initial." + GoldenName(name)]);
        }
    }

    private static string GoldenName(string name) => name.Replace("backbone.embeddings.", "backbone.embedding.", StringComparison.Ordinal);
}
