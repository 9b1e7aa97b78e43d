using System.Text.Json;

namespace Microsoft.ML.Mamba.Tests.Training;

public sealed class MambaTrainingOptionsTests
{
    [Fact]
    public void The_defaults_are_valid() => new MambaTrainingOptions().Validate();

    [Fact]
    public void All_violations_are_listed_at_once()
    {
        var options = new MambaTrainingOptions
        {
            Epochs = 0,
            BatchSize = -1,
            MaxSteps = -1,
            LearningRate = double.NaN,
            MinLearningRateRatio = 1.5,
            WarmupRatio = -0.1,
            WeightDecay = double.PositiveInfinity,
            Beta1 = 1,
            Beta2 = -0.5,
            GradientClip = -1,
            LabelSmoothing = 1,
            Dropout = 1,
            ClassWeighting = MambaClassWeighting.Balanced,
            ClassWeights = [1, 0],
            ValidationFraction = 1,
            EarlyStoppingPatience = -1,
            EarlyStoppingMetric = (MambaEarlyStoppingMetric)9,
            MaxLength = -5,
            Truncation = (SequenceTruncation)7,
            MutationRate = 1,
        };

        var expected = """
            MambaTrainingOptions: 20 values are out of range:
              Epochs is 0; expected at least 1.
              BatchSize is -1; expected at least 1.
              MaxSteps is -1; expected 0 (no limit) or more.
              LearningRate is NaN; expected a finite number above 0.
              MinLearningRateRatio is 1.5; expected 0 to 1.
              WarmupRatio is -0.1; expected 0 to 1.
              WeightDecay is Infinity; expected a finite number of 0 or more.
              Beta1 is 1; expected 0 or more and less than 1.
              Beta2 is -0.5; expected 0 or more and less than 1.
              GradientClip is -1; expected 0 (no clipping) or a finite number above 0.
              LabelSmoothing is 1; expected 0 or more and less than 1.
              Dropout is 1; expected 0 or more and less than 1.
              ClassWeights is [1, 0]; expected finite numbers above 0.
              ClassWeighting is Balanced; expected None when ClassWeights is set.
              ValidationFraction is 1; expected 0 (no validation) or more and less than 1.
              EarlyStoppingPatience is -1; expected 0 (never stop early) or more.
              EarlyStoppingMetric is 9; expected Loss or Metric.
              MaxLength is -5; expected 0 (no limit) or more.
              Truncation is 7; expected Head, Tail or Middle.
              MutationRate is 1; expected 0 or more and less than 1.
            """;
        Assert.Equal(expected.ReplaceLineEndings(), Assert.Throws<ArgumentException>(options.Validate).Message);
    }

    [Fact]
    public void One_violation_is_told_in_the_singular()
    {
        var message = Assert.Throws<ArgumentException>(new MambaTrainingOptions { Epochs = -3 }.Validate).Message;

        Assert.Equal($"MambaTrainingOptions: 1 value is out of range:{Environment.NewLine}  Epochs is -3; expected at least 1.", message);
    }

    [Fact]
    public void A_clone_has_every_value_and_shares_nothing()
    {
        var options = new MambaTrainingOptions { Epochs = 7, ClassWeights = [1, 2], Seed = 3, Truncation = SequenceTruncation.Tail, MutationRate = 0.02 };

        var clone = options.Clone();

        Assert.Equal(JsonSerializer.Serialize(options), JsonSerializer.Serialize(clone));
        clone.ClassWeights![0] = 9;
        clone.Epochs = 1;
        Assert.Equal((1f, 7), (options.ClassWeights[0], options.Epochs));
    }

    [Fact]
    public void Options_survive_json_as_sweepers_need_it()
    {
        var options = new MambaTrainingOptions { LearningRate = 1e-3, EarlyStoppingMetric = MambaEarlyStoppingMetric.Loss, ClassWeights = [1, 3] };

        var read = JsonSerializer.Deserialize<MambaTrainingOptions>(JsonSerializer.Serialize(options))!;

        Assert.Equal(JsonSerializer.Serialize(options), JsonSerializer.Serialize(read));
    }
}
