namespace Microsoft.ML.Mamba;

/// <summary>How the hidden states of a sequence become one vector. Only real positions count, never padding.</summary>
public enum MambaPooling
{
    /// <summary>The last real position. For causal models, whose last position has seen everything.</summary>
    Last,

    /// <summary>The mean over positions.</summary>
    Mean,

    /// <summary>The largest value of each feature over positions.</summary>
    Max,

    /// <summary>Mean and largest value side by side: 2·DModel features.</summary>
    MeanMax,

    /// <summary>Four learned queries attend to the positions; their four answers side by side: 4·DModel features.</summary>
    Attention,

    /// <summary>The first position. For bidirectional models, whose first position has seen everything.</summary>
    First,
}
