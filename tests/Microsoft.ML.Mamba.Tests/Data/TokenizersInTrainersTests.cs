using System.Collections.Concurrent;
using System.Text;
using Microsoft.ML.Mamba.Tests.Pipeline;
using Microsoft.ML.Tokenizers;

namespace Microsoft.ML.Mamba.Tests.Data;

/// <summary>Tokenizers of files and of the package in a trainer: fit, score, save, load.</summary>
public sealed class TokenizersInTrainersTests
{
    private readonly MLContext _ml = new(seed: 1);
    private readonly IDataView _data;

    public TokenizersInTrainersTests() => _data = PipelineData.View(_ml, PipelineTask.Multiclass, PipelineData.Rows(60));

    [Fact]
    public void A_model_keeps_the_text_of_its_tokenizer_file_and_scores_the_same_when_loaded()
    {
        var file = TinyTokenizer.Bytes(TinyTokenizer.Tree(TinyTokenizer.Added(273, "TATAAT")));
        var model = PipelineModels.Trainer(_ml, PipelineTask.Multiclass, o => o.Tokenizer = SequenceTokenizer.FromStream(new MemoryStream(file))).Fit(_data);
        var zip = ModelZip.Save(_ml, model, _data.Schema);
        var loaded = zip.Load(new MLContext());

        Assert.Equal(274, ((MambaMulticlassTransformer)loaded).Model.VocabSize);
        Assert.Equal(Encoding.UTF8.GetString(file), Encoding.UTF8.GetString(zip.Entries["TransformerChain/tokenizer.json"]));
        RowValues.AssertSame(RowValues.ReadAll(model.Transform(_data)), RowValues.ReadAll(loaded.Transform(_data)));
    }

    [Fact]
    public void A_learnt_tokenizer_is_in_the_model_file_and_scores_the_same_when_loaded()
    {
        var tokenizer = SequenceTokenizer.LearnBytePairs(PipelineData.Rows(60).Select(row => row.Sequence), 300);
        var model = PipelineModels.Trainer(_ml, PipelineTask.Multiclass, o => o.Tokenizer = tokenizer).Fit(_data);
        var zip = ModelZip.Save(_ml, model, _data.Schema);
        var loaded = zip.Load(new MLContext());

        Assert.Equal(tokenizer.VocabSize, ((MambaMulticlassTransformer)loaded).Model.VocabSize);
        Assert.Equal(tokenizer.ToJson(), Encoding.UTF8.GetString(zip.Entries["TransformerChain/tokenizer.json"]));
        RowValues.AssertSame(RowValues.ReadAll(model.Transform(_data)), RowValues.ReadAll(loaded.Transform(_data)));
    }

    [Fact]
    public void A_tokenizer_of_the_package_trains_and_scores_with_a_warning_and_cannot_be_saved()
    {
        var log = new ConcurrentQueue<string>();
        _ml.Log += (_, line) => log.Enqueue(line.Message);
        var tokenizer = SequenceTokenizer.From(Package(), 256);
        var model = PipelineModels.Trainer(_ml, PipelineTask.Multiclass, o => o.Tokenizer = tokenizer).Fit(_data);

        Assert.Equal(60, RowValues.ReadAll(model.Transform(_data)).Count);
        Assert.Contains(log, line => line.Contains("it cannot be saved: the model's tokenizer is a BpeTokenizer", StringComparison.Ordinal));
        var error = Assert.Throws<NotSupportedException>(() => _ml.Model.Save(model, _data.Schema, new MemoryStream()));
        Assert.Contains("SequenceTokenizer.FromFile(\"tokenizer.json\")", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Ids_and_text_of_a_package_tokenizer_are_its_own_and_checked_against_the_size()
    {
        var tokenizer = SequenceTokenizer.From(Package(), 256);

        Assert.Equal(['t', 'h', 'e'], tokenizer.Encode("the"));
        Assert.Equal("the", tokenizer.Decode(tokenizer.Encode("the")));
        Assert.Equal(nameof(BpeTokenizer), tokenizer.Name);
        var error = Assert.Throws<InvalidOperationException>(() => SequenceTokenizer.From(Package(), 110).Encode("the"));
        Assert.Contains("gave the id 116; expected ids below vocabSize = 110", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => SequenceTokenizer.From(Package(), 0));
    }

    private static BpeTokenizer Package() =>
        BpeTokenizer.Create(new BpeOptions(Enumerable.Range(0, 256).Select(i => KeyValuePair.Create(Microsoft.ML.Mamba.Data.ByteLevelAlphabet.ToChar((byte)i).ToString(), i))) { ByteLevel = true });
}
