using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Tests.Support;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

/// <summary>Pipelines with models of both strands of DNA, from scratch and from a Caduceus.</summary>
public sealed class ReverseComplementTrainersTests
{
    private static readonly MambaConfig Model = new() { DModel = 8, NLayer = 2, DState = 4, ReverseComplement = MambaReverseComplement.Equivariant };

    private readonly MLContext _ml = new(seed: 3);

    [Theory]
    [InlineData(PipelineTask.Multiclass)]
    [InlineData(PipelineTask.Binary)]
    [InlineData(PipelineTask.Regression)]
    public void A_sequence_scores_as_its_reverse_complement_after_saving_too(PipelineTask task)
    {
        var rows = PipelineData.Rows(40);
        var model = PipelineModels.Trainer(_ml, task, o => o.Model = Model).Fit(PipelineData.View(_ml, task, rows));
        using var zip = new MemoryStream();
        _ml.Model.Save(model, PipelineData.View(_ml, task, rows).Schema, zip);
        zip.Position = 0;
        var loaded = _ml.Model.Load(zip, out _);

        var scores = Scores(model, rows.Select(r => r.Sequence));
        Assert.Equal(scores, Scores(loaded, rows.Select(r => r.Sequence)));
        AssertClose(scores, Scores(model, rows.Select(r => OtherStrand(r.Sequence))));
        Assert.True(scores.Distinct().Count() > rows.Count / 2);
        ((IDisposable)model).Dispose();
        (loaded as IDisposable)?.Dispose();
    }

