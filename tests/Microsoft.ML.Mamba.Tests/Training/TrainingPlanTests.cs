using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Training;

namespace Microsoft.ML.Mamba.Tests.Training;

public sealed class TrainingPlanTests
{
    [Fact]
    public void No_rows_are_refused()
    {
        AssertRefused<MambaTrainingException>(
            "There are no training rows. Rows without a label are skipped: check the label column and the filters before the trainer.",
            ToyTasks.Request() with { Train = SequenceSet.OfIds() });
        AssertRefused<MambaTrainingException>(
            "There are no validation rows. Rows without a label are skipped: check the label column and the filters before the trainer.",
            ToyTasks.Request() with { Validation = SequenceSet.OfIds() });
    }

    [Fact]
    public void Sequences_that_are_all_empty_are_refused()
    {
        var set = SequenceSet.OfIds();
        set.AddIds([], 0);
        set.AddIds([], 1);

        AssertRefused<MambaTrainingException>("All 2 training sequences are empty; check the sequence column.", ToyTasks.Request() with { Train = set });
    }

    [Fact]
    public void One_class_alone_is_refused()
    {
        var set = SequenceSet.OfIds();
        set.AddIds([0], 1);
        set.AddIds([1], 1);

        AssertRefused<MambaTrainingException>(
            "All 2 training rows are of one class (index 1 of 2); a classifier needs at least two.",
            ToyTasks.Request() with { Train = set });
    }

    [Fact]
    public void Options_for_DNA_need_the_tokenizer_of_DNA()
    {
        var options = ToyTasks.FastOptions();
        options.ReverseComplementAugmentation = options.ReverseComplementAveraging = true;
        options.MutationRate = 0.1;

        AssertRefused<ArgumentException>(
            "MambaTrainingOptions: ReverseComplementAugmentation is true; it needs SequenceTokenizer.Dna, the trainer has the tokenizer 'bytes'. "
            + "ReverseComplementAveraging is true; it needs SequenceTokenizer.Dna, the trainer has the tokenizer 'bytes'. "
            + "MutationRate is 0.1; it needs SequenceTokenizer.Dna, the trainer has the tokenizer 'bytes'.",
            ToyTasks.Request(options) with { Tokenizer = SequenceTokenizer.Bytes });
    }

    [Fact]
    public void Class_weights_must_be_as_many_as_classes()
    {
        var options = ToyTasks.FastOptions();
        options.ClassWeights = [1, 2, 3];

        AssertRefused<ArgumentException>("MambaTrainingOptions: ClassWeights has 3 numbers; the label has 2 classes.", ToyTasks.Request(options));
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        AssertRefused<ArgumentException>(
            $"MambaTrainingOptions: 1 value is out of range:{Environment.NewLine}  Epochs is 0; expected at least 1.",
            ToyTasks.Request(new MambaTrainingOptions { Epochs = 0 }));
    }

    [Fact]
    public void A_configuration_that_does_not_fit_the_sequences_is_refused()
    {
        AssertRefused<ArgumentException>(
            "MambaConfig: VocabSize is 4 and FrameWidth is 0; the sequences are ids that need VocabSize 5, so expected 0 or at least 5, and 0.",
            ToyTasks.Request() with { Config = ToyTasks.SmallModel with { VocabSize = 4 } });
        AssertRefused<ArgumentException>(
            "MambaConfig: VocabSize is 0 and FrameWidth is 3; the sequences are frames of width 2, so expected 0 and 0 or 2.",
            ToyTasks.Request() with { Config = ToyTasks.SmallModel with { FrameWidth = 3 }, Train = ToyTasks.FrameMeans(9, 1), Tokenizer = null, Objective = TrainingObjective.Regression });
    }

    [Fact]
    public void The_vocabulary_comes_from_the_tokenizer_or_the_largest_id()
    {
        var request = ToyTasks.Request();
        Assert.Equal(5, TrainingPlan.Make(request).Config.VocabSize);
        Assert.Equal(4, TrainingPlan.Make(request with { Tokenizer = null }).Config.VocabSize);
        Assert.Equal(12, TrainingPlan.Make(request with { Config = ToyTasks.SmallModel with { VocabSize = 12 } }).Config.VocabSize);
    }

    [Fact]
    public void Balanced_weights_make_every_class_count_the_same()
    {
        var set = SequenceSet.OfIds();
        for (var row = 0; row < 40; row++)
        {
            set.AddIds([0], row % 4 == 0 ? 1 : 0);
        }
        var options = ToyTasks.FastOptions();
        options.ValidationFraction = 0;
        options.ClassWeighting = MambaClassWeighting.Balanced;

        var weights = TrainingPlan.Make(ToyTasks.Request(options) with { Train = set }).ClassWeights!;

        Assert.Equal([40f / 60, 40f / 20], weights);
    }

    [Fact]
    public void A_given_validation_set_leaves_all_rows_to_training()
    {
        var plan = TrainingPlan.Make(ToyTasks.Request() with { Validation = ToyTasks.GcRich(30, seed: 2) });

        Assert.Equal((160, 30), (plan.Train.Count, plan.Validation!.Count));
    }

    [Fact]
    public void A_fraction_that_rounds_to_no_rows_is_no_validation()
    {
        var options = ToyTasks.FastOptions();
        options.ValidationFraction = 0.001;

        Assert.Null(TrainingPlan.Make(ToyTasks.Request(options)).Validation);
    }

    private static void AssertRefused<T>(string message, TrainingRequest request)
        where T : Exception => Assert.Equal(message, Assert.Throws<T>(() => TrainingLoop.Run(request)).Message);
}
