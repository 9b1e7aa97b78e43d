using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

/// <summary>Small labelled DNA, the same on every machine: the label follows from which of two motifs a row has.</summary>
internal static class PipelineData
{
    private static readonly string[] Motifs = ["TATAAT", "GGGCGG", "CACGTG"];
    private static readonly string[] Names = ["tata", "gc", "ebox"];

    /// <summary>A row with labels of all three tasks and columns that are only passed through.</summary>
    public sealed class Row
    {
        public string Id { get; set; } = "";

        public string Sequence { get; set; } = "";

        public string Class { get; set; } = "";

        public bool Flag { get; set; }

        public float Value { get; set; }

        [VectorType]
        public float[] Extra { get; set; } = [];

        public DateTime When { get; set; }
    }

    public static List<Row> Rows(int count, int seed = 1)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i => Row_(i, random))];
    }

    /// <summary>The rows with "Label" as the task wants it.</summary>
    public static IDataView View(MLContext ml, PipelineTask task, IEnumerable<Row> rows) =>
        Label(ml, task).Fit(ml.Data.LoadFromEnumerable(Rows(60))).Transform(ml.Data.LoadFromEnumerable(rows));

    /// <summary>The rows as <see cref="View"/> has them, without labels.</summary>
    public static IDataView Unlabelled(MLContext ml, IEnumerable<Row> rows) =>
        ml.Transforms.DropColumns(nameof(Row.Class), nameof(Row.Flag), nameof(Row.Value)).Fit(ml.Data.LoadFromEnumerable(rows)).Transform(ml.Data.LoadFromEnumerable(rows));

    private static IEstimator<ITransformer> Label(MLContext ml, PipelineTask task) => task switch
    {
        PipelineTask.Multiclass => ml.Transforms.Conversion.MapValueToKey("Label", nameof(Row.Class)),
        PipelineTask.Binary => ml.Transforms.CopyColumns("Label", nameof(Row.Flag)),
        _ => ml.Transforms.CopyColumns("Label", nameof(Row.Value)),
    };

    private static Row Row_(int index, Random random)
    {
        var letters = new string([.. Enumerable.Range(0, random.Next(8, 24)).Select(_ => "ACGT"[random.Next(4)])]);
        var kind = index % 3;
        return new Row
        {
            Id = $"row{index}",
            Sequence = letters.Insert(random.Next(letters.Length), Motifs[kind]),
            Class = Names[kind],
            Flag = kind == 0,
            Value = kind + (letters.Length / 100f),
            Extra = [.. Enumerable.Range(0, index % 4).Select(i => i + 0.5f)],
            When = new DateTime(2024, 1, 1).AddMinutes(index),
        };
    }
}

/// <summary>Which of the three trainers.</summary>
public enum PipelineTask
{
    /// <summary>One of K labels.</summary>
    Multiclass,

    /// <summary>Yes or no.</summary>
    Binary,

    /// <summary>A number.</summary>
    Regression,
}
