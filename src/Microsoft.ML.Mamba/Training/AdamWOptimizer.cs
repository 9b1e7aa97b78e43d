using Microsoft.ML.Mamba.Kernels;
using Microsoft.ML.Mamba.Ops;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Training;

/// <summary>Updates a network's weights by their gradients, which it clips together: AdamW, with decay for the weights that should decay.</summary>
internal sealed class AdamWOptimizer : IDisposable
{
    private readonly MambaTrainingOptions _options;
    private readonly Item[] _items;
    private long _steps;

    /// <param name="weights">What to update.</param>
    /// <param name="options">Betas, decay and clipping.</param>
    /// <param name="decays">Which weights decay, by name.</param>
    /// <param name="encoderRateScale">The learning rate of the encoder's weights as a share of that of the others.</param>
    internal AdamWOptimizer((string Name, Parameter Tensor)[] weights, MambaTrainingOptions options, Func<string, bool> decays, double encoderRateScale = 1)
    {
        using var noGradient = no_grad();
        _options = options;
        _items = Array.ConvertAll(weights, w => new Item(
            w.Tensor,
            zeros_like(w.Tensor).DetachFromDisposeScope(),
            zeros_like(w.Tensor).DetachFromDisposeScope(),
            decays(w.Name) ? options.WeightDecay : 0,
            ParameterGroups.IsEncoder(w.Name) ? encoderRateScale : 1));
    }

    /// <summary>The squared length of all gradients taken as one vector, before clipping: a float64 scalar on their device.</summary>
    internal Tensor SumOfSquares()
    {
        using var scope = NewDisposeScope();
        var gradients = _items.Select(item => item.Weight.grad).OfType<Tensor>().ToArray();
        return (gradients.Length > 0 ? Ops.AdamW.SumOfSquares(gradients) : zeros([], ScalarType.Float64, _items[0].Weight.device)).MoveToOuterDisposeScope();
    }

    /// <summary>Takes a step along the gradients; none where loss or gradients are not finite. A GPU is not waited for.</summary>
    /// <param name="learningRate">This step's rate.</param>
    /// <param name="loss">Whose gradients they are.</param>
    /// <param name="sumOfSquares">What <see cref="SumOfSquares"/> said.</param>
    internal void Step(double learningRate, Tensor loss, Tensor sumOfSquares)
    {
        using var scope = NewDisposeScope();
        _steps++;
        var weights = new List<AdamWWeight>(_items.Length);
        foreach (var item in _items)
        {
            // A weight that the batch did not use (one of empty sequences uses hardly any) keeps its value, as with torch's optimizers.
            if (item.Weight.grad is not { } gradient)
            {
                continue;
            }
            weights.Add(new AdamWWeight(item.Weight, gradient, item.FirstMoment, item.SecondMoment, new AdamWStep
            {
                Number = _steps,
                LearningRate = learningRate * item.RateScale,
                Beta1 = _options.Beta1,
                Beta2 = _options.Beta2,
                WeightDecay = item.WeightDecay,
            }));
        }
        Ops.AdamW.Step(weights, new AdamWGuard(loss, sumOfSquares, _options.GradientClip));
    }

    public void Dispose()
    {
        foreach (var item in _items)
        {
            item.FirstMoment.Dispose();
            item.SecondMoment.Dispose();
        }
    }

    private sealed record Item(Parameter Weight, Tensor FirstMoment, Tensor SecondMoment, double WeightDecay, double RateScale);
}
