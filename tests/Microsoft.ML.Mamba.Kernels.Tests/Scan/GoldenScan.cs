using Microsoft.ML.Mamba.Kernels.Tests.Golden;

namespace Microsoft.ML.Mamba.Kernels.Tests.Scan;

/// <summary>One set of inputs and outputs of a golden scan file, and the way between its layout (time last) and the kernels' (channels last).</summary>
internal sealed class GoldenScan
{
    private readonly string _prefix;

    private GoldenScan(GoldenFile file, string prefix, bool d, bool z, bool bias, bool softplus)
    {
        (File, _prefix) = (file, prefix);
        var shape = file["u"].Shape;
        var constant = file["B"].Shape.Length == 2;
        var groups = constant ? shape[1] : file["B"].Shape.Length == 4 ? file["B"].Shape[1] : 1;
        Data = new ScanData
        {
            Dims = new ScanDims(shape[0], shape[2], shape[1], file["A"].Shape[1], groups),
            U = TimeFirst("u"),
            Delta = TimeFirst("delta"),
            A = AsStored("A")!,
            B = constant ? Repeated("B", shape[0] * shape[2]) : TimeFirst("B"),
            C = constant ? Repeated("C", shape[0] * shape[2]) : TimeFirst("C"),
            D = d ? AsStored("D") : null,
            Z = z ? TimeFirst("z") : null,
            DeltaBias = bias ? AsStored("delta_bias") : null,
            DeltaSoftplus = softplus,
            InitialState = AsStored("initial_state"),
            DY = TimeFirst("grad_out"),
            DFinalState = AsStored("grad_last_state"),
        };
    }

    public GoldenFile File { get; }

    public ScanData Data { get; }

    /// <summary>The sets of a file: one, or sixteen in <c>all_options</c>.</summary>
    public static IEnumerable<GoldenScan> ReadAll(string name)
    {
        var file = new GoldenFile(name);
        if (!name.EndsWith("all_options"))
        {
            return [new GoldenScan(file, "", file.Has("D"), file.Has("z"), file.Has("delta_bias"), file.Options.GetProperty("delta_softplus").GetBoolean())];
        }

        return Enumerable.Range(0, 16).Select(bits =>
        {
            var (d, z, b, s) = (bits >> 3 & 1, bits >> 2 & 1, bits >> 1 & 1, bits & 1);
            return new GoldenScan(file, $"D{d}z{z}b{b}s{s}.", d == 1, z == 1, b == 1, s == 1);
        });
    }

    /// <summary>Compares every output in the file; results that are not in it are gradients of inputs that it does not have.</summary>
    public void AssertMatches(List<KeyValuePair<string, double[]>> results, double? tolerance)
    {
        foreach (var output in File.Outputs.Where(name => name.StartsWith(_prefix) && !name.StartsWith("state_after_")))
        {
            var name = output[_prefix.Length..];
            File.AssertMatches(output, AsInFile(name, results.Single(result => result.Key == name).Value), tolerance);
        }
    }

    private double[]? AsStored(string name) => File.Has(name) ? [.. File[name].Values.Select(v => (double)v)] : null;

    private double[] Repeated(string name, int times) => [.. Enumerable.Repeat(AsStored(name)!, times).SelectMany(v => v)];

    /// <summary>(B, X, L) or (B, G, X, L) as (B·L, X) or (B·L, G·X).</summary>
    private double[] TimeFirst(string name)
    {
        var shape = File[name].Shape;
        int[] flat = [shape[0], shape[1..^1].Aggregate(1, (product, n) => product * n), shape[^1]];
        return GoldenTensor.SwapLastTwo(AsStored(name)!, flat);
    }

    private IReadOnlyList<double> AsInFile(string name, double[] values)
    {
        var shape = File[_prefix + name].Shape;
        if (name is "grad_B" or "grad_C" && shape.Length == 2)
        {
            return [.. Enumerable.Range(0, shape[0] * shape[1]).Select(i => values.Where((_, at) => at % (shape[0] * shape[1]) == i).Sum())];
        }

        return name is "y" or "grad_u" or "grad_delta" or "grad_z" or "grad_B" or "grad_C"
            ? GoldenTensor.SwapLastTwo(values, [shape[0], shape[^1], shape[1..^1].Aggregate(1, (product, n) => product * n)])
            : values;
    }
}
