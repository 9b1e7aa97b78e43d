using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Mamba;
using Spectre.Console;

var (options, exitCode) = CommandLine.Read(args);
if (options is null)
    return exitCode;

return SampleRun.Run(cancellation =>
{
    Directory.CreateDirectory(options.Out);
    string InOut(string name) => Path.Combine(options.Out, name);

    // Data: two columns of a tab-separated file, Label and Text.
    if (options.Data is null)
    {
        options = options with { Data = InOut("reviews.tsv"), Label = "sentiment", Text = "text" };
        GeneratedReviews.Write(options.Data, count: 4000, seed: 1);
        Console.WriteLine($"Generated 4000 reviews (by a small grammar; nobody wrote them): {options.Data}");
    }

    var ml = new MLContext(seed: 1);
    IDataView Load(string file)
    {
        int Column(string name) => Arguments.ColumnIndex(file, name, "--label and --text");
        return ml.Data.LoadFromTextFile(file,
            [new TextLoader.Column("Label", DataKind.String, Column(options.Label)), new TextLoader.Column("Text", DataKind.String, Column(options.Text))], hasHeader: true);
    }
    var train = Load(options.Data);
    var test = options.Test is null ? null : Load(options.Test);
    if (test is null)
    {
        var split = ml.Data.TrainTestSplit(train, testFraction: 0.2);
        (train, test) = (split.TrainSet, split.TestSet);
    }

    // Training: from a checkpoint, whose encoder learns more slowly than the new head; or from nothing, on tokens that the training texts teach or on bytes.
    var display = TrainingDisplay.OfAccuracy();
    var trainer = new MambaMulticlassTrainer.Options
    {
        SequenceColumnName = "Text",
        Training = new MambaTrainingOptions { Epochs = options.Epochs, Dropout = 0.2 },
        Progress = display.Report,
        CancellationToken = cancellation,
    };
    if (options.Checkpoint is not null)
    {
        trainer.Pretrained = Arguments.EncoderOfTexts(options.Checkpoint);
        trainer.EncoderLearningRateScale = 0.1;
    }
    else
    {
        trainer.Tokenizer = options.Bytes ? SequenceTokenizer.Bytes
            : SequenceTokenizer.LearnBytePairs(train.GetColumn<string>("Text"), options.Tokens, lowercase: true);
        trainer.Model = new MambaConfig { DModel = 64, NLayer = 2 };
    }
    var toKey = ml.Transforms.Conversion.MapValueToKey("Label");
    var pipeline = toKey.Append(ml.MulticlassClassification.Trainers.Mamba(trainer)).Append(ml.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
    var watch = Stopwatch.StartNew();
    using var model = display.Show(() => pipeline.Fit(train));
    var mambaTime = watch.Elapsed;

    // The ordinary ML.NET way: counts of words and letters, which do not know what stands before what.
    watch.Restart();
    using var counts = toKey.Append(ml.Transforms.Text.FeaturizeText("Features", "Text"))
        .Append(ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy(l1Regularization: 0, l2Regularization: 0.1f)).Fit(train);
    var countsTime = watch.Elapsed;
    cancellation.ThrowIfCancellationRequested();

    var scored = model.Transform(test);
    var metrics = ml.MulticlassClassification.Evaluate(scored);
    var countsMetrics = ml.MulticlassClassification.Evaluate(counts.Transform(test));
    var table = new Table().Border(TableBorder.Rounded).AddColumns("Test set", "Accuracy", "Log-loss", "Training");
    table.AddRow("Mamba", $"{metrics.MicroAccuracy:P1}", $"{metrics.LogLoss:F3}", $"{mambaTime.TotalSeconds:F0} s");
    table.AddRow("FeaturizeText + maximum entropy", $"{countsMetrics.MicroAccuracy:P1}", $"{countsMetrics.LogLoss:F3}", $"{countsTime.TotalSeconds:F0} s");
    AnsiConsole.Write(table);

    // True classes down, predicted ones across.
    VBuffer<ReadOnlyMemory<char>> slotNames = default;
    scored.Schema["Score"].GetSlotNames(ref slotNames);
    var classes = slotNames.DenseValues().Select(name => name.ToString()).ToArray();
    var matrix = new Table().Border(TableBorder.Rounded).AddColumns(["true \\ predicted", .. classes]);
    for (var truth = 0; truth < classes.Length; truth++)
        matrix.AddRow([classes[truth], .. metrics.ConfusionMatrix.Counts[truth].Select(count => $"{count:F0}")]);
    AnsiConsole.Write(matrix);

    // Saving, loading in a fresh context, and judging texts.
    ml.Model.Save(model, train.Schema, InOut("model.zip"));
    var fresh = new MLContext();
    using var engine = fresh.Model.CreatePredictionEngine<Review, Judgement>(fresh.Model.Load(InOut("model.zip"), out _));
    string[] texts = options.Texts.Length > 0 ? options.Texts :
        ["The screen flickers but the battery lasts two days.", "The battery lasts two days but the screen flickers.", "The soup was not bad.", "Although the room was filthy, I love the hotel!"];
    Console.WriteLine("Saved, loaded again, and asked about:");
    foreach (var text in texts)
    {
        var judgement = engine.Predict(new Review { Text = text });
        var ranked = engine.OutputSchema["Score"].RankLabels(judgement.Score).Select(r => $"{r.Label} {r.Probability:P1}");
        Console.WriteLine($"  {text}  {string.Join(", ", ranked)}");
    }
    Console.WriteLine($"Model: {InOut("model.zip")}");
});

internal sealed class Review
{
    public string Label { get; set; } = "";

    public string Text { get; set; } = "";
}

internal sealed class Judgement
{
    public string PredictedLabel { get; set; } = "";

    public float[] Score { get; set; } = [];
}
