using System.Runtime.InteropServices;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Ops;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Generation;

/// <summary>
/// The continuation of a batch of prompts, one token per row and step. What came before is kept as the model's state, so memory and
/// time per token do not grow. Each prompt is read alone, to its own end; then all rows advance together, and those that ended leave.
/// </summary>
internal sealed class GenerationRun : IDisposable
{
    /// <summary>Positions of a prompt that are read at once.</summary>
    private const int PieceLength = 2048;

    private readonly MambaForCausalLM _network;
    private readonly MambaGenerationOptions _options;
    private readonly HashSet<int> _stops;
    private readonly TokenSampler[] _samplers;
    private readonly List<int>[] _tokens;
    private readonly int _vocabSize;
    private int[] _live;
    private MambaState _state;

    /// <summary>A row for each live prompt; kept from step to step, since a vocabulary is large.</summary>
    private readonly float[] _scores;

    /// <param name="network">The model, in evaluation mode.</param>
    /// <param name="prompts">Ids of each row, at least one; of one length where the model has positions.</param>
    /// <param name="options">Valid settings.</param>
    /// <param name="stops">Ids that end a row.</param>
    /// <param name="cancellation">Checked between pieces of prompts.</param>
    public GenerationRun(MambaForCausalLM network, IReadOnlyList<int[]> prompts, MambaGenerationOptions options, IEnumerable<int> stops, CancellationToken cancellation)
    {
        if (network.Backbone.Config.MaxPositions > 0 && prompts.Any(prompt => prompt.Length != prompts[0].Length))
            throw new ArgumentException("A model with learned positions continues prompts of one length together; these differ. Continue them one by one.", nameof(prompts));
        (_network, _options, _stops) = (network, options, [.. stops]);
        var seed = options.Seed ?? Random.Shared.Next();
        _vocabSize = network.Backbone.Config.VocabSize;
        _samplers = [.. Enumerable.Range(0, prompts.Count).Select(row => new TokenSampler(options, _vocabSize, new Random(unchecked(seed + (row * 7919)))))];
        _tokens = [.. prompts.Select(_ => new List<int>())];
        _live = options.MaxNewTokens == 0 ? [] : [.. Enumerable.Range(0, prompts.Count)];
        _scores = new float[checked(prompts.Count * _vocabSize)];
        _state = ReadPrompts(prompts, cancellation);
    }

    /// <summary>What each row has got so far, without its prompt.</summary>
    public IReadOnlyList<IReadOnlyList<int>> Tokens => _tokens;

    /// <summary>Adds a token to every row that has not ended.</summary>
    /// <returns>False when all rows have ended.</returns>
    public bool Step()
    {
        if (_live.Length == 0)
            return false;
        var (going, next) = (new List<int>(), new List<int>());
        var added = false;
        for (var i = 0; i < _live.Length; i++)
        {
            var row = _live[i];
            var id = _samplers[row].Next(_scores.AsSpan(i * _vocabSize, _vocabSize));
            if (_stops.Contains(id))
                continue;
            _samplers[row].Saw(id);
            _tokens[row].Add(id);
            added = true;
            if (_tokens[row].Count < _options.MaxNewTokens)
            {
                going.Add(i);
                next.Add(id);
            }
        }

        Advance(going, next);
        return added;
    }

    public void Dispose() => _state.Dispose();

    private void Advance(List<int> going, List<int> next)
    {
        if (going.Count < _live.Length)
        {
            var rest = _state.Rows([.. going]);
            _state.Dispose();
            _state = rest;
            _live = [.. going.Select(i => _live[i])];
        }

        if (_live.Length > 0)
            Score(next, _state, _scores.AsSpan(0, _live.Length * _vocabSize));
    }

    private void Score(List<int> ids, MambaState state, Span<float> scores)
    {
        using var scope = NewDisposeScope();
        var next = tensor([.. ids.Select(id => (long)id)]).MovedTo(_network.Backbone.Device);
        var row = _network.Step(next, state).cpu();
        MemoryMarshal.Cast<byte, float>(row.bytes).CopyTo(scores);
    }

    private MambaState ReadPrompts(IReadOnlyList<int[]> prompts, CancellationToken cancellation)
    {
        var states = new List<MambaState>();
        try
        {
            for (var row = 0; row < prompts.Count; row++)
            {
                states.Add(_network.Backbone.NewState(1));
                ReadPrompt(prompts[row], states[row], _scores.AsSpan(row * _vocabSize, _vocabSize), cancellation);
                foreach (var id in prompts[row])
                    _samplers[row].Saw(id);
            }

            return MambaState.Merge(states);
        }
        finally
        {
            foreach (var state in states)
                state.Dispose();
        }
    }

    /// <summary>The scores of what follows a prompt. Only the last position's are computed: a vocabulary is large.</summary>
    private void ReadPrompt(int[] prompt, MambaState state, Span<float> scores, CancellationToken cancellation)
    {
        using var noGradient = no_grad();
        for (var start = 0; start < prompt.Length - 1; start += PieceLength)
        {
            cancellation.ThrowIfCancellationRequested();
            var piece = prompt[start..Math.Min(start + PieceLength, prompt.Length - 1)];
            using var input = SequenceInput.FromIds(piece, 1, piece.Length, [piece.Length]).MovedTo(_network.Backbone.Device);
            using var hidden = _network.Backbone.Forward(input, state);
        }

        Score([prompt[^1]], state, scores);
    }
}
