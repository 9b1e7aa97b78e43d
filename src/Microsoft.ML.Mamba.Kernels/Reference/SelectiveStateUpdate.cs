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
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var scan = step.AsScan("Reference.SelectiveStateUpdate");
        if (!step.AIsLog)
        {
            SelectiveScan.Forward(scan);
            return;
        }

        scan.Require("Reference.SelectiveStateUpdate");
        using var rates = new NativeArray<T>(step.A.Count * step.A.Width);
        for (var i = 0; i < rates.Length; i++)
        {
            rates[i] = T.CreateSaturating(-Math.Exp(SelectiveScan.Get(step.A, i / step.A.Width, i % step.A.Width)));
        }

        SelectiveScan.Forward(scan with { A = rates.AsRows(step.A.Count, step.A.Width) });
    }
}
