using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Tests.Pipeline;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Tests.EmbeddingGenerator;

/// <summary>What a generator can be made of, and what is refused.</summary>
public sealed class GeneratorSourcesTests : IDisposable
{
    private readonly TextModels _models = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("mamba-generator-").FullName;

    private string ModelFile => Path.Combine(_folder, "my-model.zip");

    [Fact]
    public async Task A_saved_model_is_read_from_a_file_or_a_stream()
    {
        using var model = _models.Embed().Fit(_models.Data);
        var expected = _models.Expected(model);
        _models.Ml.Model.Save(model, _models.Data.Schema, ModelFile);

        using var fromFile = MambaEmbeddingGenerator.FromModel(ModelFile);
        using var file = File.OpenRead(ModelFile);
        using var fromStream = MambaEmbeddingGenerator.FromModel(file);

        MambaEmbeddingGeneratorTests.AssertSame(expected, await fromFile.GenerateAsync(TextModels.Texts));
        MambaEmbeddingGeneratorTests.AssertSame(expected, await fromStream.GenerateAsync(TextModels.Texts));
        Assert.Equal(("my-model", null), (fromFile.Metadata.DefaultModelId, fromStream.Metadata.DefaultModelId));
    }

    [Fact]
    public async Task A_classifier_on_embeddings_gives_the_embeddings_and_needs_no_labels()
    {
        using var chain = _models.Ml.Transforms.Conversion.MapValueToKey("Key", "Label")
            .Append(_models.Embed())
            .Append(_models.Ml.MulticlassClassification.Trainers.SdcaMaximumEntropy("Key", "Embedding"))
            .Fit(_models.Data);
        var expected = _models.Expected(chain);
        _models.Ml.Model.Save(chain, _models.Data.Schema, ModelFile);

        using var generator = MambaEmbeddingGenerator.FromModel(ModelFile);
        var embeddings = await generator.GenerateAsync(TextModels.Texts);

        MambaEmbeddingGeneratorTests.AssertSame(expected, embeddings);
        Assert.NotNull(embeddings.Usage);
    }

    [Fact]
    public async Task Steps_before_and_after_the_embedding_take_part_when_the_column_is_named()
    {
        using var chain = _models.Ml.Transforms.Text.NormalizeText("Lower", "Sequence")
            .Append(_models.Embed(o => (o.InputColumnName, o.OutputColumnName) = ("Lower", "Raw")))
            .Append(_models.Ml.Transforms.NormalizeLpNorm("Embedding", "Raw"))
            .Fit(_models.Data);

        using var generator = MambaEmbeddingGenerator.FromTransformer(chain, _models.Data.Schema, new() { OutputColumnName = "Embedding" });
        var embeddings = await generator.GenerateAsync(TextModels.Texts);

        MambaEmbeddingGeneratorTests.AssertSame(_models.Expected(chain), embeddings);
        Assert.Null(embeddings.Usage);
    }

    [Fact]
    public async Task A_model_that_was_saved_without_its_columns_takes_the_one_that_is_named()
    {
        using var model = _models.Embed(o => o.InputColumnName = "Label").Fit(_models.Data);
        _models.Ml.Model.Save(model, null, ModelFile);

        using var generator = MambaEmbeddingGenerator.FromModel(ModelFile, new() { InputColumnName = "Label" });

        Assert.Equal(8, (await generator.GenerateAsync(["even"]))[0].Vector.Length);
    }

    [Fact]
    public async Task A_checkpoint_folder_gives_encoder_and_tokenizer_and_is_not_needed_any_longer()
    {
        MambaEmbeddingGenerator generator;
        float[][] expected;
        using (var folder = new TemporaryCheckpoint())
        {
            generator = MambaEmbeddingGenerator.FromCheckpoint(folder.Path + Path.DirectorySeparatorChar, new() { Pooling = MambaPooling.Last, Normalize = true });
            using var model = _models.Ml.Transforms.MambaEmbed(new MambaEmbeddingEstimator.Options
            {
                Pretrained = MambaEncoder.Load(folder.Path),
                Pooling = MambaPooling.Last,
                Normalize = true,
            }).Fit(_models.Data);
            expected = _models.Expected(model);
            Assert.Equal(Path.GetFileName(folder.Path), generator.Metadata.DefaultModelId);
        }

        using (generator)
            MambaEmbeddingGeneratorTests.AssertSame(expected, await generator.GenerateAsync(TextModels.Texts));
    }

    [Fact]
    public async Task A_checkpoint_without_tokenizer_needs_one_in_the_options()
    {
        using var folder = new TemporaryCheckpoint();
        var tokenizer = SequenceTokenizer.FromFile(folder.TokenizerFile);
        File.Delete(folder.TokenizerFile);

        var error = Assert.Throws<FileNotFoundException>(() => MambaEmbeddingGenerator.FromCheckpoint(folder.Path));
        using var generator = MambaEmbeddingGenerator.FromCheckpoint(folder.Path, new() { Tokenizer = tokenizer, ModelId = "mine" });

        Assert.Contains("tokenizer.json, so texts cannot be read.", error.Message, StringComparison.Ordinal);
        Assert.Equal("mine", Assert.Single(await generator.GenerateAsync(["low"])).ModelId);
    }

    [Fact]
    public void An_owned_model_is_freed_with_the_generator()
    {
        using var model = _models.Embed().Fit(_models.Data);
        _models.Ml.Model.Save(model, _models.Data.Schema, ModelFile);
        var generator = MambaEmbeddingGenerator.FromModel(ModelFile);

        generator.Dispose();
        generator.Dispose();

        Assert.Throws<ObjectDisposedException>(() => { generator.GenerateAsync(["x"]).GetAwaiter().GetResult(); });
    }

