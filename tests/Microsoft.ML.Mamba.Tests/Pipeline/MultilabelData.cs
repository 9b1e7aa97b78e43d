using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

/// <summary>Rows of <see cref="PipelineData"/> with two tags each could have: "tata" where the motif is, and "long".</summary>
internal static class MultilabelData
{
    public static readonly string[] Tags = ["long", "other", "tata"];

    public sealed class Row
    {
        public string Sequence { get; set; } = "";

        public string Text { get; set; } = "";

        [VectorType(3)]
        public bool[] Flags { get; set; } = [];

        [VectorType(3)]
        public float[] Values { get; set; } = [];
    }

    public static List<Row> Rows(int count) => [.. PipelineData.Rows(count).Select((row, i) =>
    {
        bool[] has = [row.Sequence.Length > 20, i % 5 == 0, row.Flag];
        return new Row
        {
            Sequence = row.Sequence,
            Text = string.Join(" ; ", Tags.Where((_, tag) => has[tag])),
            Flags = has,
            Values = [.. has.Select(h => h ? 2f : 0f)],
        };
    })];

    public static MambaMultilabelTrainer Trainer(MLContext ml, string label, Action<MambaMultilabelTrainer.Options>? change = null) =>
        ml.MultilabelClassification().Trainers.Mamba(PipelineModels.Options<MambaMultilabelTrainer.Options>(o =>
        {
            (o.LabelColumnName, o.Separator) = (label, ';');
            change?.Invoke(o);
        }));
}
