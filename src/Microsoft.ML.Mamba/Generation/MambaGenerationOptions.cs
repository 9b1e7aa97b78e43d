namespace Microsoft.ML.Mamba;

/// <summary>How <see cref="MambaLanguageModel"/> chooses tokens. The defaults take the likeliest token each time (greedy).</summary>
public sealed class MambaGenerationOptions
{
    /// <summary>Tokens to add at most, ≥ 0. Default 128.</summary>
    public int MaxNewTokens { get; set; } = 128;

    /// <summary>
    /// 0 (default): the likeliest token, always. Above 0: tokens are drawn at random, from scores divided by this; below 1 makes
    /// likely tokens likelier, above 1 evens them out.
    /// </summary>
    public double Temperature { get; set; }

    /// <summary>Draw among this many likeliest tokens only (ties with the last of them included); 0 (default): among all.</summary>
    public int TopK { get; set; }

    /// <summary>Draw among the fewest likeliest tokens whose probabilities add up to this, above 0 to 1 (default: all).</summary>
    public double TopP { get; set; } = 1;

    /// <summary>
    /// Scores of tokens that the sequence already has are divided by this where positive and multiplied where negative; 1 (default)
    /// changes nothing, above 1 discourages repetition. Source: Keskar et al., CTRL (2019), section 4.1.
    /// </summary>
    public double RepetitionPenalty { get; set; } = 1;

    /// <summary>Ids that end a sequence; they are not part of the result. Null (default): the checkpoint's end-of-text ids. Empty: none.</summary>
    public int[]? StopTokens { get; set; }

    /// <summary>Seed of random draws: equal seeds give equal tokens on one machine. Null (default): another one for each call.</summary>
    public int? Seed { get; set; }

    /// <summary>A copy that shares nothing with this object.</summary>
    internal MambaGenerationOptions Clone()
    {
        var clone = (MambaGenerationOptions)MemberwiseClone();
        clone.StopTokens = (int[]?)StopTokens?.Clone();
        return clone;
    }

    /// <summary>Refuses settings out of range, all violations at once.</summary>
    /// <exception cref="ArgumentException">The text lists each setting with what was expected.</exception>
    internal void Validate(int vocabSize)
    {
        var violations = new List<string>();
        void Expect(bool holds, string name, double value, string expected)
        {
            if (!holds)
                violations.Add(FormattableString.Invariant($"{name} is {value}; expected {expected}."));
        }

        Expect(MaxNewTokens >= 0, nameof(MaxNewTokens), MaxNewTokens, "≥ 0");
        Expect(Temperature >= 0 && double.IsFinite(Temperature), nameof(Temperature), Temperature, "0 (greedy) or a finite number above 0");
        Expect(TopK >= 0, nameof(TopK), TopK, "0 (all tokens) or a number above 0");
        Expect(TopP is > 0 and <= 1, nameof(TopP), TopP, "above 0 to 1 (all tokens)");
        Expect(RepetitionPenalty > 0 && double.IsFinite(RepetitionPenalty), nameof(RepetitionPenalty), RepetitionPenalty, "a finite number above 0");
        foreach (var id in StopTokens ?? [])
            Expect(id >= 0 && id < vocabSize, nameof(StopTokens), id, $"ids from 0 to {vocabSize - 1}");
        if (violations.Count > 0)
            throw new ArgumentException($"{nameof(MambaGenerationOptions)}: " + string.Join(" ", violations));
    }
}
