using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

/// <summary>What changes frames at random does so in training alone, and the same way with the same seed.</summary>
public sealed class FrameAugmentationTrainersTests
{
    private readonly MLContext _ml = new(seed: 3);
    private readonly IDataView _data;

    public FrameAugmentationTrainersTests() => _data = _ml.Data.LoadFromEnumerable(TaggingData.Recordings(40));

    public static TheoryData<string> Settings() => [nameof(MambaTrainingOptions.TimeMasks), nameof(MambaTrainingOptions.FrequencyMasks), nameof(MambaTrainingOptions.FrameStretch),
        nameof(MambaTrainingOptions.FrameGain), nameof(MambaTrainingOptions.FrameNoise)];

    [Theory]
    [MemberData(nameof(Settings))]
    public void A_tagger_learns_from_changed_frames_and_equal_seeds_give_equal_bits(string setting)
    {
        var plain = Fit(null);
        var changed = Fit(setting);

        Assert.NotEqual(plain.Scores, changed.Scores);
        Assert.Equal(changed.Scores, Fit(setting).Scores);
    }

    /// <summary>A step of no length leaves the initial weights, which are the same with and without: so must be all that is scored with them.</summary>
    [Theory]
    [MemberData(nameof(Settings))]
    public void Scoring_and_validation_see_the_frames_as_they_are(string setting)
    {
        var plain = Fit(null, learns: false);
        var changed = Fit(setting, learns: false);

        Assert.Equal(plain.Scores, changed.Scores);
        Assert.Equal(plain.Loss, changed.Loss);
    }

    private (float[] Scores, double Loss) Fit(string? setting, bool learns = true)
    {
        using var model = TaggingData.Trainer(_ml, "Events", MambaTagUnit.Event, options =>
        {
            var training = options.Training;
            (training.Seed, training.ValidationFraction, training.LearningRate) = (5, 0.25, learns ? 5e-3 : 1e-30);
            if (setting is not null)
                Use(training, setting);
        }).Fit(_data);
        var losses = model.History.Epochs.Select(epoch => epoch.ValidationLoss!.Value);
        return ([.. model.Transform(_data).GetColumn<float[]>("Score").SelectMany(scores => scores)], losses.Single());
    }

    private static void Use(MambaTrainingOptions training, string setting)
    {
        switch (setting)
        {
            case nameof(training.TimeMasks):
                training.TimeMasks = 2;
                break;
            case nameof(training.FrequencyMasks):
                (training.FrequencyMasks, training.FrequencyMaskWidth) = (1, 1);
                break;
            case nameof(training.FrameStretch):
                training.FrameStretch = 0.3;
                break;
            case nameof(training.FrameGain):
                training.FrameGain = 1;
                break;
            default:
                training.FrameNoise = 0.5;
                break;
        }
    }
}
