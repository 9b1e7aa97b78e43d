using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Mamba;

/// <summary>
/// The ordinary ML.NET way: every frame is a row of its own, perhaps with its neighbours, and a linear classifier says what is heard in it.
/// </summary>
/// <param name="ml">The context.</param>
/// <param name="neighbours">Frames on each side that a row has too.</param>
/// <param name="hop">The time from one frame to the next, s; the first is at 0.</param>
/// <param name="background">The label outside of all events.</param>
internal sealed class FrameClassifier(MLContext ml, int neighbours, double hop, string background)
{
    private ITransformer? _model;

    /// <summary>Learns from recordings and their frames.</summary>
    /// <param name="recordings">The recordings.</param>
    /// <param name="frames">The frames of each, one after the other.</param>
    /// <param name="width">Values per frame.</param>
    public void Fit(Recording[] recordings, float[][] frames, int width) => _model =
        ml.Transforms.Conversion.MapValueToKey("Label")
            .AppendCacheCheckpoint(ml)
            .Append(ml.MulticlassClassification.Trainers.LbfgsMaximumEntropy(historySize: 10, l1Regularization: 0, l2Regularization: 0.1f, optimizationTolerance: 1e-4f))
            .Append(ml.Transforms.Conversion.MapKeyToValue("PredictedLabel"))
            .Fit(Rows(recordings, frames, width));

    /// <summary>Labels the frames of recordings, and compares them with the true labels as a tagger's are compared.</summary>
    public SequenceTaggingMetrics Evaluate(Recording[] recordings, float[][] frames, int width)
    {
        var rows = Rows(recordings, frames, width);
        var truth = rows.GetColumn<string>("Label").ToArray();
        var given = _model!.Transform(rows).GetColumn<string>("PredictedLabel").ToArray();
        var sequences = new List<LabelledFrames>();
        for (int i = 0, at = 0; i < frames.Length; at += frames[i].Length / width, i++)
        {
            var range = at..(at + (frames[i].Length / width));
            sequences.Add(new LabelledFrames { Label = truth[range], PredictedLabel = given[range] });
        }
        var data = ml.Data.LoadFromEnumerable(sequences);
        var labels = ml.Data.LoadFromEnumerable(truth.Concat(given).Distinct().Order(StringComparer.Ordinal).Select(label => new Name { Label = label }));
        var keys = ml.Transforms.Conversion.MapValueToKey([new InputOutputColumnPair("Label"), new InputOutputColumnPair("PredictedLabel")], keyData: labels);
        return ml.SequenceTagging().Evaluate(keys.Fit(data).Transform(data), backgroundLabel: background);
    }

    private IDataView Rows(Recording[] recordings, float[][] frames, int width)
    {
        var schema = SchemaDefinition.Create(typeof(FrameRow));
        schema["Features"].ColumnType = new VectorDataViewType(NumberDataViewType.Single, width * ((2 * neighbours) + 1));
        return ml.Data.LoadFromEnumerable(recordings.Zip(frames).SelectMany(pair => Rows(pair.First.Marks, pair.Second, width)), schema);
    }

    private IEnumerable<FrameRow> Rows(IReadOnlyList<SoundEvent> events, float[] frames, int width)
    {
        var count = frames.Length / width;
        for (var frame = 0; frame < count; frame++)
        {
            var features = new float[width * ((2 * neighbours) + 1)];
            for (var n = 0; n <= 2 * neighbours; n++)
                frames.AsSpan(Math.Clamp(frame + n - neighbours, 0, count - 1) * width, width).CopyTo(features.AsSpan(n * width));
            var time = frame * hop;
            yield return new FrameRow { Features = features, Label = events.Where(e => e.Onset <= time && time < e.Offset).Select(e => e.Label).FirstOrDefault(background) };
        }
    }

    private sealed class FrameRow
    {
        public float[] Features { get; set; } = [];

        public string Label { get; set; } = "";
    }

    private sealed class LabelledFrames
    {
        public string[] Label { get; set; } = [];

        public string[] PredictedLabel { get; set; } = [];
    }

    private sealed class Name
    {
        public string Label { get; set; } = "";
    }
}
