using System.IO.Compression;
using System.Text;
using Microsoft.ML.Mamba.Checkpoints;

namespace Microsoft.ML.Mamba.Tests.Checkpoints;

/// <summary>Files of torch.save that are damaged, or that hold more than weights.</summary>
public sealed class TorchArchiveTests
{
    private static readonly TorchFile.Item Good = new("a", "0", [1, 2, 3, 4], [2, 2], [2, 1]);

    public static TheoryData<string, string> BadPickles() => new()
    {
        { "80 02 63 'os\nsystem\n' 58 02000000 'ls' 85 52 2E", "holds global 'os.system'; it has no place among weights and is not called. Save the weights alone: torch.save(model.state_dict(), …)." },
        { "80 04 8C 08 'builtins' 8C 04 'eval' 93 2E", "holds global 'builtins.eval'; it has no place among weights and is not called. Save the weights alone: torch.save(model.state_dict(), …)." },
        { "80 02 63 'torch._utils\n_rebuild_tensor_v3\n' 2E", "holds global 'torch._utils._rebuild_tensor_v3'; it has no place among weights and is not called. Save the weights alone: torch.save(model.state_dict(), …)." },
        { "80 02 28 69 'os\nsystem\n' 2E", "holds opcode INST at byte 3; it has no place among weights and is not run." },
        { "80 02 29 81 2E", "holds opcode NEWOBJ at byte 3; it has no place among weights and is not run." },
        { "80 02 47 0000000000000000 2E", "holds opcode BINFLOAT at byte 2; it has no place among weights and is not run." },
        { "80 02 FE 2E", "holds opcode 0xFE at byte 2; it has no place among weights and is not run." },
        { "80 00 2E", "holds protocol 0; expected 2 to 5." },
        { "80 02", "ends early; it is truncated." },
        { "80 02 58 FFFFFFFF", "ends early; it is truncated." },
        { "80 02 63 'os'", "ends early; it is truncated." },
        { "80 02 2E", "takes a value that is not there; it is damaged." },
        { "80 02 74 2E", "takes a value that is not there; it is damaged." },
        { "80 02 68 07 2E", "recalls entry 7, which it never kept; it is damaged." },
        { "80 02 4E 4E 61 2E", "appends to what is not a list; it is damaged." },
        { "80 02 4E 4E 4E 73 2E", "sets an item of what is not a dict; it is damaged." },
        { "80 02 8A 09 010101010101010101 2E", "holds a whole number of 9 bytes; expected at most 8." },
        { "80 02 4E 29 52 2E", "holds a call of what is not a function; it is damaged." },
        { "80 02 63 'torch._utils\n_rebuild_tensor_v2\n' 29 52 2E", "holds a call of RebuildTensor with arguments that it does not take; it is damaged." },
        { "80 02 63 'torch\nFloatStorage\n' 29 52 2E", "holds a call of Storage with arguments that it does not take; it is damaged." },
        { "80 02 29 51 2E", "holds a reference to what is not a storage; it is damaged." },
        { "80 02 4E 4E 62 2E", "holds opcode BUILD on what is not a dict; it has no place among weights and is not run." },
        { "80 02 4E 4E 93 2E", "holds opcode STACK_GLOBAL without two texts; it is damaged." },
        { "80 02 4E 2E", "is not a dict of tensors. Save the weights alone: torch.save(model.state_dict(), …)." },
    };

    [Theory]
    [MemberData(nameof(BadPickles))]
    public void What_a_pickle_may_not_hold_is_refused_by_name(string pickle, string message) =>
        Assert.Equal("f: the pickle " + message, Error(TorchFile.Archive(("archive/data.pkl", Bytes(pickle)))));

