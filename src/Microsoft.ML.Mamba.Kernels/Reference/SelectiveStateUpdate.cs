using System.Numerics;

namespace Microsoft.ML.Mamba.Kernels.Reference;

/// <summary>One step of the selective scan in plain loops: a scan of length 1 from the state into the state.</summary>
public static class SelectiveStateUpdate
{
    /// <summary>h and y after one more input.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="step">Arguments, with the shape of each.</param>
    /// <exception cref="ArgumentException">A shape does not fit the dimensions.</exception>
    public static void Step<T>(in SelectiveStateUpdateStep<T> step)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> =>
        SelectiveScan.Forward(step.AsScan("Reference.SelectiveStateUpdate"));
}
