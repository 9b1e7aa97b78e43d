using System.Numerics;
using Microsoft.ML.Mamba.Kernels.Tests.Golden;
using Microsoft.ML.Mamba.Kernels.Tests.Support;

namespace Microsoft.ML.Mamba.Kernels.Tests.Conv1d;

/// <summary>
/// Every output and state of the reference files of single steps. Their states may hold more inputs than the filter sees; ours
/// are the last W-1 of them.
/// </summary>
public class CausalConv1dStepGoldenTests
{
    private const double DoubleTolerance = 1e-6;

    private delegate void StepBody<T>(in CausalConv1dStep<T> a)
        where T : unmanaged;

    [SkippableFact]
    public void Plain_loops_in_double_reproduce_every_file() =>
        CompareAll<double>(Kernels.Reference.CausalConv1d.Step, DoubleTolerance);

    [SkippableFact]
    public void Fast_body_reproduces_every_file_at_every_width()
    {
        foreach (var bits in SimdWidth.Supported)
        {
            using var forced = SimdWidth.Force(bits);
            CompareAll<float>((in CausalConv1dStep<float> a) => CausalConv1d.Step(a), tolerance: null);
        }
    }

    private static void CompareAll<T>(StepBody<T> step, double? tolerance)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        GoldenFolder.SkipIfMissing();
        var files = GoldenFolder.Names("conv1d").Where(name => name.StartsWith("conv1d/update", StringComparison.Ordinal)).ToList();
        Assert.Equal(5, files.Count);
        files.ForEach(name => Compare(new GoldenFile(name), step, tolerance));
    }

    private static void Compare<T>(GoldenFile file, StepBody<T> step, double? tolerance)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var options = file.Options;
        var dims = new ConvDims(options.GetProperty("batch").GetInt64(), 1, options.GetProperty("dim").GetInt64(), options.GetProperty("width").GetInt32());
        var (steps, stateLength) = (options.GetProperty("steps").GetInt32(), options.GetProperty("state_len").GetInt32());
        var stateSize = (int)(dims.Batch * dims.Channels) * stateLength;
        using var weight = new GuardedRows<T>(dims.Channels, dims.Width, 0, [.. file["weight"].Values]);
        using var bias = file.Has("bias") ? new GuardedRows<T>(1, dims.Channels, 0, [.. file["bias"].Values]) : null;
        using var state = new GuardedRows<T>(dims.Batch * dims.History, dims.Channels, 5, Window(file["conv_state_0"].Values, dims, stateLength));
        using var y = new GuardedRows<T>(dims.Batch, dims.Channels, 2);
        var (outputs, row) = (new List<double>(), (int)(dims.Batch * dims.Channels));
        for (var i = 0; i < steps; i++)
        {
            using var x = new GuardedRows<T>(dims.Batch, dims.Channels, 1, [.. file["x"].Values[(i * row)..((i + 1) * row)]]);
            step(new CausalConv1dStep<T>
            {
                Dims = dims,
                State = state.Rows,
                X = x.Rows,
                Weight = weight.Rows,
                Bias = bias?.Rows ?? default,
                Silu = options.GetProperty("activation").GetString() == "silu",
                Y = y.Rows,
            });
            outputs.AddRange(y.Read("y"));
            var want = file["conv_states"].Values[(i * stateSize)..((i + 1) * stateSize)];
            Bits.AssertSame($"{file.Name}: state after step {i}", Window(want, dims, stateLength), state.Read("state"));
        }

        file.AssertMatches("out", outputs, tolerance);
    }

    /// <summary>(B, D, stateLength) as the last W-1 inputs, (B, W-1, D).</summary>
    private static double[] Window(float[] state, ConvDims dims, int stateLength)
    {
        var window = new List<double>();
        for (var b = 0; b < dims.Batch; b++)
        {
            for (var i = stateLength - dims.History; i < stateLength; i++)
            {
                for (var c = 0; c < dims.Channels; c++)
                {
                    window.Add(state[(b * (int)dims.Channels + c) * stateLength + i]);
                }
            }
        }

        return [.. window];
    }
}
