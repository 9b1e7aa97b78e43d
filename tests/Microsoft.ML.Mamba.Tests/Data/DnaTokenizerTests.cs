using System.Globalization;

namespace Microsoft.ML.Mamba.Tests.Data;

public sealed class DnaTokenizerTests
{
    [Fact]
    public void Every_accepted_letter_has_its_id_in_upper_and_lower_case()
    {
        const string Letters = "ACGTUNRYSWKMBDHV";
        int[] expected = [0, 1, 2, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4];

        Assert.Equal(expected, SequenceTokenizer.Dna.Encode(Letters));
        Assert.Equal(expected, SequenceTokenizer.Dna.Encode(Letters.ToLower(CultureInfo.InvariantCulture)));
    }

    [Fact]
    public void Every_other_character_is_refused_by_name_and_position()
    {
        const string Accepted = "ACGTUNRYSWKMBDHVacgtunryswkmbdhv";
        for (var code = 0; code <= char.MaxValue; code++)
        {
            var character = (char)code;
            if (Accepted.Contains(character))
            {
                continue;
            }
            var error = Assert.Throws<SequenceTokenizationException>(() => SequenceTokenizer.Dna.Encode("AC" + character + "G"));
            Assert.Equal((character, 2), (error.Character, error.Position));
            if (code > 0x200)
            {
                code += 997;
            }
        }
    }

    [Fact]
    public void The_error_says_what_is_accepted_and_what_to_do()
    {
        var error = Assert.Throws<SequenceTokenizationException>(() => SequenceTokenizer.Dna.Encode("ACGX"));

        Assert.Equal(
            "SequenceTokenizer.Dna: 'X' at position 3 is no nucleotide; accepted are A C G T U N and the IUPAC codes R Y S W K M B D H V "
            + "(read as N), in upper or lower case. To read anything else as N, use SequenceTokenizer.DnaWith(DnaUnknownPolicy.N).",
            error.Message);
        Assert.Equal("A C G T U N and the IUPAC codes R Y S W K M B D H V (read as N), in upper or lower case", error.Accepted);
        Assert.StartsWith("SequenceTokenizer.Dna: U+000A at position 1", Assert.Throws<SequenceTokenizationException>(() => SequenceTokenizer.Dna.Encode("A\nC")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_error_leaves_the_list_as_it_was()
    {
        var ids = new List<int> { 7 };

        Assert.Throws<SequenceTokenizationException>(() => SequenceTokenizer.Dna.Encode("ACX", ids));

        Assert.Equal([7], ids);
    }

    [Fact]
    public void With_the_policy_N_anything_else_is_N()
    {
        Assert.Equal([0, 4, 4, 3, 4], SequenceTokenizer.DnaWith(DnaUnknownPolicy.N).Encode("AX-T\u00e9"));
    }

    [Fact]
    public void The_complement_pairs_A_with_T_and_C_with_G_and_leaves_N()
    {
        var dna = SequenceTokenizer.Dna;

        Assert.True(dna.HasComplement);
        Assert.Equal(dna.Encode("TGCAN"), dna.Encode("ACGTN").Select(dna.Complement));
    }

    [Fact]
    public void Empty_text_has_no_ids() => Assert.Empty(SequenceTokenizer.Dna.Encode(""));
}
