using Microsoft.ML.Tokenizers;

namespace Microsoft.ML.Mamba.Tests.Data;

/// <summary>Whether an encoder that was learnt with one tokenizer can read the ids of another.</summary>
public sealed class TokenizerIdentityTests
{
    [Fact]
    public void What_unknown_letters_do_changes_no_id_of_DNA()
    {
        Assert.True(SequenceTokenizer.Dna.HasIdsOf(SequenceTokenizer.DnaWith(DnaUnknownPolicy.N)));
        Assert.False(SequenceTokenizer.Dna.HasIdsOf(SequenceTokenizer.Bytes));
    }

    [Fact]
    public void Two_files_of_one_kind_are_told_apart_by_their_content()
    {
        var (one, same, other) = (TinyTokenizer.With(), TinyTokenizer.With(), TinyTokenizer.With(TinyTokenizer.Added(273, "<m>")));

        Assert.True(one.HasIdsOf(same));
        Assert.False(one.HasIdsOf(other));
        Assert.False(one.HasIdsOf(SequenceTokenizer.Bytes));
        Assert.False(SequenceTokenizer.Bytes.HasIdsOf(one));
    }

    [Fact]
    public void A_tokenizer_of_the_package_is_itself_and_no_other()
    {
        static Tokenizer Package() => BpeTokenizer.Create(new BpeOptions(new Dictionary<string, int> { ["a"] = 0, ["b"] = 1 }));
        var package = Package();

        Assert.True(SequenceTokenizer.From(package, 2).HasIdsOf(SequenceTokenizer.From(package, 2)));
        Assert.False(SequenceTokenizer.From(package, 2).HasIdsOf(SequenceTokenizer.From(Package(), 2)));
    }
}
