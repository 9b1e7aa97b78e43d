using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba;

/// <summary>A model of ML.NET with the column that takes a text and the column that holds its vector. Safe from any number of threads.</summary>
internal sealed class TextEmbedder
{
    private readonly ITransformer _model;
    private readonly IRowToRowMapper _mapper;
    private readonly DataViewSchema.Column _input;
    private readonly DataViewSchema.Column _output;
    private readonly SequenceTokenizer? _tokenizer;

    private TextEmbedder(ITransformer model, IRowToRowMapper mapper, DataViewSchema.Column input, DataViewSchema.Column output, SequenceTokenizer? tokenizer)
    {
        _model = model;
        _mapper = mapper;
        _input = input;
        _output = output;
        _tokenizer = tokenizer;
    }

    public int Dimensions => ((VectorDataViewType)_output.Type).Size;

    /// <summary>Finds the columns: those named, else the output of the last MambaEmbed and the one text that it depends on.</summary>
    /// <exception cref="ArgumentException">The model does not turn one text into one vector.</exception>
    public static TextEmbedder Create(ITransformer model, DataViewSchema schema, string? inputName, string? outputName)
    {
        if (!model.IsRowToRowMapper)
            throw Refused("the model has a step that does not work row by row; expected a vector for each text");
        var mapper = model.GetRowToRowMapper(schema);
        var embedding = EmbeddingStep.FindLast(model, schema);
        outputName ??= embedding?.OutputColumnName ?? throw Refused(
            "the model holds no fitted MambaEmbed; expected one, or OutputColumnName. The encoder of any Mamba model becomes an embedding by Transforms.MambaEmbed with Pretrained = MambaEncoder.Of(model)");
        var output = mapper.OutputSchema.GetColumnOrNull(outputName) ?? throw Refused(
            $"the model makes no column '{outputName}'; it has {Names(mapper.OutputSchema.Where(c => !c.IsHidden))}");
        if (output.Type is not VectorDataViewType { ItemType: NumberDataViewType { RawType: var raw } } vector || raw != typeof(float))
            throw Refused($"column '{outputName}' has type {output.Type}; expected a vector of Single");
        if (!vector.IsKnownSize)
            throw Refused($"column '{outputName}' has type {output.Type}: a vector per position; expected one per text. Fit MambaEmbed with PerPosition = false");

        var dependencies = mapper.GetDependencies([output]).DistinctBy(c => c.Index).ToArray();
        inputName ??= dependencies.Length == 1 ? dependencies[0].Name : throw Refused(
            $"column '{outputName}' is made from {(dependencies.Length == 0 ? "no column" : Names(dependencies))}; expected one column of text");
        var input = schema.GetColumnOrNull(inputName) ?? throw Refused(
            $"the model has no input column '{inputName}'; its input has {Names(schema.Where(c => !c.IsHidden))}");
        if (input.Type is not TextDataViewType)
            throw Refused($"input column '{inputName}' has type {input.Type}; expected text");
        if (dependencies.Where(c => c.Index != input.Index).ToArray() is { Length: > 0 } others)
            throw Refused($"column '{outputName}' is also made from {Names(others)}; expected it to need '{inputName}' alone");

        return new TextEmbedder(model, mapper, input, output, embedding is not null && embedding.Reads(input) ? embedding.Tokenizer : null);
    }

    /// <summary>Embeds the texts with these numbers.</summary>
    /// <exception cref="ArgumentException">A text cannot be read.</exception>
    public void Embed(string[] texts, int[] numbers, float[][] vectors)
    {
        var view = _model.Transform(new TextRows(_mapper.InputSchema, _input, Array.ConvertAll(numbers, n => texts[n])));
        var column = view.Schema[_output.Index];
        using var cursor = view.GetRowCursor([column]);
        var getter = cursor.GetGetter<VBuffer<float>>(column);
        VBuffer<float> value = default;
        foreach (var number in numbers)
        {
            if (!cursor.MoveNext())
                throw new InvalidOperationException($"{nameof(MambaEmbeddingGenerator)}: the model gave fewer rows than it was given.");
            getter(ref value);
            var vector = new float[Dimensions];
            value.CopyTo(vector);
            if (Array.Exists(vector, float.IsNaN))
                throw Unreadable(texts[number], number);
            vectors[number] = vector;
        }
    }

    /// <summary>The tokens of all texts together; null where the encoder does not read the texts as they are.</summary>
    public long? CountTokens(string[] texts) => _tokenizer is null ? null : texts.Sum(text => (long)_tokenizer.Encode(text).Length);

    /// <summary>A batch has missing values for what cannot be read; a row by itself says why.</summary>
    private ArgumentException Unreadable(string text, int number)
    {
        var what = $"{nameof(MambaEmbeddingGenerator)}: text {number} (from 0) has no embedding: ";
        try
        {
            var rows = new TextRows(_mapper.InputSchema, _input, [text]);
            using var cursor = rows.GetRowCursor([_input]);
            cursor.MoveNext();
            using var row = _mapper.GetRow(cursor, [_output]);
            VBuffer<float> value = default;
            row.GetGetter<VBuffer<float>>(_output)(ref value);
            return new ArgumentException(what + "the model gave values that are no numbers (NaN).", "values");
        }
        catch (Exception e) when (e is not ObjectDisposedException)
        {
            return new ArgumentException(what + (e.InnerException ?? e).Message, "values", e);
        }
    }

    private static string Names(IEnumerable<DataViewSchema.Column> columns) => string.Join(", ", columns.Select(c => $"'{c.Name}'"));

    private static ArgumentException Refused(string reason) => new($"{nameof(MambaEmbeddingGenerator)}: {reason}.", "model");

    /// <summary>A fitted MambaEmbed and the columns that stand before it in a chain.</summary>
    private sealed class EmbeddingStep(MambaEmbeddingTransformer transformer, DataViewSchema before)
    {
        private readonly DataViewSchema.Column _output = transformer.GetOutputSchema(before).Last();

        public string OutputColumnName => _output.Name;

        public SequenceTokenizer? Tokenizer => MambaEncoder.Of(transformer).Tokenizer;

        /// <summary>Whether what it reads is a column of the input, not what an earlier step made of it.</summary>
        public bool Reads(DataViewSchema.Column input) =>
            ((ITransformer)transformer).GetRowToRowMapper(before).GetDependencies([_output]).All(c => c.Index == input.Index);

        public static EmbeddingStep? FindLast(ITransformer model, DataViewSchema before)
        {
            if (model is MambaEmbeddingTransformer embedding)
                return new EmbeddingStep(embedding, before);
            EmbeddingStep? last = null;
            foreach (var step in model as IEnumerable<ITransformer> ?? [])
            {
                last = FindLast(step, before) ?? last;
                before = step.GetOutputSchema(before);
            }
            return last;
        }
    }
}
