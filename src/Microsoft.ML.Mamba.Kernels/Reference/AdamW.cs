using System.Numerics;

namespace Microsoft.ML.Mamba.Kernels.Reference;

/// <summary>The truth that <see cref="Kernels.AdamW"/> is compared with: a plain loop in double.</summary>
public static unsafe class AdamW
{
    /// <inheritdoc cref="Kernels.AdamW.Step"/>
    /// <typeparam name="T">float or double.</typeparam>
    public static void Step<T>(Rows<T> weight, Rows<T> gradient, Rows<T> firstMoment, Rows<T> secondMoment, in AdamWStep step)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        Kernels.AdamW.Require(weight, gradient, firstMoment, secondMoment, step);
        for (long i = 0; i < weight.Count * weight.Width; i++)
        {
            var g = double.CreateSaturating(gradient.Pointer[i]) * step.GradientScale;
            var m = step.Beta1 * double.CreateSaturating(firstMoment.Pointer[i]) + (1 - step.Beta1) * g;
            var v = step.Beta2 * double.CreateSaturating(secondMoment.Pointer[i]) + (1 - step.Beta2) * g * g;
            var correctedM = m / (1 - Math.Pow(step.Beta1, step.Number));
            var correctedV = v / (1 - Math.Pow(step.Beta2, step.Number));
            var w = double.CreateSaturating(weight.Pointer[i]);
            w -= step.LearningRate * step.WeightDecay * w;
            w -= step.LearningRate * correctedM / (Math.Sqrt(correctedV) + step.Epsilon);
            weight.Pointer[i] = T.CreateSaturating(w);
            firstMoment.Pointer[i] = T.CreateSaturating(m);
            secondMoment.Pointer[i] = T.CreateSaturating(v);
        }
    }
}
