using System.Reflection;
using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba;

/// <content>Where the model comes from.</content>
public sealed partial class MambaEmbeddingGenerator
{
    private const int DefaultBatchSize = 64;

    /// <summary>The generator of a saved ML.NET model: a fitted MambaEmbed alone, or a chain of steps with one in it.</summary>
    /// <param name="path">The zip that <c>ml.Model.Save</c> wrote.</param>
    /// <param name="options">Columns and id. Null: found in the model.</param>
    /// <returns>The generator; it owns the model.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is no ML.NET model, or a damaged one.</exception>
    /// <exception cref="ArgumentException">The model does not turn one text into one vector; the message says what it does.</exception>
    public static MambaEmbeddingGenerator FromModel(string path, ModelOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (!File.Exists(path))
            throw new FileNotFoundException($"{nameof(MambaEmbeddingGenerator)}: there is no model file {path}.", path);
        using var stream = File.OpenRead(path);
        return Load(stream, path, options, Path.GetFileNameWithoutExtension(path));
    }

    /// <summary>As <see cref="FromModel(string, ModelOptions?)"/>, from a stream that can seek; it is left open and not needed any longer.</summary>
    /// <param name="stream">The zip that <c>ml.Model.Save</c> wrote.</param>
    /// <param name="options">Columns and id. Null: found in the model, no id.</param>
    /// <returns>The generator; it owns the model.</returns>
    /// <exception cref="InvalidDataException">The stream holds no ML.NET model, or a damaged one.</exception>
    /// <exception cref="ArgumentException">The model does not turn one text into one vector; the message says what it does.</exception>
    public static MambaEmbeddingGenerator FromModel(Stream stream, ModelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return Load(stream, "the stream", options, modelId: null);
    }

    /// <summary>The generator of a fitted model that is there already.</summary>
    /// <param name="model">A fitted MambaEmbed, or a chain with one in it, all of its steps row by row. It stays the caller's: do not dispose it before the generator's last use.</param>
    /// <param name="inputSchema">The columns that the model was fitted on, as for <c>ml.Model.Save</c>.</param>
    /// <param name="options">Columns and id. Null: found in the model, no id.</param>
    /// <returns>The generator.</returns>
    /// <exception cref="ArgumentException">The model does not turn one text into one vector; the message says what it does.</exception>
    public static MambaEmbeddingGenerator FromTransformer(ITransformer model, DataViewSchema inputSchema, ModelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(inputSchema);
        return Create(model, inputSchema, options ?? new ModelOptions(), modelId: null, ownedModel: null);
    }

