using Microsoft.ML.Mamba.Checkpoints;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba;

/// <summary>
/// A pretrained model in files: its architecture, and where its weights lie. Loading checks every file whole and reads no weights;
/// they are read, tensor by tensor and straight into a model's memory, when a model is built. Nothing is ever downloaded, and nothing
/// in a file is ever run. Layouts: Hugging Face (config.json, model.safetensors, one or several with an index), Mamba, Falcon-Mamba
/// and Caduceus, and state-spaces (config.json, pytorch_model.bin, one or several); weights in float32, bfloat16 or float16.
/// </summary>
public sealed partial class MambaCheckpoint
{
    internal const string ConfigName = "config.json";
    internal const string WeightsName = "model.safetensors";

    private readonly CheckpointConfig _config;
    private readonly CheckpointTensors _tensors;

    private MambaCheckpoint(CheckpointConfig config, CheckpointTensors tensors) => (_config, _tensors) = (config, tensors);

    /// <summary>The architecture. VocabSize counts the rows of the embedding table, those that only pad it included.</summary>
    public MambaConfig Config => _config.Model;

    /// <summary>Whether the head of the language model shares the embedding table.</summary>
    public bool TiesEmbeddings => _config.TieEmbeddings;

    /// <summary>Whether the files hold a language model, and not an encoder alone.</summary>
    public bool HasLanguageModelHead => _tensors.HasHead;

    /// <summary>Ids that end a text, as config.json names them; empty when it names none, as in the layout of state-spaces.</summary>
    public IReadOnlyList<int> EndTokenIds => _config.EndTokenIds;

    /// <summary>The complement of each id that config.json of a Caduceus names, even where it reads one strand; null otherwise.</summary>
    internal IReadOnlyList<int>? Complements => _config.Complements;

    /// <summary>Finds and checks the files of a folder. They must stay as they are until models have been built.</summary>
    /// <param name="directory">A folder with config.json and weights.</param>
    /// <exception cref="MambaCheckpointException">The files are not valid or do not fit each other; lists all that is wrong.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    public static MambaCheckpoint Load(string directory)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        if (!Directory.Exists(directory))
            throw new DirectoryNotFoundException($"{nameof(MambaCheckpoint)}: there is no folder '{directory}'; expected one with {ConfigName} and weights.");
        var problems = new CheckpointProblems();
        var path = Path.Combine(directory, ConfigName);
        if (!File.Exists(path))
            problems.Add(directory, $"it has no {ConfigName}; expected it beside the weights.");
        var config = File.Exists(path) ? CheckpointConfig.Read(CheckpointFile.At(path), problems) : null;
        return Checked(config, WeightFiles.In(directory, problems), problems);
    }

    /// <summary>The same from streams, which must stay open until models have been built. Not for several threads at a time.</summary>
    /// <param name="config">config.json of either layout, from the present position on.</param>
    /// <param name="weights">The weights, safetensors or files of torch.save, from their present positions on; they must be able to seek.</param>
    /// <exception cref="MambaCheckpointException">The content is not valid; lists all that is wrong.</exception>
    /// <exception cref="ArgumentException">A stream cannot be read or cannot seek.</exception>
    public static MambaCheckpoint Load(Stream config, params IReadOnlyList<Stream> weights)
    {
        ArgumentNullException.ThrowIfNull(weights);
        var problems = new CheckpointProblems();
        var settings = CheckpointConfig.Read(CheckpointFile.Of(config, ConfigName), problems);
        var files = weights.Select((stream, i) => CheckpointFile.Of(stream, weights.Count == 1 ? "weights" : $"weights {i + 1}")).ToArray();
        return Checked(settings, WeightFiles.Of(files, problems), problems);
    }

    /// <summary>Builds the language model and reads its weights. Causal models; for bidirectional ones see <see cref="CreateMaskedLanguageModel"/>.</summary>
    /// <exception cref="InvalidOperationException">The files hold an encoder alone, or a bidirectional model.</exception>
    /// <exception cref="MambaCheckpointException">A file was changed since it was checked.</exception>
    public MambaForCausalLM CreateLanguageModel() => CreateLanguageModel(null);

    /// <summary>The same on a device: the model is moved there before its weights are read, so that they are never all in the processor's memory.</summary>
    internal MambaForCausalLM CreateLanguageModel(Device? device)
    {
        if (!HasLanguageModelHead)
            throw new InvalidOperationException($"{nameof(MambaCheckpoint)}: it holds an encoder without a head, which can score no tokens; use {nameof(CreateEncoder)}.");
        if (Config.Bidirectional)
            throw new InvalidOperationException($"{nameof(MambaCheckpoint)}: it holds a bidirectional model, which predicts hidden tokens and not the next; use {nameof(CreateMaskedLanguageModel)}.");
        var model = new MambaForCausalLM(Config, TiesEmbeddings, Initialisation.LeftToTheCaller());
        if (device is not null)
            model.to(device);
        return Filled(model, "");
    }

    /// <summary>Builds the masked language model, as Caduceus is one, and reads its weights.</summary>
    /// <exception cref="InvalidOperationException">The files hold an encoder alone, or a causal model.</exception>
    /// <exception cref="MambaCheckpointException">A file was changed since it was checked.</exception>
    public MambaForMaskedLM CreateMaskedLanguageModel()
    {
        if (!HasLanguageModelHead)
            throw new InvalidOperationException($"{nameof(MambaCheckpoint)}: it holds an encoder without a head, which can score no tokens; use {nameof(CreateEncoder)}.");
        if (!Config.Bidirectional)
            throw new InvalidOperationException($"{nameof(MambaCheckpoint)}: it holds a causal model, which predicts the next token and not hidden ones; use {nameof(CreateLanguageModel)}.");
        return Filled(new MambaForMaskedLM(Config, TiesEmbeddings, Initialisation.LeftToTheCaller()), "");
    }

    /// <summary>Builds the encoder alone and reads its weights.</summary>
    /// <exception cref="MambaCheckpointException">A file was changed since it was checked.</exception>
    public MambaModel CreateEncoder() => Filled(new MambaModel(Config, Initialisation.LeftToTheCaller(), null), TensorTable.Encoder);

    /// <summary>Overwrites the weights of an encoder of the same architecture, which may be part of a larger model.</summary>
    internal void ReadInto(MambaModel encoder) => _tensors.ReadInto(encoder, TensorTable.Encoder);

    private static MambaCheckpoint Checked(CheckpointConfig? config, IReadOnlyList<StoredTensor> found, CheckpointProblems problems)
    {
        if (config is null || problems.Any)
            problems.ThrowIfAny();
        var tensors = CheckpointTensors.Check(found, config!, problems);
        problems.ThrowIfAny();
        LibTorchLoader.EnsureLoaded();
        return new MambaCheckpoint(config!, tensors);
    }

    private T Filled<T>(T module, string prefix)
        where T : nn.Module
    {
        try
        {
            _tensors.ReadInto(module, prefix);
            return module;
        }
        catch
        {
            module.Dispose();
            throw;
        }
    }
}
