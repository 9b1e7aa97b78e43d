using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Training;

/// <summary>The named weights of a network: listing them, and bounding their size.</summary>
internal static class NetworkWeights
{
    /// <summary>All weights in the order of their names, so that equal models give equal files.</summary>
    internal static (string Name, Parameter Tensor)[] Of(nn.Module network) =>
        [.. network.named_parameters().Select(p => (p.name, p.parameter)).OrderBy(p => p.name, StringComparer.Ordinal)];

    /// <summary>Overwrites the weights of an encoder by those of another of the same architecture.</summary>
    internal static void Copy(MambaModel from, MambaModel to)
    {
        using var noGradient = no_grad();
        foreach (var (source, target) in Of(from).Zip(Of(to)))
        {
            target.Tensor.copy_(source.Tensor);
        }
    }

    /// <summary>Moves a network to a device, and has its blocks compute there in the precision of its description.</summary>
    internal static void Place(nn.Module<SequenceInput, Tensor> network, ComputeDevice device, MambaPrecision precision)
    {
        if (device.CudaIndex is null)
        {
            return; // networks are built there, and it computes in float32
        }
        network.to(device.ToTorch());
        ((ISequenceNetwork)network).Backbone.BlockType = precision == MambaPrecision.BFloat16 ? ScalarType.BFloat16 : null;
    }

    /// <summary>
    /// Compares what the largest matrices alone would need with the size of the file, so that a damaged config.json cannot
    /// make us allocate more than the file's size.
    /// </summary>
    /// <exception cref="MambaCheckpointException">The file is too small for the model.</exception>
    internal static void CheckSize(ModelDescription description, long fileLength)
    {
        var config = description.Config;
        double inner = config.DInner;
        var projections = 3 * inner * config.DModel * (config.Bidirectional && !config.TieDirections ? 2 : 1);
        var others = inner * ((3.0 * config.DState) + config.DConv + (2.0 * config.EffectiveDtRank)) * (config.Bidirectional ? 2 : 1);
        var numbers = (config.NLayer * (projections + others))
            + (((double)config.VocabSize + config.MaxPositions + config.FrameWidth + description.Objective.Outputs) * config.DModel);
        if (!(numbers * sizeof(float) <= fileLength))
        {
            throw new MambaCheckpointException(FormattableString.Invariant(
                $"model.safetensors has {fileLength:N0} bytes; the model of config.json needs at least {numbers * sizeof(float):N0}. The files do not belong together, or one is damaged."));
        }
    }
}
