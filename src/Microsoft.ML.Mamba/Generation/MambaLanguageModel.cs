using System.Runtime.CompilerServices;
using Microsoft.ML.Mamba.Generation;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Ops;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba;

/// <summary>
/// A causal language model from a checkpoint: scores texts and continues them. Generation goes through the recurrent path, so a
/// token takes the same time and memory however long the text is. Any number of threads may use one model at once; disposing it
/// while they do lets their calls end well.
/// </summary>
public sealed class MambaLanguageModel : IDisposable
{
    private readonly MambaForCausalLM _network;
    private readonly ForwardLease _lease;

    /// <param name="network">The model, which is owned from now on.</param>
    /// <param name="tokenizer">For the calls with text; null = ids only.</param>
    /// <param name="endTokenIds">Ids that end a text unless options say otherwise.</param>
    internal MambaLanguageModel(MambaForCausalLM network, SequenceTokenizer? tokenizer, IReadOnlyList<int> endTokenIds)
    {
        network.eval();
        (_network, Tokenizer, EndTokenIds) = (network, tokenizer, endTokenIds);
        _lease = new ForwardLease(network, nameof(MambaLanguageModel));
    }

    /// <summary>The architecture.</summary>
    public MambaConfig Config => _network.Backbone.Config;

    /// <summary>Turns texts into ids and back; null when the checkpoint has none and none was given.</summary>
    public SequenceTokenizer? Tokenizer { get; }

    /// <summary>Ids that end a text, from the checkpoint.</summary>
    public IReadOnlyList<int> EndTokenIds { get; }

    /// <summary>Reads a checkpoint folder; see <see cref="MambaCheckpoint.Load(string)"/> for the layouts.</summary>
    /// <param name="directory">The folder.</param>
    /// <param name="tokenizer">Null (default): tokenizer.json of the folder, where there is one.</param>
    /// <exception cref="MambaCheckpointException">A file is damaged, or of a kind that is not supported.</exception>
    public static MambaLanguageModel Load(string directory, SequenceTokenizer? tokenizer = null) => Load(directory, gpuDeviceId: null, tokenizer: tokenizer);

    /// <summary>Reads a checkpoint folder to a device; see <see cref="MambaCheckpoint.Load(string)"/> for the layouts.</summary>
    /// <param name="directory">The folder.</param>
    /// <param name="gpuDeviceId">Index of a CUDA device, as <c>MLContext.GpuDeviceId</c>; null: the CPU. Weights go there one by one.</param>
    /// <param name="precision">What the blocks compute in on a GPU; with <see cref="MambaPrecision.BFloat16"/> their matrices are kept in it, in half the memory.</param>
    /// <param name="fallbackToCpu">Whether the CPU stands in, in 32 bits, where there is no such device.</param>
    /// <param name="tokenizer">Null (default): tokenizer.json of the folder, where there is one.</param>
    /// <exception cref="MambaCheckpointException">A file is damaged, or of a kind that is not supported.</exception>
    /// <exception cref="InvalidOperationException">There is no such device, and the CPU may not stand in.</exception>
    public static MambaLanguageModel Load(string directory, int? gpuDeviceId, MambaPrecision precision = MambaPrecision.Float32, bool fallbackToCpu = false, SequenceTokenizer? tokenizer = null)
    {
        var device = ComputeDevice.Choose(gpuDeviceId, fallbackToCpu, static _ => { });
        var checkpoint = MambaCheckpoint.Load(directory);
        var network = checkpoint.CreateLanguageModel(device.CudaIndex is null ? null : device.ToTorch());
        if (device.CudaIndex is not null && precision == MambaPrecision.BFloat16)
            network.Backbone.ConvertBlocks(ScalarType.BFloat16);
        return new MambaLanguageModel(network, tokenizer ?? SequenceTokenizer.InFolder(directory), checkpoint.EndTokenIds);
    }

    /// <summary>How likely the model finds each text.</summary>
    /// <param name="texts">The texts; memory does not grow with their length.</param>
    /// <param name="cancellation">Checked between pieces.</param>
    /// <returns>One result per text, in order.</returns>
    /// <exception cref="InvalidOperationException">There is no tokenizer, or it gives ids that the model has no rows for.</exception>
    public IReadOnlyList<MambaLikelihood> Score(IEnumerable<string> texts, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(texts);
        return Score(texts.Select(Encode), cancellation);
    }

    /// <summary>How likely the model finds each sequence of ids.</summary>
    /// <inheritdoc cref="Score(IEnumerable{string}, CancellationToken)"/>
    /// <param name="sequences">The ids.</param>
    /// <param name="cancellation">Checked between pieces.</param>
    /// <exception cref="ArgumentException">An id is outside the vocabulary.</exception>
    public IReadOnlyList<MambaLikelihood> Score(IEnumerable<int[]> sequences, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(sequences);
        var results = new List<MambaLikelihood>();
        foreach (var ids in sequences)
        {
            CheckIds(ids, nameof(sequences));
            using (_lease.Enter())
                results.Add(SequenceLikelihood.Of(_network, ids, cancellation));
        }

        return results;
    }

