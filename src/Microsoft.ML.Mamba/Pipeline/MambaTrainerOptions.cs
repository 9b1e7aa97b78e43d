using Microsoft.ML.SearchSpace;

namespace Microsoft.ML.Mamba;

/// <summary>What the trainers of one answer per sequence have in common beyond <see cref="MambaLabelledOptions"/>: pooling.</summary>
public abstract class MambaTrainerOptions : MambaLabelledOptions
{
    private protected MambaTrainerOptions()
    {
    }

    /// <summary>How the states of all positions become one vector. Default <see cref="MambaPooling.MeanMax"/>.</summary>
    [Choice(new object[] { MambaPooling.Mean, MambaPooling.Max, MambaPooling.MeanMax, MambaPooling.Attention }, MambaPooling.MeanMax)]
    public MambaPooling Pooling { get; set; } = MambaPooling.MeanMax;

    internal override MambaPooling PoolingChoice => Pooling;
}
