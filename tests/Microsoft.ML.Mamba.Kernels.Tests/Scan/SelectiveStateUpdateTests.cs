using Microsoft.ML.Mamba.Kernels.Tests.Golden;

namespace Microsoft.ML.Mamba.Kernels.Tests.Scan;

/// <summary>One step at a time.</summary>
public class SelectiveStateUpdateTests
{
    public static TheoryData<int> Widths => [.. SimdWidth.Supported];

    public static TheoryData<int, ScanDims, int> Shapes
    {
        get
        {
            var shapes = new TheoryData<int, ScanDims, int>();
            foreach (var bits in SimdWidth.Supported)
            {
                foreach (var (channels, state, groups, optionsLeftOut) in new[] { (37, 5, 1, 0), (64, 16, 1, 7), (6, 3, 2, 8), (70, 17, 1, 2), (1, 1, 1, 15), (33, 64, 3, 0), (5, 256, 1, 5) })
                {
                    shapes.Add(bits, new ScanDims(2, 7, channels, state, groups), optionsLeftOut);
                }
            }

            return shapes;
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Steps_repeated_equal_the_scan(int bits, ScanDims dims, int optionsLeftOut)
    {
        var data = ScanData.Random(dims, seed: 1).Without(optionsLeftOut);
        using var width = SimdWidth.Force(bits);
        var scan = ScanRunner.Forward(data, bits);

        var state = data.InitialState ?? new double[dims.Batch * dims.Channels * dims.State];
        for (var t = 0; t < dims.Length; t++)
        {
            using var memory = new ScanMemory<float>(data.Slice(t, t + 1) with { InitialState = state }, gap: t % 3);
            SelectiveStateUpdate.Step(StepOf(memory.Forward), threads: 2);
            state = memory.Results("initial_state")["initial_state"];
            memory.AssertGapsUntouched();

            Closeness.Assert($"y[{t}]", data.SliceSteps(scan["y"], t, t + 1), memory.Results("y")["y"], 2e-6);
        }

        Closeness.Assert("state", scan["last_state"], state, 2e-6);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Decay_rates_may_come_as_logarithms(int bits, ScanDims dims, int optionsLeftOut)
    {
        var one = dims with { Length = 1 };
        var data = ScanData.Random(one, seed: 2).Without(optionsLeftOut);
        data = data with { InitialState = data.InitialState ?? new double[one.Batch * one.Channels * one.State] };
        double[] logs = [.. data.A.Select(rate => (double)(float)Math.Log(-rate))];
        using var rates = new ScanMemory<double>(data with { A = [.. logs.Select(log => -Math.Exp(log))] }, gap: 0);
        Reference.SelectiveStateUpdate.Step(StepOf(rates.Forward));

        using var exact = new ScanMemory<double>(data with { A = logs }, gap: 1);
        Reference.SelectiveStateUpdate.Step(StepOf(exact.Forward, aIsLog: true));
        using var width = SimdWidth.Force(bits);
        using var fast = new ScanMemory<float>(data with { A = logs }, gap: 2);
        SelectiveStateUpdate.Step(StepOf(fast.Forward, aIsLog: true));
        fast.AssertGapsUntouched();

        foreach (var name in new[] { "y", "initial_state" })
        {
            Closeness.Assert($"{name}, plain loops", rates.Results(name)[name], exact.Results(name)[name], 1e-12);
            Closeness.Assert(name, rates.Results(name)[name], fast.Results(name)[name], 3e-6);
        }
    }

    [Fact]
    public void The_number_of_threads_changes_no_bit()
    {
        var data = ScanData.Random(new ScanDims(3, 1, 2000, 16), seed: 3);
        double[] Run(int threads)
        {
            using var memory = new ScanMemory<float>(data, gap: 0);
            SelectiveStateUpdate.Step(StepOf(memory.Forward), threads);
            return [.. memory.Results("y")["y"], .. memory.Results("initial_state")["initial_state"]];
        }

        var alone = Run(1);
        Bits.AssertSame("2 threads", alone, Run(2));
        Bits.AssertSame("5 threads", alone, Run(5));
    }

    [SkippableTheory]
    [MemberData(nameof(Widths))]
    public void Stored_steps_are_reproduced(int bits)
    {
        GoldenFolder.SkipIfMissing();
        using var width = SimdWidth.Force(bits);
        CheckStoredSteps<float>((in SelectiveStateUpdateStep<float> step) => SelectiveStateUpdate.Step(step), tolerance: null);
    }

    [SkippableFact]
    public void Reference_in_double_reproduces_the_stored_steps()
    {
        GoldenFolder.SkipIfMissing();
        CheckStoredSteps<double>((in SelectiveStateUpdateStep<double> step) => Reference.SelectiveStateUpdate.Step(step), tolerance: 1e-6);
    }

    private delegate void Stepper<T>(in SelectiveStateUpdateStep<T> step)
        where T : unmanaged;

    private static void CheckStoredSteps<T>(Stepper<T> stepper, double? tolerance)
        where T : unmanaged, System.Numerics.IBinaryFloatingPointIeee754<T>
    {
        var file = new GoldenFile("scan/single_steps");
        double[] Doubles(string name) => [.. file[name].Values.Select(v => (double)v)];
        double[] At(string name, int step) => [.. Doubles(name).Chunk(file[name].Values.Length / 6).ElementAt(step)];
        var (state, y, states) = (Doubles("state_0"), new List<double>(), new List<double>());
        for (var step = 0; step < 6; step++)
        {
            using var memory = new ScanMemory<T>(
                new ScanData
                {
                    Dims = new ScanDims(3, 1, 10, 16),
                    U = At("x", step),
                    Delta = At("dt", step),
                    A = Doubles("A"),
                    B = At("B", step),
                    C = At("C", step),
                    D = Doubles("D"),
                    Z = At("z", step),
                    DeltaBias = Doubles("dt_bias"),
                    DeltaSoftplus = true,
                    InitialState = state,
                },
                gap: 0);
            stepper(StepOf(memory.Forward));
            state = memory.Results("initial_state")["initial_state"];
            states.AddRange(state);
            y.AddRange(memory.Results("y")["y"]);
        }

        file.AssertMatches("out", y, tolerance);
        file.AssertMatches("states", states, tolerance);
    }

    private static SelectiveStateUpdateStep<T> StepOf<T>(in SelectiveScanForward<T> scan, bool aIsLog = false)
        where T : unmanaged => new()
    {
        Dims = scan.Dims,
        State = scan.InitialState,
        U = scan.U,
        Delta = scan.Delta,
        A = scan.A,
        AIsLog = aIsLog,
        B = scan.B,
        C = scan.C,
        D = scan.D,
        Z = scan.Z,
        DeltaBias = scan.DeltaBias,
        DeltaSoftplus = scan.DeltaSoftplus,
        Y = scan.Y,
    };
}
