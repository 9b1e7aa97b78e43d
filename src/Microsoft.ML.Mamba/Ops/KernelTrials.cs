using System.Diagnostics;
using Microsoft.ML.Mamba.Kernels.Cuda;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// Tries kernels out before their first use on each device: a small case against the plain loops. Kernels that are compiled on a
/// user's machine for a card that nobody here has seen should fail loudly or not at all. Who fails once does not serve on that
/// device again in this process.
/// </summary>
/// <param name="kernels">What is tried.</param>
/// <param name="deviceOf">The device of an index.</param>
/// <param name="use">What they do not serve for once they failed, and what stands in.</param>
internal sealed class KernelTrials(IBackwardKernels kernels, Func<int, Device> deviceOf, string use = "any more, and the backend 'torch' computes instead, far slower")
{
    private static readonly ReferenceBackend Truth = new();

    private readonly Lock _trying = new();
    private volatile HashSet<(string Op, int Device, ScalarType Type)> _passed = [];
    private volatile string[] _failures = [];
    private volatile Dictionary<int, string> _withdrawn = [];

    /// <summary>What went wrong, one line per device.</summary>
    public IReadOnlyList<string> Failures => _failures;

    /// <summary>Whether the kernels of an op compute right on a device.</summary>
    /// <param name="op">Name of the op; one without a case of its own passes.</param>
    /// <param name="device">Index of the device.</param>
    /// <param name="type">Type of the op's input.</param>
    /// <param name="reason">Why not, as the end of a sentence.</param>
    public bool Passed(string op, int device, ScalarType type, out string reason)
    {
        if (_withdrawn.TryGetValue(device, out reason!))
            return false;
        reason = "";
        if (_passed.Contains((op, device, type)))
            return true;
        lock (_trying)
        {
            if (_withdrawn.TryGetValue(device, out reason!))
                return false;
            reason = "";
            if (!_passed.Contains((op, device, type)))
            {
                reason = Try(op, device, type) ?? "";
                if (reason.Length > 0)
                {
                    _withdrawn = new(_withdrawn) { [device] = reason };
                    _failures = [.. _failures, $"device {device}: {reason}"];
                    Trace.TraceWarning($"The kernels '{kernels.Name}' do not serve on device {device} {use}: {reason}");
                }
                else
                {
                    _passed = [.. _passed, (op, device, type)];
                }
            }
        }

        return reason.Length == 0;
    }

    private string? Try(string op, int index, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        try
        {
            if (KernelTrialCase.Run(op, Truth, CPU, type, ScalarType.Float64) is not { } wanted)
                return null;
            var got = KernelTrialCase.Run(op, kernels, deviceOf(index), type, type)!;
            var tolerance = Tolerance(type);
            for (var i = 0; i < wanted.Count; i++)
            {
                var (name, want) = wanted[i];
                var have = got[i].Value.to(ScalarType.Float64).cpu();
                var (difference, largest) = ((have - want).abs().max().item<double>(), want.abs().max().item<double>());
                if (!(difference <= tolerance * largest))
                {
                    return FormattableString.Invariant(
                        $"at its first use {op} in {type} computed {name} wrong by {difference:g3}; expected at most {tolerance * largest:g3} (the largest number is {largest:g3}).");
                }
            }

            return null;
        }
        catch (Exception e) when (e is InvalidOperationException or CudaException { IsOutOfMemory: false })
        {
            return $"at its first use {op} in {type} failed: {e.Message}";
        }
    }

    /// <summary>Wide enough for any rounding: a trial looks for wrong kernels, not for inexact ones.</summary>
    private static double Tolerance(ScalarType type) => type switch { ScalarType.Float32 => 1e-4, ScalarType.Float64 => 1e-9, _ => 3e-2 };
}
