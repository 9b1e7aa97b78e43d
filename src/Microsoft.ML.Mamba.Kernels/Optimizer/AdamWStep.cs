namespace Microsoft.ML.Mamba.Kernels;

/// <summary>What one step of <see cref="AdamW"/> does to every weight of a tensor.</summary>
public readonly record struct AdamWStep
{
    /// <summary>Which step this is, from 1: corrects the moments for having begun at zero.</summary>
    public required long Number { get; init; }

    /// <summary>Learning rate, ≥ 0.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Decay of the first moment, from 0 to below 1.</summary>
    public required double Beta1 { get; init; }

    /// <summary>Decay of the second moment, from 0 to below 1.</summary>
    public required double Beta2 { get; init; }

    /// <summary>Added to the root of the second moment, &gt; 0.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>The weight shrinks by the factor 1 - LearningRate·WeightDecay first, ≥ 0.</summary>
    public double WeightDecay { get; init; }

    /// <summary>The gradient is multiplied by this first: how clipping arrives.</summary>
    public double GradientScale { get; init; } = 1;

    /// <summary>Sets what is not required.</summary>
    public AdamWStep()
    {
    }

    /// <summary>Factor of the weight: 1 - LearningRate·WeightDecay.</summary>
    public double Shrink => 1 - LearningRate * WeightDecay;

    /// <summary>Factor of the first moment over the root: LearningRate / (1 - Beta1^Number).</summary>
    public double StepSize => LearningRate / (1 - Math.Pow(Beta1, Number));

    /// <summary>Factor of the root of the second moment: 1 / √(1 - Beta2^Number).</summary>
    public double RootScale => 1 / Math.Sqrt(1 - Math.Pow(Beta2, Number));

    /// <summary>Refuses settings without meaning.</summary>
    /// <exception cref="ArgumentException">The text says which, what was expected, and what it got.</exception>
    internal void Require(string operation)
    {
        void Require(bool holds, string name, double value, string expected)
        {
            if (!holds)
            {
                throw new ArgumentException(FormattableString.Invariant($"{operation}: {name} is {value}; expected {expected}."), name);
            }
        }

        Require(Number >= 1, "Number", Number, "≥ 1");
        Require(LearningRate >= 0 && double.IsFinite(LearningRate), "LearningRate", LearningRate, "a finite number ≥ 0");
        Require(Beta1 is >= 0 and < 1, "Beta1", Beta1, "a number from 0 to below 1");
        Require(Beta2 is >= 0 and < 1, "Beta2", Beta2, "a number from 0 to below 1");
        Require(Epsilon > 0 && double.IsFinite(Epsilon), "Epsilon", Epsilon, "a finite number > 0");
        Require(WeightDecay >= 0 && double.IsFinite(WeightDecay), "WeightDecay", WeightDecay, "a finite number ≥ 0");
        Require(double.IsFinite(GradientScale), "GradientScale", GradientScale, "a finite number");
    }
}
