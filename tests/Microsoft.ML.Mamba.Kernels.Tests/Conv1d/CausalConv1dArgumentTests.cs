namespace Microsoft.ML.Mamba.Kernels.Tests.Conv1d;

/// <summary>Texts of the errors about arguments that do not fit.</summary>
public sealed class CausalConv1dArgumentTests : IDisposable
{
    private static readonly ConvDims Dims = new(2, 4, 3, 4);

    private readonly NativeArray<float> _memory = new(512);

    [Fact]
    public void Forward_names_what_does_not_fit()
    {
        var good = Forward();
        CausalConv1d.Forward(good);
        Throws("CausalConv1d.Forward: dims.Batch (B) is -1; expected ≥ 0.", good with { Dims = Dims with { Batch = -1 } });
        Throws("CausalConv1d.Forward: dims.Length (L) is -4; expected ≥ 0.", good with { Dims = Dims with { Length = -4 } });
        Throws("CausalConv1d.Forward: dims.Channels (D) is 0; expected ≥ 1.", good with { Dims = Dims with { Channels = 0 } });
        Throws("CausalConv1d.Forward: dims.Width (W) is 1; expected 2 ≤ W ≤ 8.", good with { Dims = Dims with { Width = 1 } });
        Throws("CausalConv1d.Forward: dims.Width (W) is 9; expected 2 ≤ W ≤ 8.", good with { Dims = Dims with { Width = 9 } });
        Throws("CausalConv1d.Forward: x is absent; expected (B·L, D) = (8, 3).", good with { X = default });
        Throws("CausalConv1d.Forward: x has shape (7, 3); expected (B·L, D) = (8, 3).", good with { X = Rows(0, 7, 3) });
        Throws("CausalConv1d.Forward: weight has shape (4, 3); expected (D, W) = (3, 4).", good with { Weight = Rows(1, 4, 3) });
        Throws("CausalConv1d.Forward: bias has shape (3, 1); expected (1, D) = (1, 3).", good with { Bias = Rows(2, 3, 1) });
        Throws("CausalConv1d.Forward: initialState has shape (2, 3); expected (B·(W-1), D) = (6, 3).", good with { InitialState = Rows(2, 2, 3) });
        Throws("CausalConv1d.Forward: y is absent; expected (B·L, D) = (8, 3).", good with { Y = default });
        Throws("CausalConv1d.Forward: y has rows of 3 elements that start 2 elements apart; expected at least 3, because the rows are written.", good with { Y = _memory.AsRows(8, 3, 2, 128) });
        Throws("CausalConv1d.Forward: finalState has shape (8, 3); expected (B·(W-1), D) = (6, 3).", good with { FinalState = Rows(2, 8, 3) });
        Throws("CausalConv1d.Forward: y lies at the address of x; expected memory of its own.", good with { Y = good.X });
    }

    [Fact]
    public void Backward_names_what_does_not_fit()
    {
        var good = Backward();
        CausalConv1d.Backward(good);
        Throws("CausalConv1d.Backward: dims.Width (W) is 0; expected 2 ≤ W ≤ 8.", good with { Dims = Dims with { Width = 0 } });
        Throws("CausalConv1d.Backward: dy has shape (8, 2); expected (B·L, D) = (8, 3).", good with { DY = Rows(3, 8, 2) });
        Throws("CausalConv1d.Backward: dFinalState has shape (8, 3); expected (B·(W-1), D) = (6, 3).", good with { DFinalState = Rows(3, 8, 3) });
        Throws("CausalConv1d.Backward: dx has shape (4, 3); expected (B·L, D) = (8, 3).", good with { DX = Rows(4, 4, 3) });
        Throws("CausalConv1d.Backward: dWeight has shape (3, 3); expected (D, W) = (3, 4).", good with { DWeight = Rows(4, 3, 3) });
        Throws("CausalConv1d.Backward: dBias has shape (1, 4); expected (1, D) = (1, 3).", good with { DBias = Rows(4, 1, 4) });
        Throws("CausalConv1d.Backward: dInitialState has shape (2, 3); expected (B·(W-1), D) = (6, 3).", good with { DInitialState = Rows(4, 2, 3) });
        Throws("CausalConv1d.Backward: dx lies at the address of x; expected memory of its own.", good with { DX = good.X });
        Throws("CausalConv1d.Backward: dx lies at the address of dy; expected memory of its own.", good with { DX = good.DY });
    }

    [Fact]
    public void Step_names_what_does_not_fit()
    {
        var good = Step();
        CausalConv1d.Step(good);
        Throws("CausalConv1d.Step: dims.Length (L) is 4; expected 1. For more steps call CausalConv1d.Forward.", good with { Dims = Dims });
        Throws("CausalConv1d.Step: state has shape (8, 3); expected (B·(W-1), D) = (6, 3).", good with { State = Rows(0, 8, 3) });
        Throws("CausalConv1d.Step: x has shape (2, 4); expected (B, D) = (2, 3).", good with { X = Rows(1, 2, 4) });
        Throws("CausalConv1d.Step: y is absent; expected (B, D) = (2, 3).", good with { Y = default });
        Throws("CausalConv1d.Step: y lies at the address of x; expected memory of its own.", good with { Y = good.X });
    }

    [Fact]
    public void Plain_loops_refuse_the_same()
    {
        AssertError("CausalConv1d.Forward: x is absent; expected (B·L, D) = (8, 3).", () => Kernels.Reference.CausalConv1d.Forward(Forward() with { X = default }));
        AssertError("CausalConv1d.Backward: dy is absent; expected (B·L, D) = (8, 3).", () => Kernels.Reference.CausalConv1d.Backward(Backward() with { DY = default }));
        AssertError("CausalConv1d.Step: state is absent; expected (B·(W-1), D) = (6, 3).", () => Kernels.Reference.CausalConv1d.Step(Step() with { State = default }));
    }

    public void Dispose() => _memory.Dispose();

    private static void Throws(string text, CausalConv1dForward<float> a) => AssertError(text, () => CausalConv1d.Forward(a));

    private static void Throws(string text, CausalConv1dBackward<float> a) => AssertError(text, () => CausalConv1d.Backward(a));

    private static void Throws(string text, CausalConv1dStep<float> a) => AssertError(text, () => CausalConv1d.Step(a));

    private static void AssertError(string text, Action call) => Assert.StartsWith(text, Assert.Throws<ArgumentException>(call).Message, StringComparison.Ordinal);

    private Rows<float> Rows(int place, long count, long width) => _memory.AsRows(count, width, width, place * 64);

    private CausalConv1dForward<float> Forward() => new() { Dims = Dims, X = Rows(0, 8, 3), Weight = Rows(1, 3, 4), Y = Rows(2, 8, 3) };

    private CausalConv1dBackward<float> Backward() => new() { Dims = Dims, X = Rows(0, 8, 3), Weight = Rows(1, 3, 4), DY = Rows(2, 8, 3), DX = Rows(3, 8, 3) };

    private CausalConv1dStep<float> Step() => new() { Dims = Dims with { Length = 1 }, State = Rows(0, 6, 3), X = Rows(1, 2, 3), Weight = Rows(2, 3, 4), Y = Rows(3, 2, 3) };
}
