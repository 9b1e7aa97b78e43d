using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Microsoft.ML.Mamba;

/// <summary>
/// Nucleotides in the order A, C, G, T and U, N and the ambiguity codes (IUPAC-IUB nomenclature, 1984), from 0 or, as Caduceus has
/// them, from 7 behind special tokens. The order makes a letter and its complement lie as far from the two ends of A to T.
/// </summary>
internal sealed class DnaTokenizer : SequenceTokenizer
{
    internal const string TokenizerName = "dna";
    internal const string CaduceusName = "caduceus";
    private const int CaduceusFirst = 7;
    private const int CaduceusUnknown = 6;
    private const string Accepted = "A C G T U N and the IUPAC codes R Y S W K M B D H V (read as N), in upper or lower case";
    private const string Letters = "ACGTN";
    private const int LetterN = 4;
    private const sbyte NotALetter = -1;

    private static readonly sbyte[] IdOfAscii = BuildTable();

    private readonly DnaUnknownPolicy _unknown;

    /// <summary>The id of A.</summary>
    private readonly int _first;

    /// <summary>What else than nucleotides is read as, unless it is an error.</summary>
    private readonly int _unknownId;

    internal DnaTokenizer(DnaUnknownPolicy unknown)
        : this(TokenizerName, unknown, 0, LetterN)
    {
    }

    private DnaTokenizer(string name, DnaUnknownPolicy unknown, int first, int unknownId) => (Name, _unknown, _first, _unknownId) = (name, unknown, first, unknownId);

    public override string Name { get; }

    public override int VocabSize => _first + Letters.Length;

    internal override bool HasComplement => true;

    internal override int MutationLetters => 4;

    internal override int FirstMutationLetter => _first;

    internal static DnaTokenizer OfCaduceus() => new(CaduceusName, DnaUnknownPolicy.N, CaduceusFirst, CaduceusUnknown);

    internal override bool ReadsLetterByLetter => true;

    public override string Decode(ReadOnlySpan<int> ids)
    {
        var text = new StringBuilder(ids.Length);
        foreach (var id in ids)
        {
            if ((uint)(id - _first) < (uint)Letters.Length)
            {
                text.Append(Letters[id - _first]);
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
                target[i] = _unknownId;
                continue;
            }
            target[i] = _first + id;
        }
    }

    internal override int Complement(int id) => (uint)(id - _first) < LetterN ? (2 * _first) + 3 - id : id;

    private protected override void WriteSettings(Utf8JsonWriter json) => json.WriteString("unknown", _unknown.ToString());

    private static sbyte[] BuildTable()
    {
        var table = new sbyte[128];
        Array.Fill(table, NotALetter);
        foreach (var (letters, id) in new (string, sbyte)[] { ("A", 0), ("C", 1), ("G", 2), ("TU", 3), ("NRYSWKMBDHV", LetterN) })
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
