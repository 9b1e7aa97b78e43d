using Microsoft.ML.Mamba.Checkpoints;

namespace Microsoft.ML.Mamba.Tests.Checkpoints;

/// <summary>Valid files with bytes changed, cut and repeated: whatever comes in, only the documented exception comes out, and soon.</summary>
public sealed class CheckpointFuzzTests
{
    private const int Mutations = 20_000;

    /// <summary>A mutation takes some 20 µs; this is for a machine that does much else.</summary>

    /// <summary>What stands for something else in one of the formats.</summary>
    private static readonly byte[][] Words =
    [
        "{"u8.ToArray(), "}"u8.ToArray(), "["u8.ToArray(), "\""u8.ToArray(), "null"u8.ToArray(), "-1"u8.ToArray(), "99999999999999999999"u8.ToArray(),
        "NaN"u8.ToArray(), "\\ud800"u8.ToArray(), "1e999"u8.ToArray(), [0xFF, 0xFF, 0xFF, 0xFF], [0, 0, 0, 0], [0, 0, 0, 0x80], "PK\x05\x06"u8.ToArray(),
        "PK\x01\x02"u8.ToArray(), "("u8.ToArray(), "t"u8.ToArray(), "R"u8.ToArray(), "Q"u8.ToArray(), "q\0"u8.ToArray(), "h\0"u8.ToArray(), "0"u8.ToArray(),
        "cos\nsystem\n"u8.ToArray(), [0x94], [0x93], [0x85],
    ];

    [Fact]
    public void Safetensors()
    {
        using var model = TinyCheckpoint.Model();
        var config = TinyCheckpoint.ConfigFile();
        Fuzz(TinyCheckpoint.SafeTensorsFile(model), file => TinyCheckpoint.Load(config, file));
    }

    [Fact]
    public void Files_of_torch()
    {
        using var model = TinyCheckpoint.Model();
        Fuzz(TorchFile.Write(TinyCheckpoint.TorchItems(model)), file => TinyCheckpoint.Load(TinyCheckpoint.StateSpacesConfig, file));
    }

    [Fact]
    public void Pickles()
    {
        using var model = TinyCheckpoint.Model();
        Fuzz(TorchFile.Pickle(TinyCheckpoint.TorchItems(model)), file => PickleReader.Read(file, "f"));
    }

    [Fact]
    public void Settings()
    {
        using var model = TinyCheckpoint.Model();
        var weights = TinyCheckpoint.SafeTensorsFile(model);
        Fuzz(TinyCheckpoint.ConfigFile(), file => TinyCheckpoint.Load(file, weights));
    }

    [Fact]
    public void Settings_of_state_spaces()
    {
        using var model = TinyCheckpoint.Model();
        var weights = TorchFile.Write(TinyCheckpoint.TorchItems(model));
        Fuzz(System.Text.Encoding.UTF8.GetBytes(TinyCheckpoint.StateSpacesConfig), file => TinyCheckpoint.Load(file, weights));
    }

    [Fact]
    public void Indexes() => Fuzz(
        """{"metadata": {"total_size": 8}, "weight_map": {"backbone.norm_f.weight": "model-00001-of-00002.safetensors", "lm_head.weight": "model-00002-of-00002.safetensors"}}"""u8.ToArray(),
        file => ShardIndex.Read(CheckpointFile.Of(new MemoryStream(file), "index")).Check([], new CheckpointProblems()));

    private static void Fuzz(byte[] valid, Action<byte[]> read)
    {
        read(valid);
        var random = new Random(7);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Mutations; i++)
        {
            var file = Mutate(valid, random);
            try
            {
                read(file);
            }
            catch (MambaCheckpointException)
            {
                continue;
            }
            catch (Exception e)
            {
                Assert.Fail($"mutation {i} of {valid.Length} bytes: {e}");
            }
        }

        var each = (GC.GetAllocatedBytesForCurrentThread() - before) / Mutations;
        Assert.True(each < 100 * (valid.Length + 10_000), $"a mutation of {valid.Length} bytes allocated {each} bytes");
    }

    private static byte[] Mutate(byte[] valid, Random random)
    {
        var file = valid.ToList();
        for (var changes = 1 + random.Next(4); changes > 0 && file.Count > 0; changes--)
        {
            var at = random.Next(file.Count);
            var count = Math.Min(1 + random.Next(16), file.Count - at);
            switch (random.Next(7))
            {
                case 0: file[at] ^= (byte)(1 << random.Next(8)); break;
                case 1: file[at] = (byte)random.Next(256); break;
                case 2: file.RemoveRange(at, count); break;
                case 3: file.InsertRange(at, file.GetRange(random.Next(file.Count - count + 1), count)); break;
                case 4: file.RemoveRange(at, file.Count - at); break;
                case 5: file.InsertRange(at, Words[random.Next(Words.Length)]); break;
                default:
                    var word = Words[random.Next(Words.Length)];
                    for (var i = 0; i < word.Length && at + i < file.Count; i++)
                        file[at + i] = word[i];
                    break;
            }
        }

        return [.. file];
    }
}
