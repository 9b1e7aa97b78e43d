namespace Microsoft.ML.Mamba.Kernels.Tests.Norm;

/// <summary>Texts of the errors about arguments that do not fit.</summary>
public sealed class RmsNormArgumentTests : IDisposable
{
    private readonly NativeArray<float> _memory = new(512);

    [Fact]
    public void Forward_names_what_does_not_fit()
    {
        var (x, weight, y) = (Rows(0, 4, 6), Rows(1, 1, 6), Rows(2, 4, 6));
        RmsNorm.Forward(x, default, weight, 1e-5, y, default);
        Throws("RmsNorm.Forward: x has shape (4, 0); expected (rows, D) with rows ≥ 0 and D ≥ 1.", () => RmsNorm.Forward(Rows(0, 4, 0), default, weight, 1e-5, y, default));
        Throws("RmsNorm.Forward: x is absent; expected (rows, D) = (4, 6).", () => RmsNorm.Forward(new Rows<float>(0, 4, 6), default, weight, 1e-5, y, default));
        Throws("RmsNorm.Forward: residual has shape (3, 6); expected (rows, D) = (4, 6).", () => RmsNorm.Forward(x, Rows(3, 3, 6), weight, 1e-5, y, default));
        Throws("RmsNorm.Forward: weight has shape (1, 5); expected (1, D) = (1, 6).", () => RmsNorm.Forward(x, default, Rows(1, 1, 5), 1e-5, y, default));
        Throws("RmsNorm.Forward: y is absent; expected (rows, D) = (4, 6).", () => RmsNorm.Forward(x, default, weight, 1e-5, default, default));
        Throws("RmsNorm.Forward: residualOut has shape (4, 5); expected (rows, D) = (4, 6).", () => RmsNorm.Forward(x, default, weight, 1e-5, y, Rows(3, 4, 5)));
        Throws("RmsNorm.Forward: epsilon is 0; expected a finite number > 0.", () => RmsNorm.Forward(x, default, weight, 0, y, default));
        Throws("RmsNorm.Forward: epsilon is NaN; expected a finite number > 0.", () => RmsNorm.Forward(x, default, weight, double.NaN, y, default));
    }

    [Fact]
    public void Backward_names_what_does_not_fit()
    {
        var (sum, weight, dy, dx, dWeight) = (Rows(0, 4, 6), Rows(1, 1, 6), Rows(2, 4, 6), Rows(3, 4, 6), Rows(4, 1, 6));
        RmsNorm.Backward(sum, weight, 1e-5, dy, default, dx, dWeight);
        Throws("RmsNorm.Backward: weight is absent; expected (1, D) = (1, 6).", () => RmsNorm.Backward(sum, default, 1e-5, dy, default, dx, dWeight));
        Throws("RmsNorm.Backward: dy has shape (4, 5); expected (rows, D) = (4, 6).", () => RmsNorm.Backward(sum, weight, 1e-5, Rows(2, 4, 5), default, dx, dWeight));
        Throws("RmsNorm.Backward: dResidualOut has shape (5, 6); expected (rows, D) = (4, 6).", () => RmsNorm.Backward(sum, weight, 1e-5, dy, Rows(5, 5, 6), dx, dWeight));
        Throws("RmsNorm.Backward: dx has shape (4, 7); expected (rows, D) = (4, 6).", () => RmsNorm.Backward(sum, weight, 1e-5, dy, default, Rows(3, 4, 7), dWeight));
        Throws("RmsNorm.Backward: dWeight has shape (6, 1); expected (1, D) = (1, 6).", () => RmsNorm.Backward(sum, weight, 1e-5, dy, default, dx, Rows(4, 6, 1)));
        Throws("RmsNorm.Backward: epsilon is -1; expected a finite number > 0.", () => RmsNorm.Backward(sum, weight, -1, dy, default, dx, dWeight));
    }

    public void Dispose() => _memory.Dispose();

    private static void Throws(string text, Action call) => Assert.StartsWith(text, Assert.Throws<ArgumentException>(call).Message, StringComparison.Ordinal);

    private Rows<float> Rows(int place, long count, long width) => _memory.AsRows(count, width, width, place * 64);
}