    [Fact]
    public void A_pickle_without_end_is_refused()
    {
        byte[] endless = [0x80, 2, .. Enumerable.Repeat((byte)'N', 1_000_001)];
        Assert.Equal("f: the pickle holds more than 1000000 operations; expected weights alone.", Error(TorchFile.Archive(("archive/data.pkl", endless))));
        Assert.Equal(
            "f: its data.pkl has 4194305 bytes; expected at most 4194304.", Error(TorchFile.Archive(("archive/data.pkl", new byte[4_194_305]))));
    }

    [Fact]
    public void Archives_that_do_not_hold_what_they_must_are_named()
    {
        var pickle = TorchFile.Pickle([Good]);
        Assert.Equal("f: the archive has 0 members named data.pkl; expected one, as torch.save writes it.", Error(TorchFile.Archive(("a/data/0", new byte[16]))));
        Assert.Equal("f: tensor 'a' lies in storage '0', which the archive does not have.", Error(TorchFile.Archive(("a/data.pkl", pickle))));
        Assert.Equal(
            "f: storage '0' of tensor 'a' has 12 bytes; expected 4 elements of 4.", Error(TorchFile.Archive(("a/data.pkl", pickle), ("a/data/0", new byte[12]))));
        Assert.Equal(
            "f: its numbers have byte order 'big'; expected 'little'.", Error(TorchFile.Archive(("a/data.pkl", pickle), ("a/byteorder", "big"u8.ToArray()))));
        Assert.Equal("f: member 'a/data.pkl' comes twice.", Error(TorchFile.Archive(("a/data.pkl", pickle), ("a/data.pkl", pickle))));
        Assert.StartsWith(
            "f: member 'a/data.pkl' is compressed (method 8); expected stored bytes, as torch.save writes them.",
            Error(TorchFile.Archive(CompressionLevel.Optimal, ("a/data.pkl", pickle))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new long[] { 2, 3 }, new long[] { 2, 1 }, 0)]
    [InlineData(new long[] { 2, 2 }, new long[] { 2, 1 }, 1)]
    [InlineData(new long[] { 100, 100 }, new long[] { 0, 0 }, 0)]
    [InlineData(new long[] { int.MaxValue, int.MaxValue, int.MaxValue }, new long[] { int.MaxValue, 1, 1 }, 0)]
    public void Views_that_do_not_fit_their_storage_are_named(long[] shape, long[] strides, long offset) => Assert.Equal(
        $"f: tensor 'a' of shape ({string.Join(", ", shape)}), strides ({string.Join(", ", strides)}) and offset {offset} does not fit its storage of 4 elements.",
        Error(TorchFile.Write(Good with { Shape = shape, Strides = strides, Offset = offset })));

    [Fact]
    public void Names_that_come_twice_are_named() => Assert.Equal("f: tensor 'a' comes twice.", Error(TorchFile.Write(Good, Good)));

    [Fact]
    public void The_old_format_and_truncated_files_are_told_from_archives()
    {
        const string Old = "f: it is not a zip archive, or it is truncated. Files of torch.save from before PyTorch 1.6 are not read: load and save it again with a newer PyTorch.";
        Assert.Equal(Old, Error([0x80, 2, 0x8A, 10, .. new byte[10]]));
        Assert.Equal(Old, Error(TorchFile.Write(Good)[..^5]));
        Assert.Equal(Old, Error([]));
    }

    [Fact]
    public void Bytes_before_the_archive_are_noticed()
    {
        byte[] moved = [.. new byte[7], .. TorchFile.Write(Good)];
        Assert.Equal("f: its zip directory is damaged.", Error(moved));
    }

    private static string Error(byte[] file) =>
        Assert.Throws<MambaCheckpointException>(() => TorchArchive.List(CheckpointFile.Of(new MemoryStream(file), "f"))).Message;

    /// <summary>Bytes in hexadecimal, and text between apostrophes.</summary>
    private static byte[] Bytes(string text) =>
        [.. text.Split('\'').SelectMany((part, i) => i % 2 == 1 ? Encoding.UTF8.GetBytes(part) : Convert.FromHexString(part.Replace(" ", "")))];
}
