namespace Microsoft.ML.Mamba;

/// <summary>The unit of log-mel values. The numbers are written into models.</summary>
public enum MelLogarithm
{
    /// <summary>The natural logarithm of the power.</summary>
    Natural = 0,

    /// <summary>Decibels: 10·log10 of the power, 20·log10 of the magnitude.</summary>
    Decibel = 1,
}
