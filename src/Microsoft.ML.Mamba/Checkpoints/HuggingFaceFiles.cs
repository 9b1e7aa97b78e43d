using Microsoft.ML.Mamba.Modules;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>A model as the two files that Hugging Face has for it, Caduceus under its own names.</summary>
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

    private void WriteWeights(Stream stream)
    {
        if (CaduceusLayout.Fits(config.Model))
            WriteCaduceus(stream);
        else
            ModuleWeights.Save(model, stream, Metadata);
    }

    /// <summary>Every weight once, and the complements where its modules hold them.</summary>
    private void WriteCaduceus(Stream stream)
    {
        using var scope = NewDisposeScope();
        var prefix = head ? "" : TensorTable.Encoder;
        var tensors = model.state_dict().Select(entry => (Name: prefix + entry.Key, Tensor: entry.Value)).ToList();
        if (config.Model.ReadsBothStrands)
            tensors.AddRange(CaduceusLayout.Maps.Where(name => head || name.StartsWith(prefix, StringComparison.Ordinal)).Select(name => (name, Strands.Map(config.Model, CPU))));
        SafeTensors.Write(stream, tensors.Select(tensor => (CaduceusLayout.NameOf(tensor.Name, config.Model, head), tensor.Tensor)), Metadata);
    }

    private void WriteConfig(Stream stream)
    {
        if (CaduceusLayout.Fits(config.Model))
            CaduceusLayout.Write(stream, config, head);
        else
            HuggingFaceLayout.Write(stream, config, head);
    }
}
