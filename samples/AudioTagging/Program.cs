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
    if (options.Live is not null)
    {
        if (!File.Exists(options.Model))
            throw new FileNotFoundException($"There is no model {options.Model}. Train one first (without --live), or name one with --model.");
        using var listener = new LiveListening(options.Model);
        listener.Run(options.Live, options.Paced, cancellation);
        return;
    }

    const string Background = "-";
    const int FewRecordings = 50;
    const double SecondsToHear = 3 * 3600;
    Directory.CreateDirectory(options.Out);
    string InOut(string name) => Path.Combine(options.Out, name);

    // Data: WAV files, and lists of what is heard in them when.
    if (options.Data is null)
    {
        options = options with { Data = InOut("sounds") };
        SyntheticScenes.Write(options.Data, "train", count: 400, seconds: 2.5, seed: 1);
        SyntheticScenes.Write(options.Data, "test", count: 40, seconds: 6, seed: 2);
        Console.WriteLine($"Made 400 training recordings of 2.5 s and 40 test recordings of 6 s: {options.Data}");
    }
    var (training, testing) = (RecordedEvents.Read(options.Data, "train"), RecordedEvents.Read(options.Data, "test"));

    // Files to samples to frames: 64 log-mel bands every 10 ms. They are kept, because three models learn from them.
    var ml = new MLContext(seed: 1);
    var (trainRows, testRows) = (ml.Data.LoadFromEnumerable(training), ml.Data.LoadFromEnumerable(testing));
    var hearing = ml.Transforms.LoadAudio("Samples", "Path", sampleRate: options.Rate)
        .Append(ml.Transforms.LogMelFrames("Frames", "Samples", melBands: 64))
        .Fit(trainRows);
    var mel = hearing.LastTransformer;
    var hop = (double)mel.HopLength / mel.SampleRate;
    var (train, test) = (ml.Data.Cache(hearing.Transform(trainRows)), ml.Data.Cache(hearing.Transform(testRows)));
    var (trainFrames, testFrames) = (train.GetColumn<float[]>("Frames").ToArray(), test.GetColumn<float[]>("Frames").ToArray());
    var trainSeconds = trainFrames.Sum(f => f.Length / mel.FrameWidth) * hop;
    cancellation.ThrowIfCancellationRequested();

    // What is heard when. A causal model can listen live. Its labels come a little late (FirstFrame), so that it has heard how a sound goes on.
    var display = TrainingDisplay.OfAccuracy();
    var watch = Stopwatch.StartNew();
    var tagger = display.Show(() => ml.SequenceTagging().Trainers.Mamba(new MambaTaggingTrainer.Options
    {
        LabelColumnName = "Events",
        SequenceColumnName = "Frames",
        Unit = MambaTagUnit.Event,
        BackgroundLabel = Background,
        FirstFrame = -options.Delay / 1000.0,
        Model = new MambaConfig { DModel = 64, NLayer = 3, Bidirectional = false },
        Training = new MambaTrainingOptions
        {
            Epochs = options.Epochs ?? Math.Clamp((int)Math.Round(SecondsToHear / trainSeconds), 5, 200),
            BatchSize = 4,
            LearningRate = 4e-3,
            Dropout = 0.2,
            MaxLength = 256,
            TimeMasks = 1,
            TimeMaskWidth = 6,
            FrameGain = 0.5,
            ValidationFraction = training.Length >= FewRecordings ? 0.1 : 0, // of few recordings, none can be spared
        },
        Progress = display.Report,
        CancellationToken = cancellation,
    }).Fit(train));
    var mambaTime = watch.Elapsed;
    using var model = hearing.Append(tagger);
    var scored = tagger.Transform(test);
    var metrics = ml.SequenceTagging().Evaluate(scored, "Events");

    // The ordinary ML.NET way: maximum entropy over one frame at a time, or over eleven (50 ms on both sides).
    var table = new Table().Border(TableBorder.Rounded).AddColumns("Test recordings", "Frames right", "Macro F1", "Segment F1", "Training");
    AddRow("Mamba", metrics, mambaTime);
    foreach (var neighbours in new[] { 0, 5 })
    {
        cancellation.ThrowIfCancellationRequested();
        watch.Restart();
        var classifier = new FrameClassifier(ml, neighbours, hop, Background);
        classifier.Fit(training, trainFrames, mel.FrameWidth);
        var time = watch.Elapsed;
        AddRow(neighbours == 0 ? "one frame" : $"{(2 * neighbours) + 1} frames", classifier.Evaluate(testing, testFrames, mel.FrameWidth), time);
    }
    AnsiConsole.Write(table);
    void AddRow(string name, SequenceTaggingMetrics m, TimeSpan time) => table.AddRow(
        name, $"{m.Accuracy:P1}", $"{m.MacroF1:P1}", $"{m.SegmentF1:P1}", $"{time.TotalSeconds:F0} s");

    // What is heard at all: tags of whole recordings, by what the tagger has learnt to hear. A few recordings would not be enough to learn from.
    if (training.Length >= FewRecordings)
    {
        var tags = ml.MultilabelClassification().Trainers.Mamba(new MambaMultilabelTrainer.Options
        {
            LabelColumnName = "Tags",
            SequenceColumnName = "Frames",
            Pretrained = MambaEncoder.Of(tagger),
            FreezeEncoder = true,
            Pooling = MambaPooling.Max,
            Training = new MambaTrainingOptions { Epochs = 20, BatchSize = 8, LearningRate = 5e-3, ValidationFraction = 0.2 },
            CancellationToken = cancellation,
        });
        using var clipTagger = tags.Fit(train);
        var clipTags = ml.MultilabelClassification().Evaluate(clipTagger.Transform(test), "Tags");
        Console.WriteLine($"Which sounds occur in a recording: mean average precision {clipTags.MeanAveragePrecision:F3}, F1 {clipTags.MicroF1:P1}, all right in {clipTags.ExactMatch:P1} of the recordings");
    }

    // Pictures, of the test recording with the most kinds of sounds.
    var shown = Enumerable.Range(0, testing.Length).MaxBy(i => testing[i].Marks.Select(m => m.Label).Distinct().Count());
    using var stream = tagger.CreateStream();
    var track = new LabelTrack(stream.Labels, Background, tagger.FirstFrame, tagger.FrameHop);
    var heard = track.EventsOf(scored.GetColumn<uint[]>("PredictedLabel").ElementAt(shown).Select(key => (int)key - 1));
    Pictures.Sounds(
        testFrames[shown], mel.FrameWidth, hop, mel.SampleRate / 2.0, [("true", testing[shown].Marks), ("heard", heard)],
        [.. stream.Labels.Where(label => label != Background)], Path.GetFileName(testing[shown].Path), InOut("sounds.png"));
    TrainingCurve.Draw(tagger.History, InOut("training-curve.png"), "Training of the Mamba tagger", "frame", "frames right");
    Pictures.Confusion(metrics, InOut("confusion-matrix.png"));

    ml.Model.Save(model, trainRows.Schema, InOut("model.zip"));
    using var listening = new LiveListening(InOut("model.zip"));
    Console.WriteLine($"Saved, loaded again, and listening to {Path.GetFileName(testing[shown].Path)} as to a microphone:");
    listening.Run(testing[shown].Path, options.Paced, cancellation);
    Console.WriteLine($"Model and pictures: {options.Out}");
});
