using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

/// <summary>Columns of every type pass through the read-ahead unchanged.</summary>
[Collection(PipelineCollection.Name)]
public sealed class ColumnBufferTests(PipelineModels models)
{
    [Fact]
    public void Values_of_every_type_that_ML_NET_knows_pass_through()
    {
        var ml = models.Context;
        var source = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 100).Select(AllTypes.Of).ToList());
        var keys = ml.Transforms.Conversion.MapValueToKey("Key", nameof(AllTypes.Text))
            .Append(ml.Transforms.Text.TokenizeIntoWords("Words", nameof(AllTypes.Text)))
            .Append(ml.Transforms.Categorical.OneHotEncoding("Sparse", nameof(AllTypes.Text)))
            .Fit(source).Transform(source);
        var scored = models[PipelineTask.Multiclass].Transform(keys);

        var expected = RowValues.ReadAll(keys);
        var actual = RowValues.ReadAll(scored.GetRowCursor(scored.Schema));

        RowValues.AssertSame([.. expected.Select(r => r with { Values = [.. r.Values, null, null] })], actual);
    }

    [Fact]
    public void Sparse_vectors_stay_sparse()
    {
        var ml = models.Context;
        var source = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 40).Select(AllTypes.Of).ToList());
        var encoded = ml.Transforms.Categorical.OneHotEncoding("Sparse", nameof(AllTypes.Text)).Fit(source).Transform(source);
        var scored = models[PipelineTask.Multiclass].Transform(encoded);
        using var cursor = scored.GetRowCursor([scored.Schema["Sparse"], scored.Schema["Score"]]);
        var getter = cursor.GetGetter<VBuffer<float>>(scored.Schema["Sparse"]);
        VBuffer<float> value = default;

        for (var i = 0; cursor.MoveNext(); i++)
        {
            getter(ref value);
            Assert.False(value.IsDense);
            Assert.Equal(i % 7, Assert.Single(value.GetIndices().ToArray()));
        }
    }

    [Fact]
    public void Values_that_cannot_be_kept_are_read_from_the_input_row_by_row()
    {
        var ml = models.Context;
        var input = new WatchedView(new BorrowedView(models.Context.Data.LoadFromEnumerable(PipelineData.Rows(50))));
        var scored = models[PipelineTask.Multiclass].Transform(input);
        var expected = RowValues.ReadAll(models[PipelineTask.Multiclass].Transform(ml.Data.LoadFromEnumerable(PipelineData.Rows(50))));
        using var cursor = scored.GetRowCursor(scored.Schema);
        var borrowed = cursor.GetGetter<Borrowed>(scored.Schema["Borrowed"]);
        var score = cursor.GetGetter<VBuffer<float>>(scored.Schema["Score"]);
        Borrowed value = new();
        VBuffer<float> scores = default;

        for (var i = 0; i < 50; i++)
        {
            Assert.True(cursor.MoveNext());
            borrowed(ref value);
            score(ref scores);
            Assert.Equal(i, value.Position);
            Assert.Equal((float[])expected[i].Values[^1]!, scores.DenseValues(), (a, b) => Math.Abs(a - b) <= 1e-6f);
        }
        Assert.False(cursor.MoveNext());
        Assert.Single(input.Opened);
    }

    private sealed class AllTypes
    {
        public string Sequence { get; set; } = "";

        public string Text { get; set; } = "";

        public bool Boolean { get; set; }

        public byte Byte { get; set; }

        public sbyte SByte { get; set; }

        public short Int16 { get; set; }

        public ushort UInt16 { get; set; }

        public int Int32 { get; set; }

        public uint UInt32 { get; set; }

        public long Int64 { get; set; }

        public ulong UInt64 { get; set; }

        public float Single { get; set; }

        public double Double { get; set; }

        public DateTime DateTime { get; set; }

        public DateTimeOffset DateTimeOffset { get; set; }

        public TimeSpan TimeSpan { get; set; }

        public DataViewRowId RowId { get; set; }

        [VectorType(2)]
        public double[] Doubles { get; set; } = [];

        [VectorType]
        public string[] Texts { get; set; } = [];

        public static AllTypes Of(int i) => new()
        {
            Sequence = new string("ACGT"[i % 4], i % 9),
            Text = $"word{i % 7} and more",
            Boolean = i % 2 == 0,
            Byte = (byte)i,
            SByte = (sbyte)-i,
            Int16 = (short)-i,
            UInt16 = (ushort)i,
            Int32 = -i,
            UInt32 = (uint)i,
            Int64 = -i,
            UInt64 = (ulong)i,
            Single = i / 3f,
            Double = i / 3.0,
            DateTime = new DateTime(2020, 1, 1).AddDays(i),
            DateTimeOffset = new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.FromHours(1)).AddDays(i),
            TimeSpan = TimeSpan.FromSeconds(i),
            RowId = new DataViewRowId((ulong)i, 1),
            Doubles = [i, i + 0.25],
            Texts = [.. Enumerable.Range(0, i % 3).Select(k => $"{i}:{k}")],
        };
    }
}
