namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// Adam with decoupled weight decay: one pass over weight, gradient and both moments.
/// <code>
/// g = gradient·GradientScale
/// m = m + (1 - Beta1)·(g - m),  v = Beta2·v + (1 - Beta2)·g²
/// weight = weight·(1 - LearningRate·WeightDecay) - LearningRate / (1 - Beta1^t) · m / (√v / √(1 - Beta2^t) + Epsilon)
/// </code>
/// Source: Loshchilov and Hutter, Decoupled Weight Decay Regularization (2019), algorithm 2; the order of operations is that of
/// <c>torch.optim.AdamW</c>. Results do not depend on the number of threads.
/// </summary>
public static class AdamW
{
    /// <summary>Updates weights and moments in place.</summary>
    /// <param name="weight">Weights, any shape without gaps between rows.</param>
    /// <param name="gradient">Gradient of the loss, the weight's shape.</param>
    /// <param name="firstMoment">m, the weight's shape, zeros before the first step.</param>
    /// <param name="secondMoment">v, the weight's shape, zeros before the first step.</param>
    /// <param name="step">Settings.</param>
    /// <param name="threads">Threads at most; 0 for <see cref="KernelThreads.Count"/>.</param>
    /// <exception cref="ArgumentException">A shape or a setting does not fit; the text says which, what was expected, and what it got.</exception>
    public static void Step(
        Rows<float> weight, Rows<float> gradient, Rows<float> firstMoment, Rows<float> secondMoment, in AdamWStep step, int threads = 0)
    {
        Require(weight, gradient, firstMoment, secondMoment, step);
        SimdWidth.Dispatch(new AdamWBody(weight, gradient, firstMoment, secondMoment, step, threads));
    }

    /// <summary>Checks that the reference shares.</summary>
    internal static void Require<T>(Rows<T> weight, Rows<T> gradient, Rows<T> firstMoment, Rows<T> secondMoment, in AdamWStep step)
        where T : unmanaged
    {
        const string Operation = "AdamW.Step";
        step.Require(Operation);
        weight.RequireDense(Operation, "weight", weight.Count, weight.Width);
        gradient.RequireDense(Operation, "gradient", weight.Count, weight.Width);
        firstMoment.RequireDense(Operation, "firstMoment", weight.Count, weight.Width);
        secondMoment.RequireDense(Operation, "secondMoment", weight.Count, weight.Width);
    }
}
