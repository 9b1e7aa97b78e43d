namespace Microsoft.ML.Mamba;

/// <summary>What a tagger is validated by.</summary>
public enum MambaTaggingMetric
{
    /// <summary>The share of labelled positions (or words) whose label is right.</summary>
    Accuracy,

    /// <summary>The mean F1 of the labels that occur: rare labels count as much as frequent ones.</summary>
    MacroF1,
}
