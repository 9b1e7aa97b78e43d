namespace Microsoft.ML.Mamba;

/// <summary>How much the rows of each class count in the training loss.</summary>
public enum MambaClassWeighting
{
    /// <summary>Every row counts the same.</summary>
    None,

    /// <summary>Every class counts the same: a class weighs rows / (classes · its rows).</summary>
    Balanced,
}
