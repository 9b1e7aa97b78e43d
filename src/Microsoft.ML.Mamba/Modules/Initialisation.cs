using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>
/// Initial values of parameters, drawn from a managed generator: equal seeds give equal weights on every machine, and torch's
/// global generator is left alone. The rules are those of state-spaces/mamba e9594ce (<c>mamba_simple.py</c> and
/// <c>_init_weights</c> of <c>mixer_seq_simple.py</c>).
/// </summary>
internal sealed class Initialisation
{
    private readonly Random? _random;

    /// <param name="seed">Seed of all values.</param>
    public Initialisation(int seed)
        : this(new Random(seed))
    {
    }

    private Initialisation(Random? random) => _random = random;

    /// <summary>For a model whose every parameter is about to be overwritten: what would be drawn is left as the memory comes.</summary>
    public static Initialisation LeftToTheCaller() => new(null);

    /// <summary>Uniform in ±bound.</summary>
    public Parameter Uniform(double bound, params long[] shape) =>
        Draw(random => (random.NextDouble() * 2 - 1) * bound, shape);

    /// <summary>What torch gives a linear layer's weight by default (Kaiming uniform with a = sqrt 5): uniform in ±1/sqrt(fan-in).</summary>
    public Parameter Linear(long outputs, long inputs, double scale = 1) => Uniform(scale / Math.Sqrt(inputs), outputs, inputs);

    /// <summary>Normal with mean 0.</summary>
    public Parameter Normal(double deviation, params long[] shape) => Draw(random => NextNormal(random) * deviation, shape);

    /// <summary>One value everywhere.</summary>
    public static Parameter Constant(float value, params long[] shape) => Fill(() => value, shape);

    /// <summary>A_log (D, N): ln(1..N) in every row, so that A = -(1..N).</summary>
    public static Parameter DecayLogs(long channels, int states)
    {
        long index = 0;
        return Fill(() => Math.Log(1 + index++ % states), channels, states);
    }

    /// <summary>
    /// Bias (D) of the step size projection: softplus of it is log-uniform in [min, max], not below floor.
    /// The inverse of softplus is dt + ln(-expm1(-dt)).
    /// </summary>
    public Parameter StepSizeBias(long channels, double min, double max, double floor) => Draw(
        random =>
        {
            var dt = Math.Max(Math.Exp(random.NextDouble() * (Math.Log(max) - Math.Log(min)) + Math.Log(min)), floor);
            return dt + Math.Log(1 - Math.Exp(-dt));
        },
        channels);

    private Parameter Draw(Func<Random, double> next, params long[] shape) =>
        _random is null ? Kept(new Parameter(empty(shape, dtype: float32))) : Fill(() => next(_random), shape);

    private static Parameter Fill(Func<double> next, params long[] shape)
    {
        var values = new float[shape.Aggregate(1L, (product, size) => checked(product * size))];
        for (var i = 0; i < values.Length; i++)
            values[i] = (float)next();

        // A copy in libtorch's own memory: a tensor made of an array stays in the array, wherever that happens to begin, and the
        // rounding of matrix products depends on how their operands are aligned.
        using var inArray = tensor(values, shape);
        return Kept(new Parameter(inArray.clone()));
    }

    /// <summary>A model may be built inside a caller's scope.</summary>
    private static Parameter Kept(Parameter parameter)
    {
        parameter.DetachFromDisposeScope();
        return parameter;
    }

    /// <summary>Box and Muller.</summary>
    private static double NextNormal(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
