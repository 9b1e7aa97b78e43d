using Microsoft.ML.Mamba.Data;

namespace Microsoft.ML.Mamba.Tests.Data;

public sealed class DnaAugmentationTests
{
    private static readonly SequenceTokenizer Dna = SequenceTokenizer.Dna;

    [Fact]
    public void The_reverse_complement_of_the_reverse_complement_is_the_sequence()
    {
        var ids = Dna.Encode("ACGTNNACCGT");
        var copy = ids.ToArray();

        DnaAugmentation.ReverseComplement(copy, Dna);
        Assert.Equal(Dna.Encode("ACGGTNNACGT"), copy);
        DnaAugmentation.ReverseComplement(copy, Dna);
        Assert.Equal(ids, copy);
    }

    [Fact]
    public void Half_of_the_rows_are_read_from_the_other_strand_within_their_length()
    {
        var batch = BatchOf("AACG", rows: 2000);

        DnaAugmentation.RandomStrands(batch, Dna, new Random(1));

        var rows = Enumerable.Range(0, batch.Rows).Select(i => string.Join(',', batch.Ids!.Skip(i * batch.Length).Take(batch.Length))).ToArray();
        Assert.InRange(rows.Count(r => r == "1,2,3,3,0"), 900, 1100);
        Assert.Equal(2000 - 1, rows.Count(r => r is "1,2,3,3,0" or "0,0,1,2,0"));
    }

    [Fact]
    public void Mutation_changes_the_share_of_letters_it_names_and_no_padding()
    {
        var batch = BatchOf("NNNN", rows: 5000);

        DnaAugmentation.Mutate(batch, Dna, 0.1, new Random(2));

        var letters = batch.Ids!.Chunk(5).SkipLast(1).SelectMany(row => row.Take(4)).ToArray();
        Assert.InRange(letters.Count(id => id != 4), 1850, 2150);
        Assert.All(Enumerable.Range(0, 4), letter => Assert.InRange(letters.Count(id => id == letter), 400, 600));
        Assert.All(batch.Ids!.Chunk(5).SkipLast(1), row => Assert.Equal(0, row[4]));
    }

    [Fact]
    public void A_rate_of_zero_changes_nothing()
    {
        var batch = BatchOf("ACGT", rows: 10);
        var before = batch.Ids!.ToArray();

        DnaAugmentation.Mutate(batch, Dna, 0, new Random(3));

        Assert.Equal(before, batch.Ids!);
    }

    // One longer row at the end makes one position of padding in all others.
    private static PaddedBatch BatchOf(string letters, int rows)
    {
        var set = SequenceSet.OfIds();
        for (var row = 0; row < rows - 1; row++)
        {
            set.AddIds(Dna.Encode(letters), 0);
        }
        set.AddIds(Dna.Encode(letters + "A"), 0);
        return PaddedBatch.Gather(set, Enumerable.Range(0, rows).ToArray());
    }
}
