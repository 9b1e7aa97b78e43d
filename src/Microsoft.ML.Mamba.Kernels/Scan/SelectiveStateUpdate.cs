namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// One step of the selective scan, for inference token by token: the state is updated in place. The same formulas as
/// <see cref="SelectiveScan"/> (<c>selective_state_update_ref</c> of state-spaces/mamba at commit e9594ce).
/// </summary>
public static class SelectiveStateUpdate
{
    private const string Operation = "SelectiveStateUpdate";

    /// <summary>h and y after one more input.</summary>
    /// <param name="step">Arguments, with the shape of each.</param>
    /// <param name="threads">Threads at most; 0 for <see cref="KernelThreads.Count"/>.</param>
    /// <exception cref="ArgumentException">A shape does not fit the dimensions.</exception>
    public static void Step(in SelectiveStateUpdateStep<float> step, int threads = 0)
    {
        step.AsScan(Operation).Require(Operation);
        SimdWidth.Dispatch(new StateStepBody(step, threads));
    }
}
