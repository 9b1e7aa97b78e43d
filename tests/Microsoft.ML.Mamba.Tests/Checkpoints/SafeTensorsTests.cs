using System.Buffers.Binary;
using System.Text;
using Microsoft.ML.Mamba.Checkpoints;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Checkpoints;

public sealed class SafeTensorsTests
{
    [Fact]
    public void Tensors_come_back_with_the_same_bits()
    {
        using var scope = NewDisposeScope();
        var random = new Random(1);
        var written = new List<(string, Tensor)>
        {
            ("f32", RandomTensor.Single(random, 3, 5)),
            ("special", tensor(new[] { float.NaN, float.PositiveInfinity, -0f, float.Epsilon })),
            ("f64", RandomTensor.Of(random, 7)),
            ("bf16", RandomTensor.Single(random, 2, 3).to(bfloat16)),
            ("f16", RandomTensor.Single(random, 4).to(float16)),
            ("i64", tensor(new[] { long.MinValue, 0, long.MaxValue })),
            ("u8", tensor(new byte[] { 0, 255 })),
            ("scalar", tensor(2.5f)),
            ("empty", zeros(0, 4)),
            ("view", RandomTensor.Single(random, 4, 6).t()),
        };
        using var file = new MemoryStream();
        SafeTensors.Write(file, written, new Dictionary<string, string> { ["format"] = "pt" });
        file.Position = 0;

        var read = SafeTensors.Read(file, file.Length);

        Assert.Equal(written.Select(t => t.Item1).Order(), read.Keys.Order());
        foreach (var (name, value) in written)
            TensorAssert.BitEqual(value, read[name], name);
    }

    [Fact]
    public void Equal_tensors_give_equal_bytes_in_any_order()
    {
        using var scope = NewDisposeScope();
        var (a, b) = (ones(2), zeros(3));
        Assert.Equal(Bytes([("a", a), ("b", b)]), Bytes([("b", b), ("a", a)]));

        static byte[] Bytes((string, Tensor)[] tensors)
        {
            using var file = new MemoryStream();
            SafeTensors.Write(file, tensors);
            return file.ToArray();
        }
    }

    [SkippableFact]
    public void Files_of_the_reference_library_are_read()
    {
        var tensors = SafeTensors.Read(SharedFolder.Path("golden", "lm", "mamba1_tied_bf16", "hf", "model.safetensors"));
        Assert.Equal(bfloat16, tensors["backbone.embeddings.weight"].dtype);
        Assert.Equal([64, 32], tensors["backbone.embeddings.weight"].shape);
    }

    public static TheoryData<string, int, string> BadFiles() => new()
    {
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}", 8, "f: its header is not valid JSON: " },
        { "[1]", 0, "f: its header is a JSON Array; expected an object." },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "f: tensor 'a' is not described by dtype, shape and data_offsets." },
        { "{\"a\":3}", 8, "f: tensor 'a' is not described by dtype, shape and data_offsets." },
        { "{\"a\":{\"dtype\":\"Q4\",\"shape\":[2],\"data_offsets\":[0,8]}}", 8, "f: tensor 'a' has dtype 'Q4'; expected one of F64, F32, F16, BF16, I64, I32, I16, I8, U8, BOOL." },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[-2],\"data_offsets\":[0,8]}}", 8, "f: tensor 'a' has a shape of [-2]; expected integers ≥ 0." },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,8]}}", 8, "f: tensor 'a' has a shape of [1.5]; expected integers ≥ 0." },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,0]}}", 8, "f: tensor 'a' has data_offsets [8,0]; expected two integers 0 ≤ begin ≤ end." },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4,8]}}", 8, "f: tensor 'a' has data_offsets [0,4,8]; expected two integers 0 ≤ begin ≤ end." },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", 8, "f: tensor 'a' takes 8 bytes; expected 12 for F32 (3)." },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]}}", 8, "f: tensor 'a' has shape (4294967296, 4294967296), which is larger than any file." },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1099511627776],\"data_offsets\":[0,4398046511104]}}", 8, "f: tensor 'a' ends at byte 4398046511104 of the data; the file has 8. It is truncated, or altered." },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", 12, "f: tensors 'a' and 'b' overlap at byte 4 of the data." },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "f: bytes 0 to 4 of the data, before tensor 'a', belong to no tensor." },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 9, "f: the last 5 bytes belong to no tensor." },
        { "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "f: tensor 'a' is described twice." },
        { "{\"__metadata__\":{\"k\":1}}", 0, "f: its __metadata__ entry 'k' is a JSON Number; expected a text." },
        { "{\"__metadata__\":[]}", 0, "f: its __metadata__ is a JSON Array; expected an object of texts." },
    };

    [Theory]
    [MemberData(nameof(BadFiles))]
    public void Each_kind_of_bad_file_is_named(string header, int dataLength, string message)
    {
        var json = Encoding.UTF8.GetBytes(header);
        var file = new byte[8 + json.Length + dataLength];
        BinaryPrimitives.WriteInt64LittleEndian(file, json.Length);
        json.CopyTo(file, 8);
        var error = Assert.Throws<MambaCheckpointException>(() => SafeTensors.Read(new MemoryStream(file), file.Length, "f"));
        Assert.StartsWith(message, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3, 0, "f: it has 3 bytes; expected at least the 8 bytes of the header's length.")]
    [InlineData(20, 13, "f: its header claims 13 bytes; expected at most 12 in a file of 20 bytes.")]
    [InlineData(20, -1, "f: its header claims 18446744073709551615 bytes; expected at most 12 in a file of 20 bytes.")]
    public void A_header_that_does_not_fit_is_named(int length, long claimed, string message)
    {
        var file = new byte[length];
        if (length >= 8)
            BinaryPrimitives.WriteInt64LittleEndian(file, claimed);
        var error = Assert.Throws<MambaCheckpointException>(() => SafeTensors.Read(new MemoryStream(file), file.Length, "f"));
        Assert.Equal(message, error.Message);
    }

    [Fact]
    public void A_stream_that_ends_before_the_file_does_is_named()
    {
        using var scope = NewDisposeScope();
        using var file = new MemoryStream();
        SafeTensors.Write(file, [("a", ones(100))]);
        var bytes = file.ToArray();
        var before = Tensor.TotalCount;
        var error = Assert.Throws<MambaCheckpointException>(() => SafeTensors.Read(new MemoryStream(bytes[..^4]), bytes.Length, "f"));
        Assert.Equal("f: it ends early; it is truncated.", error.Message);
    }

    [Fact]
    public void Writing_a_name_twice_or_a_type_without_a_place_is_refused()
    {
        using var scope = NewDisposeScope();
        Assert.StartsWith(
            "SafeTensors: tensor 'a' comes twice.",
            Assert.Throws<ArgumentException>(() => SafeTensors.Write(new MemoryStream(), [("a", ones(1)), ("a", ones(1))])).Message, StringComparison.Ordinal);
        Assert.StartsWith(
            "SafeTensors: tensor 'c' is ComplexFloat32; expected one of F64,",
            Assert.Throws<ArgumentException>(() => SafeTensors.Write(new MemoryStream(), [("c", ones(1).to(complex64))])).Message, StringComparison.Ordinal);
    }
}
