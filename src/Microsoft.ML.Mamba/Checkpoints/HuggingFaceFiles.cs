using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>A model as the two files that Hugging Face has for it.</summary>
/// <param name="model">The model, all of whose weights are written.</param>
/// <param name="config">What the settings file says; the layout has a place for the architecture.</param>
/// <param name="head">Whether the model is a language model, or an encoder alone.</param>
internal sealed class HuggingFaceFiles(nn.Module model, CheckpointConfig config, bool head)
{
    private static readonly Dictionary<string, string> Metadata = new() { ["format"] = "pt" };

    /// <summary>Both files appear when both are written, or none.</summary>
    public void WriteTo(string directory) => AtomicFiles.Write(
        directory, (MambaCheckpoint.WeightsName, WriteWeights), (MambaCheckpoint.ConfigName, WriteConfig));

    /// <summary>Writes from the streams' present positions on, and leaves them open.</summary>
    public void WriteTo(Stream configStream, Stream weights)
    {
        WriteWeights(weights);
        WriteConfig(configStream);
    }

    private void WriteWeights(Stream stream) => ModuleWeights.Save(model, stream, Metadata);

    private void WriteConfig(Stream stream) => HuggingFaceLayout.Write(stream, config, head);
}
