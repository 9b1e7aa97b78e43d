using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

/// <summary>Small sequences with a label per position, per word, or per stretch of time; the same on every machine.</summary>
internal static class TaggingData
{
    public sealed class Row
    {
        public string Sequence { get; set; } = "";

        /// <summary>One character per position: "g" inside a run of G and C, "." elsewhere.</summary>
        public string Letters { get; set; } = "";

        [VectorType]
        public string[] Names { get; set; } = [];
    }

    public sealed class TextRow
    {
        public string Sequence { get; set; } = "";

        public string Words { get; set; } = "";

        [VectorType]
        public string[] Names { get; set; } = [];
    }

    public sealed class FrameRow
    {
        [VectorType(0, 2)]
        public float[] Sequence { get; set; } = [];

        public string Events { get; set; } = "";
    }

    /// <summary>Random A and T, with a stretch of G and C in it.</summary>
    public static List<Row> Dna(int count, int seed = 1, int shortest = 12, int longest = 40)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            var length = random.Next(shortest, longest);
            var (from, run) = (random.Next(length - 6), random.Next(3, 7));
            var letters = new char[length];
            var labels = new char[length];
            for (var i = 0; i < length; i++)
            {
                var inside = i >= from && i < from + run;
                letters[i] = inside ? "GC"[random.Next(2)] : "AT"[random.Next(2)];
                labels[i] = inside ? 'g' : '.';
            }
            return new Row { Sequence = new(letters), Letters = new(labels), Names = [.. labels.Select(l => l.ToString())] };
        })];
    }

    /// <summary>Words with capitals are names, others not.</summary>
    public static List<TextRow> Sentences(int count, int seed = 1)
    {
        var random = new Random(seed);
        string[] words = ["the", "Ann", "goes", "Bob", "naïve", "to", "Zoë", "home"];
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            var chosen = Enumerable.Range(0, random.Next(1, 9)).Select(_ => words[random.Next(words.Length)]).ToArray();
            var labels = chosen.Select(w => char.IsUpper(w[0]) ? "NAME" : "WORD").ToArray();
            return new TextRow { Sequence = string.Join(" ", chosen), Words = string.Join(' ', labels), Names = labels };
        })];
    }

    /// <summary>Frames every 10 ms whose first value is high during an event.</summary>
    public static List<FrameRow> Recordings(int count, int seed = 1, int shortest = 20, int longest = 60)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            var length = random.Next(shortest, longest);
            var (from, to) = (random.Next(5), random.Next(8, 15));
            var frames = new float[2 * length];
            for (var i = 0; i < length; i++)
                (frames[2 * i], frames[(2 * i) + 1]) = (i >= from && i < to ? 1 : 0, (float)random.NextDouble());
            return new FrameRow { Sequence = frames, Events = FormattableString.Invariant($"{from / 100.0} {to / 100.0} call") };
        })];
    }

    /// <summary>Options with which Fit takes a fraction of a second.</summary>
    public static MambaTaggingTrainer.Options Options(string label, MambaTagUnit unit, Action<MambaTaggingTrainer.Options>? change = null)
    {
        var options = new MambaTaggingTrainer.Options
        {
            LabelColumnName = label,
            Unit = unit,
            FrameHop = unit == MambaTagUnit.Event ? 0.01 : 0,
            Model = new MambaConfig { DModel = 8, NLayer = 1, DState = 4 },
            Training = new MambaTrainingOptions { Epochs = 1, BatchSize = 16, Dropout = 0 },
            ScoringBatchSize = 16,
        };
        change?.Invoke(options);
        return options;
    }

    public static MambaTaggingTrainer Trainer(MLContext ml, string label, MambaTagUnit unit, Action<MambaTaggingTrainer.Options>? change = null) =>
        ml.SequenceTagging().Trainers.Mamba(Options(label, unit, change));

    /// <summary>The names as keys.</summary>
    public static IDataView WithKeys(MLContext ml, IDataView data) => ml.Transforms.Conversion.MapValueToKey("Keys", "Names").Fit(data).Transform(data);
}
