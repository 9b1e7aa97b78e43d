using System.Text;

namespace Microsoft.ML.Mamba;

/// <summary>Writing a tokenizer.json.</summary>
public abstract partial class SequenceTokenizer
{
    /// <summary>
    /// Writes the tokenizer as a Hugging Face <c>tokenizer.json</c>, which <see cref="FromFile(string)"/> reads back to the same
    /// ids. The file appears whole or not at all, and takes the place of one that is there. Tokenizers of
    /// <see cref="LearnBytePairs"/>, <see cref="FromFile(string)"/> (its text as it was) and <see cref="FromStream"/> have one.
    /// </summary>
    /// <param name="path">The file; its folder exists.</param>
    /// <exception cref="NotSupportedException">The tokenizer is <see cref="Bytes"/>, <see cref="Dna"/>, <see cref="Caduceus"/> or of <see cref="From"/>.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var json = TokenizerFileText();
        var target = Path.GetFullPath(path);
        var beside = Path.Combine(Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}.{Guid.NewGuid():N}.tmp");
        try
        {
            using (var stream = new FileStream(beside, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
                stream.Write(Encoding.UTF8.GetBytes(json));
                stream.Flush(flushToDisk: true);
            }
            File.Move(beside, target, overwrite: true);
        }
        finally
        {
            File.Delete(beside);
        }
    }

    /// <summary>As <see cref="Save(string)"/>, to a stream that is left open.</summary>
    /// <param name="stream">Where the text goes, in UTF-8.</param>
    /// <exception cref="NotSupportedException">The tokenizer is <see cref="Bytes"/>, <see cref="Dna"/>, <see cref="Caduceus"/> or of <see cref="From"/>.</exception>
    public void Save(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        stream.Write(Encoding.UTF8.GetBytes(TokenizerFileText()));
    }

    private string TokenizerFileText() => this is BytePairTokenizer
        ? ToJson()
        : throw new NotSupportedException(
            $"SequenceTokenizer.Save: the tokenizer '{Name}' has no tokenizer.json; expected one of LearnBytePairs, FromFile or FromStream. "
            + "SequenceTokenizer.Bytes and .Dna are in the library and need no file, and a model is saved with them; Microsoft.ML.Tokenizers has no way to write its own.");
}