    [Fact]
    public void A_trainer_does_what_ML_NET_tests_of_every_estimator()
    {
        var rows = PipelineData.Rows(40);
        var valid = PipelineData.View(_ml, PipelineTask.Binary, rows);
        var wrong = _ml.Transforms.CopyColumns("Sequence", "Label").Fit(valid).Transform(valid);

        new EstimatorContract(_ml, PipelineModels.Trainer(_ml, PipelineTask.Binary, o => o.Model = Model)).Check(valid, PipelineData.Unlabelled(_ml, rows), wrong, null);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Embeddings_learnt_without_labels_are_those_of_the_reverse_complement(bool perPosition)
    {
        var rows = PipelineData.Rows(40);
        using var model = _ml.Transforms.MambaEmbed(EmbeddingModels.Options(o => (o.Model, o.Tokenizer, o.PerPosition) = (Model, SequenceTokenizer.Dna, perPosition)))
            .Fit(_ml.Data.LoadFromEnumerable(rows));

        var vectors = Scores(model, rows.Select(r => r.Sequence), "Embedding");
        var others = Scores(model, rows.Select(r => OtherStrand(r.Sequence)), "Embedding");

        var at = 0;
        foreach (var row in rows)
        {
            var count = perPosition ? row.Sequence.Length : 1;
            for (var t = 0; t < count; t++)
                AssertClose(vectors.AsSpan((at + t) * 8, 8).ToArray(), others.AsSpan((at + count - 1 - t) * 8, 8).ToArray());
            at += count;
        }

        Assert.Equal(vectors.Length, at * 8);
    }

    [Fact]
    public void Masked_letters_are_told_apart_from_their_complements()
    {
        // A run of A and C only: a model that could not tell the strands would give half of its chance to T and G.
        var rows = Enumerable.Range(0, 64).Select(_ => new Text { Sequence = string.Concat(Enumerable.Range(0, 40).Select(i => i % 2 == 0 ? 'A' : 'C')) }).ToArray();
        using var model = _ml.Transforms.MambaEmbed(EmbeddingModels.Options(o =>
        {
            (o.Model, o.Tokenizer) = (Model, SequenceTokenizer.Dna);
            o.Training = new MambaTrainingOptions { Epochs = 30, BatchSize = 16, LearningRate = 1e-2, Dropout = 0 };
        })).Fit(_ml.Data.LoadFromEnumerable(rows));

        Assert.InRange(model.History.Epochs.Min(e => e.ValidationLoss!.Value), 0, 0.5 * Math.Log(2));
    }

    [Fact]
    public void A_tokenizer_without_complements_and_a_second_reading_of_the_strands_are_refused()
    {
        var data = PipelineData.View(_ml, PipelineTask.Binary, PipelineData.Rows(20));

        string Error(Action<MambaTrainerOptions> change) => Assert.ThrowsAny<ArgumentException>(
            () => PipelineModels.Trainer(_ml, PipelineTask.Binary, o => { o.Model = Model; change(o); }).Fit(data)).Message;

        Assert.Contains("ReverseComplement is Equivariant; it needs the complement of each id", Error(o => o.Tokenizer = SequenceTokenizer.Bytes));
        Assert.Contains("the trainer has the tokenizer 'bytes'", Error(o => o.Tokenizer = SequenceTokenizer.Bytes));
        Assert.Contains("the model reads both strands already", Error(o => o.Training.ReverseComplementAveraging = true));
    }

    [SkippableTheory]
    [InlineData("ph_tied")]
    [InlineData("ph_untied_multiply")]
    [InlineData("ps_fused")]
    [InlineData("ps_unfused")]
    public void A_Caduceus_embeds_and_is_fine_tuned_and_saved(string name)
    {
        var encoder = MambaEncoder.Load(SharedFolder.Path("golden", "caduceus", name));
        Assert.Same(SequenceTokenizer.Caduceus, encoder.Tokenizer);
        var rows = PipelineData.Rows(40);
        var both = encoder.Model.ReverseComplement != MambaReverseComplement.None;
        using var embedding = _ml.Transforms.MambaEmbed("Embedding", "Sequence", encoder).Fit(_ml.Data.LoadFromEnumerable(rows));
        var type = (VectorDataViewType)embedding.GetOutputSchema(_ml.Data.LoadFromEnumerable(rows).Schema)["Embedding"].Type;
        Assert.Equal(16, type.Size);

        var tuned = PipelineModels.Trainer(_ml, PipelineTask.Binary, o => (o.Tokenizer, o.Model, o.Pretrained) = (null, new MambaConfig(), encoder))
            .Fit(PipelineData.View(_ml, PipelineTask.Binary, rows));
        if (both)
        {
            AssertClose(Scores(embedding, rows.Select(r => r.Sequence), "Embedding"), Scores(embedding, rows.Select(r => OtherStrand(r.Sequence)), "Embedding"));
            AssertClose(Scores(tuned, rows.Select(r => r.Sequence)), Scores(tuned, rows.Select(r => OtherStrand(r.Sequence))));
        }

        var folder = Directory.CreateTempSubdirectory("caduceus").FullName;
        try
        {
            MambaEncoder.Of(tuned).SaveCheckpoint(folder);
            var saved = MambaCheckpoint.Load(folder);
            Assert.Equal(encoder.Model, saved.Config);
            using var again = _ml.Transforms.MambaEmbed("Embedding", "Sequence", MambaEncoder.Of(saved, SequenceTokenizer.Caduceus)).Fit(_ml.Data.LoadFromEnumerable(rows));
            using var direct = _ml.Transforms.MambaEmbed("Embedding", "Sequence", MambaEncoder.Of(tuned)).Fit(_ml.Data.LoadFromEnumerable(rows));
            Assert.Equal(Scores(direct, rows.Select(r => r.Sequence), "Embedding"), Scores(again, rows.Select(r => r.Sequence), "Embedding"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
            ((IDisposable)tuned).Dispose();
        }
    }

    private float[] Scores(ITransformer model, IEnumerable<string> sequences, string column = "Score")
    {
        var view = model.Transform(_ml.Data.LoadFromEnumerable(sequences.Select(s => new Text { Sequence = s })));
        return view.Schema[column].Type is VectorDataViewType
            ? [.. view.GetColumn<float[]>(column).SelectMany(v => v)]
            : [.. view.GetColumn<float>(column)];
    }

    private static void AssertClose(float[] want, float[] got)
    {
        Assert.Equal(want.Length, got.Length);
        for (var i = 0; i < want.Length; i++)
            Assert.Equal(want[i], got[i], 1e-6 * Math.Max(1, Math.Abs(want[i])));
    }

    private static string OtherStrand(string sequence) => string.Concat(sequence.Reverse().Select(c => c switch { 'A' => 'T', 'C' => 'G', 'G' => 'C', 'T' => 'A', _ => c }));

    private sealed class Text
    {
        public string Sequence { get; set; } = "";
    }
}
