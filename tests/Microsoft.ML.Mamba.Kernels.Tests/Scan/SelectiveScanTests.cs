namespace Microsoft.ML.Mamba.Kernels.Tests.Scan;

/// <summary>The SIMD scan against the reference, and against what must hold of every scan, for every vector width.</summary>
public class SelectiveScanTests
{
    // Inputs are the same floats; the sums run over at most some hundred terms of similar size.
    private const double Tolerance = 5e-6;

    public static TheoryData<int> Widths => [.. SimdWidth.Supported];

    /// <summary>Lengths, channels and states around the sizes of vectors, tiles and chunks, primes, and 1.</summary>
    public static TheoryData<int, ScanDims, int> Shapes
    {
        get
        {
            var random = new Random(20);
            var shapes = new TheoryData<int, ScanDims, int>();
            int Pick(params int[] choices) => choices[random.Next(choices.Length)];
            foreach (var bits in SimdWidth.Supported)
            {
                for (var i = 0; i < 14; i++)
                {
                    var groups = Pick(1, 1, 1, 2, 3);
                    var dims = new ScanDims(
                        Pick(1, 1, 2, 3, 5), Pick(1, 2, 7, 15, 16, 17, 31, 33, 53), groups * Pick(1, 2, 3, 15, 16, 17, 31, 32, 33, 64, 67), Pick(1, 2, 3, 4, 8, 16, 17, 64), groups);
                    shapes.Add(bits, dims, random.Next(64));
                }

                shapes.Add(bits, new ScanDims(2, 18, 300, 16), 0);
                shapes.Add(bits, new ScanDims(1, 3, 5, ScanDims.MaxState), 0);
            }

            return shapes;
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Any_shape_and_any_options_give_the_results_of_the_reference(int bits, ScanDims dims, int optionsLeftOut)
    {
        var data = ScanData.Random(dims, seed: 3).Without(optionsLeftOut);
        var gap = dims.GetHashCode() & 3;

        AssertClose(ScanRunner.ReferenceForward(data), ScanRunner.Forward(data, bits, threads: 2, gap));
        AssertClose(ScanRunner.ReferenceBackward(data), ScanRunner.Backward(data, bits, threads: 2, gap));
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void State_carried_over_a_split_equals_one_pass(int bits)
    {
        var data = ScanData.Random(new ScanDims(2, 37, 19, 5), seed: 4);
        var whole = ScanRunner.Forward(data, bits);
        for (var split = 0; split <= 37; split++)
        {
            var head = ScanRunner.Forward(data.Slice(0, split), bits);
            var tail = ScanRunner.Forward(data.Slice(split, 37) with { InitialState = head["last_state"] }, bits);

            Assert.Equal(data.SliceSteps(whole["y"], 0, split), head["y"]);
            Assert.Equal(data.SliceSteps(whole["y"], split, 37), tail["y"]);
            Assert.Equal(whole["last_state"], tail["last_state"]);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Gradients_carried_over_a_split_equal_one_pass(int bits)
    {
        var data = ScanData.Random(new ScanDims(2, 37, 19, 5), seed: 5);
        var whole = ScanRunner.Backward(data, bits);
        foreach (var split in new[] { 0, 1, 16, 20, 37 })
        {
            var (head, tail) = (data.Slice(0, split), data.Slice(split, 37) with { InitialState = ScanRunner.Forward(data.Slice(0, split), bits)["last_state"] });
            var late = ScanRunner.Backward(tail, bits);
            var early = ScanRunner.Backward(head with { DFinalState = late["grad_initial_state"] }, bits);

            Closeness.Assert("du, late", data.SliceSteps(whole["grad_u"], split, 37), late["grad_u"], Tolerance);
            Closeness.Assert("du, early", data.SliceSteps(whole["grad_u"], 0, split), early["grad_u"], Tolerance);
            Closeness.Assert("dB, early", data.SliceSteps(whole["grad_B"], 0, split), early["grad_B"], Tolerance);
            Closeness.Assert("dA", whole["grad_A"], [.. early["grad_A"].Zip(late["grad_A"], (a, b) => a + b)], Tolerance);
            Closeness.Assert("dh", whole["grad_initial_state"], early["grad_initial_state"], Tolerance);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Changing_one_step_leaves_earlier_outputs_bit_identical(int bits)
    {
        var data = ScanData.Random(new ScanDims(1, 40, 21, 4), seed: 6);
        var before = ScanRunner.Forward(data, bits)["y"];
        foreach (var step in new[] { 1, 16, 17, 39 })
        {
            double[] Changed(double[] values) => [.. values.Select((v, i) => i / (values.Length / 40) == step ? v + 0.5 : v)];
            var changed = data with { U = Changed(data.U), Delta = Changed(data.Delta), B = Changed(data.B), C = Changed(data.C), Z = Changed(data.Z!) };
            var after = ScanRunner.Forward(changed, bits)["y"];

            Assert.Equal(before[..(step * 21)], after[..(step * 21)]);
            Assert.NotEqual(before[step * 21], after[step * 21]);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Number_of_threads_does_not_change_a_bit(int bits)
    {
        var data = ScanData.Random(new ScanDims(3, 35, 150, 6, Groups: 2), seed: 7);
        var (forward, backward) = (ScanRunner.Forward(data, bits, threads: 1), ScanRunner.Backward(data, bits, threads: 1));
        foreach (var threads in new[] { 1, 2, 3, 8 })
        {
            Assert.Equivalent(forward, ScanRunner.Forward(data, bits, threads), strict: true);
            Assert.Equivalent(backward, ScanRunner.Backward(data, bits, threads), strict: true);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Sequences_of_a_batch_do_not_touch_each_other(int bits)
    {
        var data = ScanData.Random(new ScanDims(3, 18, 33, 4), seed: 8);
        var together = ScanRunner.Forward(data, bits)["y"];
        for (var batch = 0; batch < 3; batch++)
        {
            double[] Own(double[] values) => values[(values.Length / 3 * batch)..(values.Length / 3 * (batch + 1))];
            var alone = data with
            {
                Dims = data.Dims with { Batch = 1 }, U = Own(data.U), Delta = Own(data.Delta), B = Own(data.B), C = Own(data.C), Z = Own(data.Z!), InitialState = Own(data.InitialState!),
            };

            Assert.Equal(Own(together), ScanRunner.Forward(alone, bits)["y"]);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Without_gate_the_scan_is_linear_in_u(int bits)
    {
        var first = ScanData.Random(new ScanDims(1, 23, 17, 8), seed: 9) with { Z = null, InitialState = null };
        var second = first with { U = ScanData.Random(first.Dims, seed: 10).U };
        var mixed = first with { U = [.. first.U.Zip(second.U, (a, b) => 2 * a - 0.5 * b)] };
        var (y1, y2) = (ScanRunner.Forward(first, bits)["y"], ScanRunner.Forward(second, bits)["y"]);

        Closeness.Assert("y", [.. y1.Zip(y2, (a, b) => 2 * a - 0.5 * b)], ScanRunner.Forward(mixed, bits)["y"], Tolerance);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Vanishing_delta_keeps_the_state(int bits)
    {
        var data = ScanData.Random(new ScanDims(2, 50, 9, 4), seed: 11);
        data = data with { Delta = [.. data.Delta.Select(_ => -80.0)], DeltaBias = null };

        Assert.Equal(data.InitialState, ScanRunner.Forward(data, bits)["last_state"]);
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Negative_delta_without_softplus_lets_the_state_grow(int bits)
    {
        var data = ScanData.Random(new ScanDims(1, 6, 5, 3), seed: 12).Without(8);
        data = data with { Delta = [.. data.Delta.Select(d => -d)], DeltaBias = null };

        AssertClose(ScanRunner.ReferenceForward(data), ScanRunner.Forward(data, bits));
        AssertClose(ScanRunner.ReferenceBackward(data), ScanRunner.Backward(data, bits));
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Length_zero_passes_the_state_and_its_gradient_through(int bits)
    {
        var data = ScanData.Random(new ScanDims(2, 0, 19, 3), seed: 13);
        var gradients = ScanRunner.Backward(data, bits);

        Assert.Equal(data.InitialState, ScanRunner.Forward(data, bits)["last_state"]);
        Assert.Equal(data.DFinalState, gradients["grad_initial_state"]);
        Assert.All(gradients["grad_A"].Concat(gradients["grad_D"]).Concat(gradients["grad_delta_bias"]), g => Assert.Equal(0, g));
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Empty_batch_gives_zero_gradients_of_the_parameters(int bits)
    {
        var gradients = ScanRunner.Backward(ScanData.Random(new ScanDims(0, 5, 19, 3), seed: 14), bits);

        Assert.All(gradients["grad_A"].Concat(gradients["grad_D"]).Concat(gradients["grad_delta_bias"]), g => Assert.Equal(0, g));
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Extreme_but_finite_values_give_finite_results(int bits)
    {
        var random = new Random(15);
        var data = ScanData.Random(new ScanDims(1, 40, 17, 4), seed: 15);
        double[] Extreme(double[] values, params double[] extremes) => [.. values.Select(v => random.Next(3) == 0 ? extremes[random.Next(extremes.Length)] : v)];
        data = data with
        {
            U = Extreme(data.U, 1e6, -1e6, 1e-30, 0),
            Delta = Extreme(data.Delta, 1000, -1000, 20, -20, 88, -104),
            A = Extreme(data.A, -1e8, -1e-8, -1e30, 0),
            Z = Extreme(data.Z!, 1000, -1000, 1e-30, 0),
        };

        Assert.All(ScanRunner.Forward(data, bits).Values.Concat(ScanRunner.Backward(data, bits).Values).SelectMany(v => v), v => Assert.True(double.IsFinite(v)));
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Missing_gradient_of_y_counts_as_zero(int bits)
    {
        var data = ScanData.Random(new ScanDims(2, 20, 11, 3), seed: 16);

        AssertClose(ScanRunner.ReferenceBackward(data with { DY = new double[data.U.Length] }), ScanRunner.Backward(data with { DY = null }, bits));
    }

    private static void AssertClose(Dictionary<string, double[]> want, Dictionary<string, double[]> got)
    {
        foreach (var (name, values) in want)
        {
            Closeness.Assert(name, values, got[name], Tolerance);
        }
    }
}
