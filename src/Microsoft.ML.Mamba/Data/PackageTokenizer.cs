using Microsoft.ML.Tokenizers;

namespace Microsoft.ML.Mamba;

/// <summary>Any tokenizer of Microsoft.ML.Tokenizers, as it is. There is no way to write one, so models with it stay in their process.</summary>
internal sealed class PackageTokenizer(Tokenizer tokenizer, int vocabSize) : SequenceTokenizer
{
    private readonly Tokenizer _tokenizer = tokenizer;

    public override string Name => _tokenizer.GetType().Name;

    public override int VocabSize => vocabSize;

    internal override string? CannotBeSavedBecause =>
        $"the model's tokenizer is a {_tokenizer.GetType().Name} of SequenceTokenizer.From, and Microsoft.ML.Tokenizers has no way to write one. "
        + "Train with SequenceTokenizer.FromFile(\"tokenizer.json\") if the model is to be saved; it is kept inside the model.";

    private protected override bool SpaceLeadsWord => true;

    public override string Decode(ReadOnlySpan<int> ids) => _tokenizer.Decode(ids.ToArray());

    internal override bool HasIdsOf(SequenceTokenizer other) => other is PackageTokenizer package && ReferenceEquals(package._tokenizer, _tokenizer);

    internal override void Encode(ReadOnlySpan<char> text, List<int> ids)
    {
        var encoded = _tokenizer.EncodeToIds(text);
        foreach (var id in encoded)
        {
            if ((uint)id >= (uint)vocabSize)
            {
                throw new InvalidOperationException(
                    $"SequenceTokenizer.From: {Name} gave the id {id}; expected ids below vocabSize = {vocabSize}. Give From a larger vocabSize.");
            }
        }
        ids.AddRange(encoded);
    }
}