    /// <summary>The generator of a checkpoint folder; the layouts that can be read: <see cref="MambaCheckpoint"/>.</summary>
    /// <param name="directory">The folder, with a tokenizer.json unless the options have a tokenizer. Read once, not needed any longer.</param>
    /// <param name="options">Which vector, tokenizer and id. Null: the mean of the final states.</param>
    /// <returns>The generator; it owns the model.</returns>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    /// <exception cref="FileNotFoundException">There is no tokenizer.json in it, and no tokenizer in the options.</exception>
    /// <exception cref="MambaCheckpointException">The files are not valid or do not fit each other; lists all that is wrong.</exception>
    /// <exception cref="FormatException">tokenizer.json is damaged, or of a kind that is not supported.</exception>
    /// <exception cref="ArgumentException">The options are out of range, or the tokenizer is not the checkpoint's.</exception>
    public static MambaEmbeddingGenerator FromCheckpoint(string directory, CheckpointOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        options ??= new CheckpointOptions();
        var encoder = options.Tokenizer is null ? MambaEncoder.Load(directory) : MambaEncoder.Of(MambaCheckpoint.Load(directory), options.Tokenizer);
        var file = Path.Combine(directory, "tokenizer.json");
        if (encoder.Tokenizer is null)
            throw new FileNotFoundException($"{nameof(MambaEmbeddingGenerator)}: there is no {file}, so texts cannot be read. Put the model's tokenizer.json there, or set {nameof(CheckpointOptions)}.{nameof(CheckpointOptions.Tokenizer)}.", file);

        var schema = TextRows.SchemaOf(ModelOptions.DefaultInputColumnName);
        var model = new MLContext().Transforms.MambaEmbed(new MambaEmbeddingEstimator.Options
        {
            InputColumnName = ModelOptions.DefaultInputColumnName,
            Pretrained = encoder,
            Pooling = options.Pooling,
            Layer = options.Layer,
            Normalize = options.Normalize,
            ScoringBatchSize = CheckedBatchSize(options.BatchSize),
        }).Fit(new TextRows(schema, schema[0], []));
        var columns = new ModelOptions { ModelId = options.ModelId, BatchSize = options.BatchSize };
        return Create(model, schema, columns, Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory))), ownedModel: model);
    }

    private static MambaEmbeddingGenerator Load(Stream stream, string name, ModelOptions? options, string? modelId)
    {
        options ??= new ModelOptions();
        ITransformer model;
        DataViewSchema? schema;
        try
        {
            model = new MLContext().Model.Load(stream, out schema);
        }
        catch (Exception e) when (e is InvalidDataException or FormatException or InvalidOperationException or TargetInvocationException)
        {
            // ML.NET wraps what a step says about its files.
            throw new InvalidDataException($"{nameof(MambaEmbeddingGenerator)}: {name} is no ML.NET model that can be read: {e.GetBaseException().Message}", e);
        }

        try
        {
            // A model that was saved without a schema: one column of text is all that it could be given here.
            schema ??= TextRows.SchemaOf(options.InputColumnName ?? ModelOptions.DefaultInputColumnName);
            return Create(model, schema, options, modelId, model as IDisposable);
        }
        catch
        {
            (model as IDisposable)?.Dispose();
            throw;
        }
    }

    private static MambaEmbeddingGenerator Create(ITransformer model, DataViewSchema schema, ModelOptions options, string? modelId, IDisposable? ownedModel) =>
        new(TextEmbedder.Create(model, schema, options.InputColumnName, options.OutputColumnName), ownedModel, options.ModelId ?? modelId, CheckedBatchSize(options.BatchSize));

    private static int CheckedBatchSize(int batchSize) => batchSize >= 1 ? batchSize : throw new ArgumentOutOfRangeException(
        nameof(batchSize), batchSize, $"{nameof(MambaEmbeddingGenerator)}: BatchSize is {batchSize}; expected 1 or more.");

    /// <summary>How a model of ML.NET is used.</summary>
    public sealed class ModelOptions
    {
        internal const string DefaultInputColumnName = "Sequence";

        /// <summary>The id that embeddings and metadata carry. Null (default): the file's name without its extension, where there is a file.</summary>
        public string? ModelId { get; init; }

        /// <summary>The column of text that the texts go to. Null (default): the one that the embedding is made from.</summary>
        public string? InputColumnName { get; init; }

        /// <summary>The column of vectors of <see cref="float"/> to take. Null (default): the one that the (last) MambaEmbed makes.</summary>
        public string? OutputColumnName { get; init; }

        /// <summary>Texts per batch, after each of which cancellation is looked at. Default 64.</summary>
        public int BatchSize { get; init; } = DefaultBatchSize;
    }

    /// <summary>How a checkpoint is used.</summary>
    public sealed class CheckpointOptions
    {
        /// <summary>The id that embeddings and metadata carry. Null (default): the folder's name.</summary>
        public string? ModelId { get; init; }

        /// <summary>What makes the checkpoint's ids from text. Null (default): the folder's tokenizer.json.</summary>
        public SequenceTokenizer? Tokenizer { get; init; }

        /// <summary>How the states of all positions become one vector. Default <see cref="MambaPooling.Mean"/>; not <see cref="MambaPooling.Attention"/>.</summary>
        public MambaPooling Pooling { get; init; } = MambaPooling.Mean;

        /// <summary>The block, from 1, after which the residual stream is read. Null (default): the encoder's result.</summary>
        public int? Layer { get; init; }

        /// <summary>Whether each vector is scaled to length 1, so that products are cosines. Zeros stay zeros. Default false.</summary>
        public bool Normalize { get; init; }

        /// <summary>Texts per batch, after each of which cancellation is looked at. Default 64.</summary>
        public int BatchSize { get; init; } = DefaultBatchSize;
    }
}
