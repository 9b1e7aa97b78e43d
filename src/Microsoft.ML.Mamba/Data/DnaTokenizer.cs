using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Microsoft.ML.Mamba;

/// <summary>
/// Nucleotides: A = 0, C = 1, G = 2, T and U = 3, N and the ambiguity codes = 4 (IUPAC-IUB nomenclature, 1984). The order
/// makes the complement of a letter three less its id.
/// </summary>
internal sealed class DnaTokenizer : SequenceTokenizer
{
    internal const string TokenizerName = "dna";
    private const string Accepted = "A C G T U N and the IUPAC codes R Y S W K M B D H V (read as N), in upper or lower case";
    private const string Letters = "ACGTN";
    private const int UnknownNucleotide = 4;
    private const sbyte NotALetter = -1;

    private static readonly sbyte[] IdOfAscii = BuildTable();

    private readonly DnaUnknownPolicy _unknown;

    internal DnaTokenizer(DnaUnknownPolicy unknown) => _unknown = unknown;

    public override string Name => TokenizerName;

    public override int VocabSize => 5;

    internal override bool HasComplement => true;

    internal override int MutationLetters => 4;

    public override string Decode(ReadOnlySpan<int> ids)
    {
        var text = new StringBuilder(ids.Length);
        foreach (var id in ids)
        {
            if ((uint)id < (uint)Letters.Length)
            {
                text.Append(Letters[id]);
            }
        }
        return text.ToString();
    }

    internal override void Encode(ReadOnlySpan<char> text, List<int> ids)
    {
        var start = ids.Count;
        CollectionsMarshal.SetCount(ids, start + text.Length);
        var target = CollectionsMarshal.AsSpan(ids)[start..];
        var table = IdOfAscii;
        for (var i = 0; i < text.Length; i++)
        {
            var character = text[i];
            int id = character < table.Length ? table[character] : NotALetter;
            if (id < 0)
            {
                if (_unknown == DnaUnknownPolicy.Throw)
                {
                    CollectionsMarshal.SetCount(ids, start);
                    ThrowUnknown(character, i);
                }
                id = UnknownNucleotide;
            }
            target[i] = id;
        }
    }

    internal override int Complement(int id) => id < UnknownNucleotide ? 3 - id : id;

    private protected override void WriteSettings(Utf8JsonWriter json) => json.WriteString("unknown", _unknown.ToString());

    private static sbyte[] BuildTable()
    {
        var table = new sbyte[128];
        Array.Fill(table, NotALetter);
        foreach (var (letters, id) in new (string, sbyte)[] { ("A", 0), ("C", 1), ("G", 2), ("TU", 3), ("NRYSWKMBDHV", UnknownNucleotide) })
        {
            foreach (var letter in letters)
            {
                table[letter] = id;
                table[char.ToLowerInvariant(letter)] = id;
            }
        }
        return table;
    }

    [DoesNotReturn]
    private static void ThrowUnknown(char character, int position)
    {
        var shown = char.IsControl(character) || char.IsSurrogate(character) || char.IsWhiteSpace(character)
            ? $"U+{(int)character:X4}"
            : $"'{character}'";
        throw new SequenceTokenizationException(
            $"SequenceTokenizer.Dna: {shown} at position {position} is no nucleotide; accepted are {Accepted}. "
            + "To read anything else as N, use SequenceTokenizer.DnaWith(DnaUnknownPolicy.N).",
            character,
            position,
            Accepted);
    }
}
