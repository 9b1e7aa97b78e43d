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

    // Data: two columns of a tab-separated file, Label and Sequence.
    if (options.Data is null)
    {
        options = options with { Data = InOut("train.tsv"), Test = InOut("test.tsv"), Label = "label", Sequence = "sequence" };
        SplicedSequences.Write(options.Data, count: 3000, seed: 1);
        SplicedSequences.Write(options.Test, count: 1000, seed: 2);
        Console.WriteLine($"Simulated 3000 training and 1000 test windows around splice sites: {options.Out}");
    }

    var ml = new MLContext(seed: 1);
    IDataView Load(string file) => ml.Data.LoadFromTextFile(file,
    [
        new TextLoader.Column("Label", DataKind.String, CommandLine.ColumnIndex(file, options.Label)),
        new TextLoader.Column("Sequence", DataKind.String, CommandLine.ColumnIndex(file, options.Sequence)),
    ], hasHeader: true);
    var train = Load(options.Data);
    var test = Load(options.Test!);

    // Windows of one length are cut around something: there a model must know the position. Elsewhere a motif may be anywhere.
    var lengths = new[] { train, test }.SelectMany(data => data.GetColumn<string>("Sequence")).Select(s => s.Length).Distinct().Take(2).ToArray();
    var positions = lengths.Length == 1 ? lengths[0] : 0;

    // Training.
    var display = TrainingDisplay.OfAccuracy();
    var trainer = ml.MulticlassClassification.Trainers.Mamba(new MambaMulticlassTrainer.Options
    {
        Tokenizer = SequenceTokenizer.Dna,
        Model = new MambaConfig { DModel = 64, NLayer = 2, MaxPositions = positions },
        Pooling = MambaPooling.Mean,
        Training = new MambaTrainingOptions { Epochs = options.Epochs, WeightDecay = 0.2, Dropout = 0.3 },
        ValidationSet = options.Valid is null ? null : Load(options.Valid),
        Progress = display.Report,
        CancellationToken = cancellation,
    });
    var pipeline = ml.Transforms.Conversion.MapValueToKey("Label")
        .Append(trainer)
        .Append(ml.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
    var watch = Stopwatch.StartNew();
    using var model = display.Show(() => pipeline.Fit(train));
    var mambaTime = watch.Elapsed;

    // The ordinary ML.NET way, on the same split: counts of letter n-grams, and trees.
    var ngrams = ml.Transforms.Conversion.MapValueToKey("Label")
        .Append(ml.Transforms.Text.TokenizeIntoCharactersAsKeys("Letters", "Sequence", useMarkerCharacters: false))
        .Append(ml.Transforms.Text.ProduceNgrams("Features", "Letters", ngramLength: 6, useAllLengths: true))
        .Append(ml.MulticlassClassification.Trainers.LightGbm());
    watch.Restart();
    using var ngramModel = ngrams.Fit(train);
    var ngramTime = watch.Elapsed;

    // Evaluation with ML.NET's evaluator.
    var scored = model.Transform(test);
    var metrics = ml.MulticlassClassification.Evaluate(scored);
    var ngramMetrics = ml.MulticlassClassification.Evaluate(ngramModel.Transform(test));
    var table = new Table().Border(TableBorder.Rounded).AddColumns("Test set", "Accuracy", "Mean class accuracy", "Log-loss", "Training");
    table.AddRow("Mamba", $"{metrics.MicroAccuracy:P1}", $"{metrics.MacroAccuracy:P1}", $"{metrics.LogLoss:F3}", $"{mambaTime.TotalSeconds:F0} s");
    table.AddRow("6-grams + LightGBM", $"{ngramMetrics.MicroAccuracy:P1}", $"{ngramMetrics.MacroAccuracy:P1}", $"{ngramMetrics.LogLoss:F3}", $"{ngramTime.TotalSeconds:F0} s");
    AnsiConsole.Write(table);

    // Pictures.
    VBuffer<ReadOnlyMemory<char>> slotNames = default;
    scored.Schema["Score"].GetSlotNames(ref slotNames);
    var classes = slotNames.DenseValues().Select(name => name.ToString()).ToArray();
    TrainingCurve.Draw(model.OfType<MambaMulticlassTransformer>().Single().History, InOut("training-curve.png"));
    Pictures.ConfusionMatrix(metrics.ConfusionMatrix, classes, InOut("confusion-matrix.png"));

    // Saving, loading in a fresh context, and predicting one sequence at a time.
    ml.Model.Save(model, train.Schema, InOut("model.zip"));
    var fresh = new MLContext();
    var loaded = fresh.Model.Load(InOut("model.zip"), out _);
    using var engine = fresh.Model.CreatePredictionEngine<LabelledSequence, Prediction>(loaded);
    Console.WriteLine("Saved, loaded again, and asked about the first sequences of the test file:");
    foreach (var row in fresh.Data.CreateEnumerable<LabelledSequence>(test, reuseRowObject: false).Take(4))
    {
        var prediction = engine.Predict(row);
        var ranked = engine.OutputSchema["Score"].RankLabels(prediction.Score).Select(r => $"{r.Label} {r.Probability:P1}");
        Console.WriteLine($"  {row.Sequence[..Math.Min(60, row.Sequence.Length)]}  is {row.Label}, predicted {prediction.PredictedLabel}: {string.Join(", ", ranked)}");
    }
    Console.WriteLine($"Model and pictures: {options.Out}");
});

internal sealed class LabelledSequence
{
    public string Label { get; set; } = "";

    public string Sequence { get; set; } = "";
}

internal sealed class Prediction
{
    public string PredictedLabel { get; set; } = "";

    public float[] Score { get; set; } = [];
}
