using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Ops;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Generation;

/// <summary>
/// The continuation of a batch of prompts, one token per row and step. What came before is kept as the model's state, so memory and
/// time per token do not grow. Each prompt is read alone, up to its last token; then all rows advance together, and those that ended leave.
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
    private NextScores _next;

    /// <summary>A row for each live prompt where tokens are chosen from all scores; kept from step to step, since a vocabulary is large.</summary>
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
        foreach (var (sampler, prompt) in _samplers.Zip(prompts))
        {
            foreach (var id in prompt)
                sampler.Saw(id);
        }

        _tokens = [.. prompts.Select(_ => new List<int>())];
        _live = options.MaxNewTokens == 0 ? [] : [.. Enumerable.Range(0, prompts.Count)];
        _scores = TokenSampler.NeedsAllScores(options) ? new float[checked(prompts.Count * _vocabSize)] : [];
        _next = new NextScores(network, ReadPrompts(prompts, cancellation));
        if (_live.Length > 0)
            _next.Advance([.. prompts.Select(prompt => prompt[^1])]);
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
        var chosen = ChooseIds();
        for (var i = 0; i < _live.Length; i++)
        {
            var (row, id) = (_live[i], chosen[i]);
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

    public void Dispose() => _next.Dispose();

    private int[] ChooseIds()
    {
        if (_scores.Length == 0)
            return Array.ConvertAll(_next.Largest(), largest => TokenSampler.Checked(largest.Id, largest.Score));
        _next.CopyTo(_scores.AsSpan(0, _live.Length * _vocabSize));
        var ids = new int[_live.Length];
        for (var i = 0; i < ids.Length; i++)
            ids[i] = _samplers[_live[i]].Next(_scores.AsSpan(i * _vocabSize, _vocabSize));
        return ids;
    }

    private void Advance(List<int> going, List<int> next)
    {
        if (going.Count < _live.Length)
        {
            _live = [.. going.Select(i => _live[i])];
            if (_live.Length > 0)
                _next = _next.Rows([.. going]);
        }

        if (_live.Length > 0)
            _next.Advance([.. next]);
    }

    private MambaState ReadPrompts(IReadOnlyList<int[]> prompts, CancellationToken cancellation)
    {
        using var start = _network.Backbone.NewState(1); // of every prompt of one token
        var states = new List<MambaState>();
        try
        {
            foreach (var prompt in prompts)
                states.Add(prompt.Length == 1 ? start : ReadPrompt(prompt, cancellation));
            return MambaState.Merge(states);
        }
        finally
        {
            foreach (var state in states)
                state.Dispose();
        }
    }

    /// <summary>The state before a prompt's last token.</summary>
    private MambaState ReadPrompt(int[] prompt, CancellationToken cancellation)
    {
        using var noGradient = no_grad();
        var state = _network.Backbone.NewState(1);
        try
        {
            for (var start = 0; start < prompt.Length - 1; start += PieceLength)
            {
                cancellation.ThrowIfCancellationRequested();
                var piece = prompt[start..Math.Min(start + PieceLength, prompt.Length - 1)];
                using var input = SequenceInput.FromIds(piece, 1, piece.Length, [piece.Length]).MovedTo(_network.Backbone.Device);
                using var hidden = _network.Backbone.Forward(input, state);
            }

            return state;
        }
        catch
        {
            state.Dispose();
            throw;
        }
    }
}
