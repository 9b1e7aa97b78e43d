using Microsoft.ML.Mamba.Tests.Checkpoints;
using Microsoft.ML.Mamba.Tests.Data;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

/// <summary>A folder with a tiny language model and its tokenizer.</summary>
internal sealed class TemporaryCheckpoint : IDisposable
{
    public TemporaryCheckpoint()
    {
        var tree = TinyTokenizer.Tree();
        using var model = TinyCheckpoint.Model(config: TinyCheckpoint.Config with { VocabSize = TinyTokenizer.Create(tree).VocabSize });
        MambaCheckpoint.Save(model, Path, 0);
        File.WriteAllBytes(TokenizerFile, TinyTokenizer.Bytes(tree));
    }

    public string Path { get; } = Directory.CreateTempSubdirectory("mamba-checkpoint-").FullName;

    public string TokenizerFile => System.IO.Path.Combine(Path, "tokenizer.json");

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
