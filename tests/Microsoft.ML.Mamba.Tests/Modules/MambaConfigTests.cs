namespace Microsoft.ML.Mamba.Tests.Modules;

public sealed class MambaConfigTests
{
    [Fact]
    public void Defaults_are_valid_and_those_of_the_documentation()
    {
        var config = new MambaConfig();
        config.Validate();
        Assert.Equal((64, 2, 16, 4, 2), (config.DModel, config.NLayer, config.DState, config.DConv, config.Expand));
        Assert.Equal((128, 4), (config.DInner, config.EffectiveDtRank));
        Assert.True(config.Bidirectional && config.UseConvBias && !config.UseBias);
    }

    [Theory]
    [InlineData(64, 4)]
    [InlineData(65, 5)]
    [InlineData(1, 1)]
    [InlineData(768, 48)]
    public void The_rank_of_the_step_sizes_is_a_sixteenth_rounded_up(int dModel, int rank) =>
        Assert.Equal(rank, new MambaConfig { DModel = dModel }.EffectiveDtRank);

    [Fact]
    public void An_intermediate_size_takes_the_place_of_expand() =>
        Assert.Equal(100, new MambaConfig { DModel = 64, IntermediateSize = 100 }.DInner);

    [Fact]
    public void All_violations_are_listed_at_once()
    {
        var config = new MambaConfig
        {
            DModel = 0,
            NLayer = 0,
            DState = -1,
            DConv = 9,
            Expand = 0,
            DtRank = -1,
            IntermediateSize = -2,
            VocabSize = 5,
            FrameWidth = 3,
            MaxPositions = -1,
            PeriodicPositions = true,
            Norm = (MambaNorm)2,
            NormEpsilon = float.NaN,
            MixerNormEpsilon = -1,
            DtMin = 0.2,
            DtMax = 0.1,
            DtFloor = 0,
        };

        var error = Assert.Throws<ArgumentException>(config.Validate);

        Assert.Equal(
            "MambaConfig: DModel is 0; expected ≥ 1. NLayer is 0; expected ≥ 1. DState is -1; expected 1 to 256. DConv is 9; expected 2 to 8. "
            + "Expand is 0; expected ≥ 1. DtRank is -1; expected ≥ 0 (0 means ceil(DModel / 16)). "
            + "IntermediateSize is -2; expected ≥ 0 (0 means Expand·DModel). VocabSize is 5 and FrameWidth is 3; expected at most one of them > 0. "
            + "MaxPositions is -1; expected ≥ 0 (0 means none). PeriodicPositions is true and MaxPositions is -1; expected the period, ≥ 2. Norm is 2; expected RmsNorm or LayerNorm. NormEpsilon is NaN; expected a finite number > 0. "
            + "MixerNormEpsilon is -1; expected a finite number ≥ 0 (0 means no norms inside the mixer). "
            + "DtMin is 0.2 and DtMax is 0.1; expected 0 < DtMin ≤ DtMax. DtFloor is 0; expected a finite number > 0.",
            error.Message);
    }

    [Fact]
    public void Sizes_that_do_not_fit_an_int_are_named()
    {
        var error = Assert.Throws<ArgumentException>(new MambaConfig { DModel = 1 << 30, Expand = 4 }.Validate);
        Assert.Equal("MambaConfig: Expand·DModel is 4294967296; expected at most 2147483647.", error.Message);
    }

    [Fact]
    public void A_model_must_know_what_it_reads()
    {
        var error = Assert.Throws<ArgumentException>(new MambaConfig().ValidateForModel);
        Assert.Equal("MambaConfig: VocabSize and FrameWidth are both 0; expected exactly one of them > 0 when a model is built.", error.Message);
    }
}