    /// <summary>Continues a text.</summary>
    /// <param name="prompt">The text to continue; not empty.</param>
    /// <param name="options">How tokens are chosen; null = the likeliest, 128 at most.</param>
    /// <param name="cancellation">Checked at each token.</param>
    /// <returns>What follows the prompt, without it.</returns>
    /// <exception cref="ArgumentException">The prompt is empty, or a setting is out of range.</exception>
    /// <exception cref="InvalidOperationException">There is no tokenizer.</exception>
    public string Generate(string prompt, MambaGenerationOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        return Decode(Generate([Encode(prompt)], options, cancellation)[0]);
    }

    /// <summary>Continues several sequences of ids together. A row's tokens do not depend on the other rows.</summary>
    /// <param name="prompts">The ids to continue, each not empty; lengths may differ.</param>
    /// <param name="options">How tokens are chosen; null = the likeliest, 128 at most.</param>
    /// <param name="cancellation">Checked at each token.</param>
    /// <returns>What follows each prompt, without it.</returns>
    /// <exception cref="ArgumentException">A prompt is empty or has an id outside the vocabulary, or a setting is out of range.</exception>
    public IReadOnlyList<int[]> Generate(IReadOnlyList<int[]> prompts, MambaGenerationOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(prompts);
        options = Checked(options);
        foreach (var prompt in prompts)
            CheckPrompt(prompt);
        if (prompts.Count == 0)
            return [];
        using var lease = _lease.Enter();
        using var run = new GenerationRun(_network, prompts, options, Stops(options), cancellation);
        do
        {
            cancellation.ThrowIfCancellationRequested();
        }
        while (run.Step());
        return [.. run.Tokens.Select(tokens => tokens.ToArray())];
    }

    /// <summary>Continues a text and hands out each token as soon as it is there.</summary>
    /// <param name="prompt">The text to continue; not empty.</param>
    /// <param name="options">How tokens are chosen; null = the likeliest, 128 at most.</param>
    /// <param name="cancellation">Ends the generation with an <see cref="OperationCanceledException"/> at the next token.</param>
    /// <returns>The tokens; all their texts together are what <see cref="Generate(string, MambaGenerationOptions, CancellationToken)"/> returns.</returns>
    /// <exception cref="ArgumentException">The prompt is empty, or a setting is out of range.</exception>
    /// <exception cref="InvalidOperationException">There is no tokenizer.</exception>
    public IAsyncEnumerable<MambaGeneratedToken> GenerateAsync(string prompt, MambaGenerationOptions? options = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(prompt);
        options = Checked(options);
        var ids = Encode(prompt);
        CheckPrompt(ids);
        return Stream(ids, options, cancellation);
    }

    /// <summary>Frees the weights, at once or when the last running call ends.</summary>
    public void Dispose() => _lease.Dispose();

    private async IAsyncEnumerable<MambaGeneratedToken> Stream(int[] prompt, MambaGenerationOptions options, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var lease = _lease.Enter();
        using var run = await Task.Run(() => new GenerationRun(_network, [prompt], options, Stops(options), cancellation), cancellation).ConfigureAwait(false);
        var pieces = new TextPieces(Tokenizer!);
        MambaGeneratedToken? last = null;
        while (await Task.Run(run.Step, cancellation).ConfigureAwait(false))
        {
            if (last is not null)
                yield return last;
            var id = run.Tokens[0][^1];
            last = new MambaGeneratedToken(id, pieces.Add(id));
        }

        if (last is not null)
            yield return last with { Text = last.Text + pieces.Rest() };
    }

    private SequenceTokenizer RequireTokenizer() => Tokenizer ?? throw new InvalidOperationException(
        $"{nameof(MambaLanguageModel)}: the checkpoint has no tokenizer.json and no tokenizer was given to Load; give one, or use the calls with ids.");

    private int[] Encode(string text) => RequireTokenizer().Encode(text);

    private string Decode(int[] ids) => RequireTokenizer().Decode(ids);

    private MambaGenerationOptions Checked(MambaGenerationOptions? options)
    {
        options = options?.Clone() ?? new MambaGenerationOptions();
        options.Validate(Config.VocabSize);
        return options;
    }

    private IEnumerable<int> Stops(MambaGenerationOptions options) => options.StopTokens ?? EndTokenIds;

    private void CheckPrompt(int[] prompt)
    {
        if (prompt.Length == 0)
            throw new ArgumentException($"{nameof(MambaLanguageModel)}: the prompt is empty; expected at least one token to continue, such as an end-of-text id.", nameof(prompt));
        CheckIds(prompt, nameof(prompt));
    }

    private void CheckIds(int[] ids, string name)
    {
        ArgumentNullException.ThrowIfNull(ids, name);
        for (var i = 0; i < ids.Length; i++)
        {
            if ((uint)ids[i] >= (uint)Config.VocabSize)
                throw new ArgumentException($"{nameof(MambaLanguageModel)}: id {ids[i]} at position {i}; the model knows ids 0 to {Config.VocabSize - 1}.", name);
        }
    }
}