    [Fact]
    public void A_model_with_a_vector_per_position_is_refused() =>
        AssertRefused(_models.Embed(o => o.PerPosition = true).Fit(_models.Data), "a vector per position; expected one per text. Fit MambaEmbed with PerPosition = false.");

    [Fact]
    public void A_model_that_embeds_nothing_is_refused() =>
        AssertRefused(_models.Ml.Transforms.Text.NormalizeText("Sequence").Fit(_models.Data), "the model holds no fitted MambaEmbed;");

    [Fact]
    public void A_model_of_ids_is_refused()
    {
        var data = _models.Ml.Data.LoadFromEnumerable(Enumerable.Range(0, 20).Select(i => new Ids { Sequence = [i % 4, 1, 2] }));
        using var model = _models.Embed(o => o.Tokenizer = null).Fit(data);

        AssertRefused(model, "input column 'Sequence' has type Vector<Int32, 3>; expected text", data.Schema);
    }

    [Fact]
    public void A_column_that_is_not_there_is_named_with_those_that_are()
    {
        using var model = _models.Embed().Fit(_models.Data);

        AssertRefused(model, "the model makes no column 'Vector'; it has 'Label', 'Sequence', 'Embedding'", options: new() { OutputColumnName = "Vector" });
        AssertRefused(model, "the model has no input column 'Text'; its input has 'Label', 'Sequence'", options: new() { InputColumnName = "Text" });
        AssertRefused(model, "column 'Embedding' is also made from 'Sequence'; expected it to need 'Label' alone", options: new() { InputColumnName = "Label" });
        AssertRefused(model, "column 'Label' has type String; expected a vector of Single", options: new() { OutputColumnName = "Label" });
    }

    [Fact]
    public void A_vector_that_is_made_from_two_columns_is_refused()
    {
        using var model = _models.Embed()
            .Append(_models.Embed(o => (o.InputColumnName, o.OutputColumnName) = ("Label", "Second")))
            .Append(_models.Ml.Transforms.Concatenate("Both", "Embedding", "Second"))
            .Fit(_models.Data);

        AssertRefused(model, "column 'Both' is made from 'Label', 'Sequence'; expected one column of text", options: new() { OutputColumnName = "Both" });
    }

    [Fact]
    public void A_model_with_a_step_that_does_not_work_row_by_row_is_refused()
    {
        using var embed = _models.Embed().Fit(_models.Data);

        AssertRefused(new TransformerChain<ITransformer>(new FirstRows(_models.Ml), embed), "the model has a step that does not work row by row");
    }

    [Fact]
    public void A_batch_of_no_texts_is_refused()
    {
        using var model = _models.Embed().Fit(_models.Data);

        var error = Assert.Throws<ArgumentOutOfRangeException>(() => MambaEmbeddingGenerator.FromTransformer(model, _models.Data.Schema, new() { BatchSize = 0 }));

        Assert.Contains("BatchSize is 0; expected 1 or more.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_and_damaged_files_are_named()
    {
        Assert.Contains(ModelFile, Assert.Throws<FileNotFoundException>(() => MambaEmbeddingGenerator.FromModel(ModelFile)).Message, StringComparison.Ordinal);
        Assert.Throws<DirectoryNotFoundException>(() => MambaEmbeddingGenerator.FromCheckpoint(Path.Combine(_folder, "nowhere")));

        File.WriteAllText(ModelFile, "not a zip");
        Assert.Contains($"{ModelFile} is no ML.NET model", Assert.Throws<InvalidDataException>(() => MambaEmbeddingGenerator.FromModel(ModelFile)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_whose_weights_are_damaged_says_what_is_wrong_with_them()
    {
        using var model = _models.Embed().Fit(_models.Data);
        _models.Ml.Model.Save(model, _models.Data.Schema, ModelFile);
        using (var archive = System.IO.Compression.ZipFile.Open(ModelFile, System.IO.Compression.ZipArchiveMode.Update))
        {
            var entry = archive.Entries.Single(e => e.Name == "model.safetensors");
            using var stream = entry.Open();
            stream.SetLength(5);
        }

        var error = Assert.Throws<InvalidDataException>(() => MambaEmbeddingGenerator.FromModel(ModelFile));

        Assert.Contains("model.safetensors", error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private void AssertRefused(ITransformer model, string reason, DataViewSchema? schema = null, MambaEmbeddingGenerator.ModelOptions? options = null)
    {
        var error = Assert.Throws<ArgumentException>(() => MambaEmbeddingGenerator.FromTransformer(model, schema ?? _models.Data.Schema, options));
        Assert.Contains("MambaEmbeddingGenerator: ", error.Message, StringComparison.Ordinal);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        (model as IDisposable)?.Dispose();
    }

    private sealed class Ids
    {
        [VectorType(3)]
        public int[] Sequence { get; set; } = [];
    }

    /// <summary>A step that leaves rows out.</summary>
    private sealed class FirstRows(MLContext ml) : ITransformer
    {
        public bool IsRowToRowMapper => false;

        public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => inputSchema;

        public IDataView Transform(IDataView input) => ml.Data.TakeRows(input, 1);

        public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => throw new NotSupportedException();

        void ICanSaveModel.Save(ModelSaveContext ctx) => throw new NotSupportedException();
    }
}
