using System.IO.Compression;
using System.Text;
using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

/// <summary>LoadFromFasta as a view of ML.NET.</summary>
public sealed class FastaViewTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mamba-fasta-").FullName;
    private readonly MLContext _ml = new(seed: 1);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Records_become_rows()
    {
        var view = _ml.Data.LoadFromFasta(Write("a.fa", ">one first of two\nACGT\nNNAC\n\n>two\nacgt\n"));

        Assert.Equal(["Id", "Description", "Sequence"], view.Schema.Select(c => c.Name));
        Assert.All(view.Schema, c => Assert.IsType<TextDataViewType>(c.Type));
        Assert.Equal(["one", "two"], view.GetColumn<string>("Id"));
        Assert.Equal(["first of two", ""], view.GetColumn<string>("Description"));
        Assert.Equal(["ACGTNNAC", "acgt"], view.GetColumn<string>("Sequence"));
        Assert.False(view.CanShuffle);
        Assert.Null(view.GetRowCount());
    }

    [Fact]
    public void Windows_have_a_start()
    {
        var view = _ml.Data.LoadFromFasta(Write("a.fa", ">one\nACGTA\nCGTAC\n"), new FastaOptions { WindowLength = 4 });

        Assert.Equal(NumberDataViewType.Int64, view.Schema["Start"].Type);
        Assert.Equal(["ACGT", "ACGT", "AC"], view.GetColumn<string>("Sequence"));
        Assert.Equal([0, 4, 8], view.GetColumn<long>("Start"));
    }

    [Fact]
    public void FASTQ_has_qualities_of_the_same_windows()
    {
        var view = _ml.Data.LoadFromFasta(Write("a.fq", "@r1 x\nACGTA\n+\n!\"#$%\n@r2\nAC\n+r2\n@+\n"), new FastaOptions { WindowLength = 3, WindowStride = 2 });

        Assert.Equal(["Id", "Description", "Sequence", "Start", "Quality"], view.Schema.Select(c => c.Name));
        Assert.Equal(["ACG", "GTA", "AC"], view.GetColumn<string>("Sequence"));
        Assert.Equal(["!\"#", "#$%", "@+"], view.GetColumn<string>("Quality"));
        Assert.Equal(["r1", "r1", "r2"], view.GetColumn<string>("Id"));
    }

    [Fact]
    public void Several_files_follow_each_other_and_empty_ones_have_no_rows()
    {
        var view = _ml.Data.LoadFromFasta([Write("empty.fa", ""), Write("a.fa", ">a\nAC"), Write("blank.fa", "\n \r\n"), Write("b.fa", ">b\nGT")]);

        Assert.Equal(["a", "b"], view.GetColumn<string>("Id"));
        Assert.Empty(_ml.Data.LoadFromFasta(Write("none.fa", "")).GetColumn<string>("Id"));
    }

    [Fact]
    public void Cursors_do_not_disturb_each_other_and_have_the_same_ids()
    {
        var view = _ml.Data.LoadFromFasta(Write("a.fa", Many(200)));
        using var one = view.GetRowCursor(view.Schema);
        var all = RowValues.ReadAll(one);
        Assert.Equal(200, all.Select(r => r.Id).Distinct().Count());
        RowValues.AssertSame(all, RowValues.ReadAll(view.GetRowCursor(view.Schema, new Random(1))));

        using var first = view.GetRowCursor([view.Schema["Id"]]);
        using var second = view.GetRowCursor([view.Schema["Sequence"]]);
        var (id, sequence) = (first.GetGetter<ReadOnlyMemory<char>>(view.Schema["Id"]), second.GetGetter<ReadOnlyMemory<char>>(view.Schema["Sequence"]));
        ReadOnlyMemory<char> value = default;
        for (var i = 0; i < 200; i++)
        {
            Assert.True(first.MoveNext());
            Assert.True(second.MoveNext());
            id(ref value);
            Assert.Equal($"r{i}", value.ToString());
            sequence(ref value);
            Assert.Equal(i + 1, value.Length);
        }
        Assert.False(first.MoveNext());
        Assert.False(first.MoveNext());
        Assert.Equal(-1, first.Position);
        Assert.Single(view.GetRowCursorSet(view.Schema, 4));
    }

    [Fact]
    public void Inactive_columns_and_wrong_types_are_refused()
    {
        var view = _ml.Data.LoadFromFasta(Write("a.fa", ">a\nAC"));
        using var cursor = view.GetRowCursor([view.Schema["Id"]]);

        Assert.True(cursor.IsColumnActive(view.Schema["Id"]));
        Assert.False(cursor.IsColumnActive(view.Schema["Sequence"]));
        Assert.ThrowsAny<Exception>(() => cursor.GetGetter<ReadOnlyMemory<char>>(view.Schema["Sequence"]));
        Assert.ThrowsAny<Exception>(() => cursor.GetGetter<long>(view.Schema["Id"]));
        var getter = cursor.GetGetter<ReadOnlyMemory<char>>(view.Schema["Id"]);
        Assert.ThrowsAny<Exception>(() =>
        {
            ReadOnlyMemory<char> value = default;
            getter(ref value);
        });
    }

    [Fact]
    public void Texts_stay_what_they_were_when_the_cursor_moves_on()
    {
        var view = _ml.Data.LoadFromFasta(Write("a.fa", Many(3)));
        using var cursor = view.GetRowCursor(view.Schema);
        var getter = cursor.GetGetter<ReadOnlyMemory<char>>(view.Schema["Sequence"]);
        var values = new ReadOnlyMemory<char>[3];
        foreach (ref var value in values.AsSpan())
        {
            cursor.MoveNext();
            getter(ref value);
        }

        Assert.Equal([1, 2, 3], values.Select(v => v.Length));
        Assert.Equal("A", values[0].ToString());
    }

    [Fact]
    public void Memory_does_not_grow_with_the_file()
    {
        var path = Path.Combine(_folder, "long.fa.gz");
        const int Megabytes = 20;
        using (var gzip = new GZipStream(File.Create(path), CompressionLevel.Fastest))
        {
            gzip.Write(">chromosome\n"u8);
            var block = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("ACGTTGCA", 1 << 17)));
            for (var i = 0; i < Megabytes; i++)
                gzip.Write(block);
        }
        var view = _ml.Data.LoadFromFasta(path, new FastaOptions { WindowLength = 1 << 16 });
        using var cursor = view.GetRowCursor([view.Schema["Start"]]);
        Assert.True(cursor.MoveNext());
        var before = GC.GetAllocatedBytesForCurrentThread();
        var rows = 1;
        while (cursor.MoveNext())
            rows++;

        Assert.Equal(Megabytes * 16, rows);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Fact]
    public void Problems_are_named_when_the_view_is_made()
    {
        Assert.Contains("cannot be opened", Assert.Throws<MambaSequenceFileException>(() => _ml.Data.LoadFromFasta("/nowhere.fa")).Message, StringComparison.Ordinal);
        Assert.Contains("line 2: the file begins with 'A'; expected '>' or ';' (FASTA) or '@' (FASTQ).", Assert.Throws<MambaSequenceFileException>(() => _ml.Data.LoadFromFasta(Write("x", "\nACGT"))).Message, StringComparison.Ordinal);
        Assert.Contains("the file is FASTQ; expected FASTA", Assert.Throws<MambaSequenceFileException>(() => _ml.Data.LoadFromFasta([Write("a", ">a"), Write("b", "@a\nA\n+\nA")])).Message, StringComparison.Ordinal);
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => _ml.Data.LoadFromFasta(Write("a", ">a"), new FastaOptions { WindowLength = -1, WindowStride = -1, MaxSequenceLength = 0 }));
        foreach (var name in new[] { "WindowLength is -1", "WindowStride is -1", "MaxSequenceLength is 0" })
            Assert.Contains(name, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_trainer_learns_from_windows()
    {
        var data = _ml.Data.LoadFromFasta(Write("a.fa", Many(40)));
        var embed = _ml.Transforms.MambaEmbed(new MambaEmbeddingEstimator.Options
        {
            OutputColumnName = "Features", InputColumnName = "Sequence", Tokenizer = SequenceTokenizer.Dna,
            Model = new MambaConfig { DModel = 8, NLayer = 1 }, Training = new MambaTrainingOptions { MaxSteps = 2 },
        });

        using var model = embed.Fit(data);

        Assert.Equal(40, model.Transform(data).GetColumn<float[]>("Features").Count());
    }

    private static string Many(int count) => string.Concat(Enumerable.Range(0, count).Select(i => $">r{i} number {i}\n{new string('A', i + 1)}\n"));

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }
}
