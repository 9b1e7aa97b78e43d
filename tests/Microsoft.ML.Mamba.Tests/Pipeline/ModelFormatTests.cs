using System.Globalization;
using System.Text;
using Microsoft.ML.Mamba.Tests.Support;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

[Collection(PipelineCollection.Name)]
public sealed class ModelFormatTests(PipelineModels models)
{
    [Theory]
    [InlineData(PipelineTask.Multiclass)]
    [InlineData(PipelineTask.Binary)]
    [InlineData(PipelineTask.Regression)]
    public void Saving_loading_and_saving_again_gives_the_same_bytes(PipelineTask task)
    {
        var first = ModelZip.Save(models.Context, models[task], Data(task).Schema);
        var loaded = first.Load(new MLContext());
        var second = ModelZip.Save(new MLContext(), loaded, Data(task).Schema);

        Assert.Equal(first.Entries.Keys, second.Entries.Keys);
        foreach (var (name, bytes) in first.Entries)
            Assert.True(bytes.AsSpan().SequenceEqual(second.Entries[name]), $"{name} differs");
        RowValues.AssertSame(RowValues.ReadAll(models[task].Transform(Data(task))), RowValues.ReadAll(loaded.Transform(Data(task))));
    }

    [Fact]
    public void The_folder_holds_a_header_and_files_that_other_tools_read()
    {
        var zip = ModelZip.Save(models.Context, models[PipelineTask.Multiclass], Data(PipelineTask.Multiclass).Schema);

        Assert.Equal(
            ["Schema", "TrainingInfo/Version.txt", "TransformerChain/Model.key", "TransformerChain/config.json", "TransformerChain/model.safetensors", "TransformerChain/tokenizer.json"],
            zip.Entries.Keys.Order(StringComparer.Ordinal));
        Assert.StartsWith("{", Encoding.UTF8.GetString(zip.Entries["TransformerChain/config.json"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fresh_process_loads_a_model_of_each_task_and_scores_the_same()
    {
        foreach (var task in Enum.GetValues<PipelineTask>())
        {
            var path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.zip");
            try
            {
                models.Context.Model.Save(models[task], Data(task).Schema, path);
                var outcome = await FreshProcess.Run(LoadAndScore, null, path, task.ToString());
                Assert.Equal(ScoreText(models[task], Data(task)), outcome.Success().ReplaceLineEndings("\n"));
            }
            finally
            {
                File.Delete(path);
            }
        }
    }

    [Fact]
    public void A_pipeline_with_a_model_in_it_is_saved_and_loaded_whole()
    {
        var ml = new MLContext(seed: 1);
        var source = ml.Data.LoadFromEnumerable(PipelineData.Rows(40));
        using var model = ml.Transforms.Conversion.MapValueToKey("Label", "Class")
            .Append(PipelineModels.Trainer(ml, PipelineTask.Multiclass))
            .Append(ml.Transforms.Conversion.MapKeyToValue("PredictedLabel"))
            .Fit(source);

        var loaded = ModelZip.Save(ml, model, source.Schema).Load(new MLContext());

        RowValues.AssertSame(RowValues.ReadAll(model.Transform(source)), RowValues.ReadAll(loaded.Transform(source)));
    }

    [Fact]
    public void The_history_and_the_architecture_are_saved_too()
    {
        using var loaded = (MambaMulticlassTransformer)ModelZip.Save(models.Context, models[PipelineTask.Multiclass], Data(PipelineTask.Multiclass).Schema).Load(new MLContext());
        var original = (MambaMulticlassTransformer)models[PipelineTask.Multiclass];

        Assert.Equal(original.Model, loaded.Model);
        Assert.Equal(original.History.Epochs, loaded.History.Epochs);
        Assert.Equal(original.History.ParameterCount, loaded.History.ParameterCount);
    }

    [Fact]
    public void Label_values_of_every_type_are_saved()
    {
        Check(i => i % 2 == 0);
        Check(i => (byte)i);
        Check(i => (sbyte)-i);
        Check(i => (short)-i);
        Check(i => (ushort)i);
        Check(i => -i);
        Check(i => (uint)i);
        Check(i => -(long)i);
        Check(i => (ulong)i);
        Check(i => i + 0.5f);
        Check(i => i + 0.25);
        Check(i => $"label {i} \u00e9\U0001F9EC");
        Check(i => new DateTime(2024, 5, 6).AddHours(i));
        Check(i => TimeSpan.FromMinutes(i));
        Check(i => new DateTimeOffset(2024, 5, 6, 7, 8, 9, TimeSpan.FromHours(-3)).AddHours(i));

        static void Check<T>(Func<int, T> label)
        {
            var ml = new MLContext(seed: 1);
            var source = ml.Data.LoadFromEnumerable(PipelineData.Rows(12).Select((r, i) => new LabelRow<T> { Sequence = r.Sequence, Raw = label(i % 3) }));
            var data = ml.Transforms.Conversion.MapValueToKey("Label", "Raw").Fit(source).Transform(source);
            using var model = (IDisposable)PipelineModels.Trainer(ml, PipelineTask.Multiclass).Fit(data);
            using var loaded = (IDisposable)ModelZip.Save(ml, (ITransformer)model, data.Schema).Load(new MLContext());

            var expected = ((ITransformer)model).GetOutputSchema(data.Schema);
            Assert.NotNull(expected["Score"].Annotations.Schema.GetColumnOrNull("TrainingLabelValues"));
            SchemaAssert.Same(expected, ((ITransformer)loaded).GetOutputSchema(data.Schema));
        }
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("tokenizer.json")]
    [InlineData("model.safetensors")]
    public void A_missing_file_is_named(string file)
    {
        var zip = Saved();
        zip.Entries.Remove($"TransformerChain/{file}");

        var error = Assert.IsType<FormatException>(zip.LoadError());

        Assert.Equal($"The model has no {file}.", error.Message);
    }

    [Fact]
    public void A_header_of_a_newer_version_is_refused_with_that_reason()
    {
        var zip = Saved();
        BitConverter.TryWriteBytes(zip.Entries["TransformerChain/Model.key"].AsSpan(72), 0x00020001);
        BitConverter.TryWriteBytes(zip.Entries["TransformerChain/Model.key"].AsSpan(76), 0x00020001);

        var error = Assert.IsType<FormatException>(zip.LoadError());

        Assert.Contains("the model is too new", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Settings_of_a_newer_version_are_refused_with_that_reason()
    {
        var zip = Saved();
        zip.Replace("config.json", "\"formatVersion\": 1", "\"formatVersion\": 2");

        var error = Assert.IsType<MambaCheckpointException>(zip.LoadError());

        Assert.Equal("config.json: the model was written by a newer version (format 2; this version reads up to 1). Update Microsoft.ML.Mamba.", error.Message);
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("tokenizer.json")]
    [InlineData("model.safetensors")]
    [InlineData("Model.key")]
    public void A_truncated_file_is_refused(string file)
    {
        for (var keep = 0; keep < 8; keep++)
        {
            var zip = Saved();
            var bytes = zip.Entries[$"TransformerChain/{file}"];
            zip.Entries[$"TransformerChain/{file}"] = bytes[..(bytes.Length * keep / 8)];

            AssertRefusal(zip.LoadError(), $"{file}, {keep}/8");
        }
    }

    [Fact]
    public void A_truncated_zip_is_refused()
    {
        using var stream = new MemoryStream();
        models.Context.Model.Save(models[PipelineTask.Multiclass], Data(PipelineTask.Multiclass).Schema, stream);
        var half = new MemoryStream(stream.ToArray()[..(int)(stream.Length / 2)]);

        Assert.ThrowsAny<FormatException>(() => new MLContext().Model.Load(half, out _));
    }

    [Fact]
    public void Files_of_two_models_do_not_pass_for_one()
    {
        var zip = Saved();
        var other = ModelZip.Save(models.Context, models[PipelineTask.Binary], Data(PipelineTask.Binary).Schema);
        zip.Entries["TransformerChain/config.json"] = other.Entries["TransformerChain/config.json"];
        zip.Entries["TransformerChain/model.safetensors"] = other.Entries["TransformerChain/model.safetensors"];

        Assert.Equal("config.json has 1 outputs, the header of the model 3.", zip.LoadError()!.Message);
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("tokenizer.json")]
    [InlineData("model.safetensors")]
    [InlineData("Model.key")]
    public void Altered_bytes_lead_to_a_refusal_or_to_a_model_and_to_nothing_worse(string file)
    {
        var random = new Random(1);
        var original = Saved();
        for (var i = 0; i < 60; i++)
        {
            var bytes = (byte[])original.Entries[$"TransformerChain/{file}"].Clone();
            var at = random.Next(Math.Min(bytes.Length, 1024));
            bytes[at] = (byte)random.Next(256);
            var zip = new ModelZip(original.Entries) { Entries = { [$"TransformerChain/{file}"] = bytes } };

            if (zip.LoadError() is { } error)
                AssertRefusal(error, $"{file}, byte {at} = {bytes[at]}");
        }
    }

    private static void LoadAndScore(string path, string task)
    {
        var ml = new MLContext();
        var loaded = ml.Model.Load(path, out _);
        Console.Write(ScoreText(loaded, PipelineData.View(ml, Enum.Parse<PipelineTask>(task), PipelineData.Rows(20, seed: 8))));
    }

    private static string ScoreText(ITransformer model, IDataView data) => string.Join('\n', RowValues.ReadAll(model.Transform(data))
        .Select(r => r.Values[^1] is float[] vector ? string.Join(' ', vector.Select(Text)) : Text((float)r.Values[^1]!)));

    private static string Text(float value) => value.ToString("F5", CultureInfo.InvariantCulture);

    // What a reader of damaged files may throw: ML.NET's decoding errors, ours, and those of the binary reader.
    private static void AssertRefusal(Exception? error, string what) =>
        Assert.True(error is FormatException or InvalidOperationException or IOException or ArgumentException or TypeLoadException or BadImageFormatException, $"{what}: {error?.ToString() ?? "was loaded"}");

    private ModelZip Saved() => ModelZip.Save(models.Context, models[PipelineTask.Multiclass], Data(PipelineTask.Multiclass).Schema);

    private IDataView Data(PipelineTask task) => PipelineData.View(models.Context, task, PipelineData.Rows(20, seed: 8));

    private sealed class LabelRow<T>
    {
        public string Sequence { get; set; } = "";

        public T Raw { get; set; } = default!;
    }
}
