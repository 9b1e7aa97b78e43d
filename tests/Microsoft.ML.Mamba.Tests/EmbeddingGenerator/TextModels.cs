using Microsoft.ML.Mamba.Tests.Pipeline;

namespace Microsoft.ML.Mamba.Tests.EmbeddingGenerator;

/// <summary>Tiny embedding models of text, with more columns than the text.</summary>
internal sealed class TextModels
{
    /// <summary>Of very different lengths, and one of none.</summary>
    public static readonly string[] Texts =
        ["a text", "", "another, much longer text that goes on and on until it has said what it had to say", "x", "a text", "Größe: ½"];

    public TextModels() => Data = Ml.Data.LoadFromEnumerable(Texts.Select((text, i) => new Row { Label = i % 2 == 0 ? "even" : "odd", Sequence = text }));

    public MLContext Ml { get; } = new(seed: 1);

    public IDataView Data { get; }

    /// <summary>An embedding of bytes, learnt in a fraction of a second.</summary>
    public MambaEmbeddingEstimator Embed(Action<MambaEmbeddingEstimator.Options>? change = null) =>
        Ml.Transforms.MambaEmbed(EmbeddingModels.Options(o =>
        {
            o.Tokenizer = SequenceTokenizer.Bytes;
            change?.Invoke(o);
        }));

    /// <summary>What the model itself says of the texts.</summary>
    public float[][] Expected(ITransformer model) =>
        [.. Ml.Data.CreateEnumerable<EmbeddingModels.Embedded>(model.Transform(Data), reuseRowObject: false).Select(row => row.Embedding)];

    /// <summary>A step that hands texts on and tells of each; fitted.</summary>
    public ITransformer Watch(string from, string to, Action<string> seen) =>
        Ml.Transforms.CopyColumns("Watched", from)
            .Append(Ml.Transforms.CustomMapping<Watched, Handed>((row, result) =>
            {
                seen(row.Text);
                result.Text = row.Text;
            }, contractName: null, inputSchemaDefinition: Named<Watched>("Watched"), outputSchemaDefinition: Named<Handed>(to)))
            .Fit(Data);

    private static Microsoft.ML.Data.SchemaDefinition Named<T>(string column)
    {
        var schema = Microsoft.ML.Data.SchemaDefinition.Create(typeof(T));
        schema[0].ColumnName = column;
        return schema;
    }

    public sealed class Row
    {
        public string Label { get; set; } = "";

        public string Sequence { get; set; } = "";
    }

    private sealed class Watched
    {
        public string Text { get; set; } = "";
    }

    private sealed class Handed
    {
        public string Text { get; set; } = "";
    }
}
