using System.Globalization;
using Microsoft.ML.Mamba.Checkpoints;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Checkpoints;

/// <summary>Peak memory of loading, in a process of its own.</summary>
public sealed class CheckpointMemoryTests : IDisposable
{
    /// <summary>Some 120 MB in float32, most of it in one table: a second copy of that alone would break the bound.</summary>
    private static readonly MambaConfig Config = new() { DModel = 512, NLayer = 4, VocabSize = 45_000, Bidirectional = false };

    private readonly string _folder = Directory.CreateTempSubdirectory("mamba-memory-").FullName;

    [SkippableTheory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public async Task Loading_takes_little_more_memory_than_the_weights(ScalarType type)
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "peak memory is read from /proc");
        Write(Path.Combine(_folder, "large"), Config, type);
        Write(Path.Combine(_folder, "tiny"), TinyCheckpoint.Config, type);

        var outcome = await FreshProcess.Run(Load, null, Path.Combine(_folder, "tiny"), Path.Combine(_folder, "large"));

        var fields = outcome.Success().Split(' ').Select(field => long.Parse(field, CultureInfo.InvariantCulture)).ToArray();
        var (tensors, peak) = (fields[0], fields[1]);
        Assert.True(tensors > 100_000_000, $"the weights take {tensors} bytes");
        Assert.True(peak <= 1.2 * tensors, $"loading {tensors} bytes of weights took {peak} bytes at its peak");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static void Write(string folder, MambaConfig config, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        using var model = new MambaForCausalLM(config, tieEmbeddings: true, Initialisation.LeftToTheCaller());
        Directory.CreateDirectory(folder);
        File.WriteAllBytes(Path.Combine(folder, "config.json"), TinyCheckpoint.ConfigFile(config: config));
        using var file = File.Create(Path.Combine(folder, "model.safetensors"));
        SafeTensors.Write(file, model.state_dict().Select(entry => (entry.Key, entry.Value.to(type))));
    }

    private static void Load(string tiny, string large)
    {
        MambaCheckpoint.Load(tiny).CreateLanguageModel().Dispose(); // code and libtorch are loaded before the count begins
        var before = PeakMemory.Bytes();
        using var model = MambaCheckpoint.Load(large).CreateLanguageModel();
        Console.WriteLine($"{model.parameters().Sum(p => p.numel()) * sizeof(float)} {PeakMemory.Bytes() - before}");
    }
}
