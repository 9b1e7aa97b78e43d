namespace Microsoft.ML.Mamba.Kernels.Tests.Scan;

/// <summary>Arguments that do not fit are refused in words, before anything is read; outputs that are absent are left out.</summary>
public class SelectiveScanArgumentTests
{
    private static readonly ScanDims s_dims = new(2, 5, 6, 4);

    public static TheoryData<ScanDims, string> BadDims => new()
    {
        { s_dims with { Batch = -1 }, "SelectiveScan: dims.Batch (B) is -1; expected ≥ 0. (Parameter 'dims')" },
        { s_dims with { Length = -1 }, "SelectiveScan: dims.Length (L) is -1; expected ≥ 0. (Parameter 'dims')" },
        { s_dims with { Channels = 0 }, "SelectiveScan: dims.Channels (D) is 0; expected ≥ 1. (Parameter 'dims')" },
        { s_dims with { State = 257 }, "SelectiveScan: dims.State (N) is 257; expected 1 ≤ N ≤ 256. (Parameter 'dims')" },
        { s_dims with { Groups = 4 }, "SelectiveScan: dims.Groups (G) is 4; expected a divisor of D = 6. (Parameter 'dims')" },
    };

    [Theory]
    [MemberData(nameof(BadDims))]
    public void Sizes_out_of_range_are_refused(ScanDims dims, string message)
    {
        var error = Assert.Throws<ArgumentException>(() => SelectiveScan.Forward(new SelectiveScanForward<float> { Dims = dims }));
        Assert.Equal(message, error.Message);
    }

    [Fact]
    public void Wrong_shape_is_refused_with_both_shapes()
    {
        using var memory = new ScanMemory<float>(ScanData.Random(s_dims, seed: 1), gap: 0);
        var error = Assert.Throws<ArgumentException>(() => SelectiveScan.Forward(new SelectiveScanForward<float>
        {
            Dims = s_dims,
            U = memory.Forward.U,
            Delta = new Rows<float>(memory.Forward.Delta.Address, 5, 6),
        }));
        Assert.Equal("SelectiveScan: delta has shape (5, 6); expected (B·L, D) = (10, 6). (Parameter 'delta')", error.Message);
    }

    [Fact]
    public void Missing_input_is_refused_with_the_expected_shape()
    {
        using var memory = new ScanMemory<float>(ScanData.Random(s_dims, seed: 1), gap: 0);
        var error = Assert.Throws<ArgumentException>(() => SelectiveScan.Forward(new SelectiveScanForward<float> { Dims = s_dims, U = memory.Forward.U }));
        Assert.Equal("SelectiveScan: delta is absent; expected (B·L, D) = (10, 6). (Parameter 'delta')", error.Message);
    }

    [Fact]
    public void Gradient_of_an_absent_gate_is_refused()
    {
        using var memory = new ScanMemory<float>(ScanData.Random(s_dims, seed: 1), gap: 0);
        var error = Assert.Throws<ArgumentException>(() => SelectiveScan.Backward(new SelectiveScanBackward<float>
        {
            Dims = s_dims,
            U = memory.Forward.U,
            Delta = memory.Forward.Delta,
            A = memory.Forward.A,
            B = memory.Forward.B,
            C = memory.Forward.C,
            Checkpoints = memory.Forward.Checkpoints,
            DZ = memory.Backward.DZ,
        }));
        Assert.Equal("SelectiveScan: dz is wanted but z is absent; give z, or leave dz out. (Parameter 'DZ')", error.Message);
    }

    [Fact]
    public void Rows_that_overlap_are_refused_as_outputs()
    {
        using var memory = new ScanMemory<float>(ScanData.Random(s_dims, seed: 1), gap: 0);
        var error = Assert.Throws<ArgumentException>(() => SelectiveScan.Forward(new SelectiveScanForward<float>
        {
            Dims = s_dims,
            U = memory.Forward.U,
            Delta = memory.Forward.Delta,
            A = memory.Forward.A,
            B = memory.Forward.B,
            C = memory.Forward.C,
            Y = new Rows<float>(memory.Forward.Y.Address, 10, 6, 3),
        }));
        Assert.Equal("SelectiveScan: y has rows of 6 elements that start 3 elements apart; expected at least 6, because the rows are written. (Parameter 'y')", error.Message);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Every_gradient_may_be_the_only_one_wanted(long batch)
    {
        var data = ScanData.Random(new ScanDims(batch, 19, 150, 3), seed: 2);
        var want = ScanRunner.Backward(data, SimdWidth.Bits);
        foreach (var name in want.Keys)
        {
            using var memory = new ScanMemory<float>(data, gap: 0);
            SelectiveScan.Forward(memory.Forward, threads: 1);
            Rows<float> Only(string output, Rows<float> rows) => output == name ? rows : default;
            var all = memory.Backward;
            SelectiveScan.Backward(new SelectiveScanBackward<float>
            {
                Dims = all.Dims,
                U = all.U,
                Delta = all.Delta,
                A = all.A,
                B = all.B,
                C = all.C,
                D = all.D,
                Z = all.Z,
                DeltaBias = all.DeltaBias,
                InitialState = all.InitialState,
                DeltaSoftplus = all.DeltaSoftplus,
                Checkpoints = all.Checkpoints,
                DY = all.DY,
                DFinalState = all.DFinalState,
                DU = Only("grad_u", all.DU),
                DDelta = Only("grad_delta", all.DDelta),
                DA = Only("grad_A", all.DA),
                DB = Only("grad_B", all.DB),
                DC = Only("grad_C", all.DC),
                DD = Only("grad_D", all.DD),
                DZ = Only("grad_z", all.DZ),
                DDeltaBias = Only("grad_delta_bias", all.DDeltaBias),
                DInitialState = Only("grad_initial_state", all.DInitialState),
            });

            Assert.Equal(want[name], memory.Results(name)[name]);
        }
    }
}
