using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// The backends in the order in which an op asks them. The first that supports device and type computes, unless one is forced:
/// by <see cref="Force"/> for the present flow of control, or by the environment variable MAMBA_KERNELS for the process.
/// </summary>
public static class KernelBackends
{
    /// <summary>Environment variable that forces a backend by name.</summary>
    public const string EnvironmentVariable = "MAMBA_KERNELS";

    private static readonly string? ForcedByEnvironment = Environment.GetEnvironmentVariable(EnvironmentVariable) is { Length: > 0 } name ? name : null;
    private static readonly AsyncLocal<string?> Forced = new();

    private static readonly CudaBackend Cuda = new();

    /// <summary>All backends, first choice first.</summary>
    public static IReadOnlyList<IKernelBackend> All { get; } =
        [Cuda, new RowKernels<float>("cpu", new CpuKernels()), new TorchKernels(), new ReferenceBackend()];

    /// <summary>Forces one backend until the result is disposed, in this flow of control only (threads started by it included).</summary>
    /// <param name="name">Name of a backend, or null to choose freely again (also against MAMBA_KERNELS).</param>
    /// <exception cref="ArgumentException">There is no such backend.</exception>
    public static IDisposable Force(string? name)
    {
        if (name is not null)
            Find(name, nameof(Force));
        var restore = new Restore(Forced.Value);
        Forced.Value = name ?? "";
        return restore;
    }

    /// <summary>
    /// Why backends that found themselves computing wrongly, or failing, on a device do not serve it any more in this process; empty
    /// when none did. Each was also written to <see cref="System.Diagnostics.Trace"/> as a warning.
    /// </summary>
    public static IReadOnlyList<string> Withdrawn => [.. Cuda.Trials.Failures, .. Cuda.StepTrials.Failures];

    /// <summary>The backend that computes an op on a tensor.</summary>
    /// <param name="op">Name of the op, for the message.</param>
    /// <param name="operand">The op's input: its device and type decide.</param>
    /// <exception cref="NotSupportedException">The forced backend, or every backend, declines.</exception>
    public static IKernelBackend Choose(string op, Tensor operand)
    {
        ArgumentNullException.ThrowIfNull(operand);
        var device = operand.device_type;
        return Choose(op, device, device == DeviceType.CPU ? -1 : operand.device_index, operand.dtype);
    }

    /// <summary>The backend that computes an op on a kind of device and a type, as far as that can be said without asking the device itself.</summary>
    /// <param name="op">Name of the op, for the message.</param>
    /// <param name="device">Device of the operands.</param>
    /// <param name="type">Element type of the floating operands.</param>
    /// <exception cref="NotSupportedException">The forced backend, or every backend, declines.</exception>
    public static IKernelBackend Choose(string op, DeviceType device, ScalarType type) => Choose(op, device, null, type);

    private static IKernelBackend Choose(string op, DeviceType device, int? index, ScalarType type)
    {
        bool Takes(IKernelBackend backend, out string reason) =>
            backend.Supports(device, type, out reason) && (index is not { } number || backend.IsReady(op, number, type, out reason));

        var forced = Forced.Value ?? ForcedByEnvironment;
        if (!string.IsNullOrEmpty(forced))
        {
            var backend = Find(forced, op);
            return Takes(backend, out var reason)
                ? backend
                : throw new NotSupportedException($"{op}: the forced backend '{backend.Name}' does not compute on {device} {type}: {reason}");
        }

        foreach (var backend in All)
        {
            if (Takes(backend, out _))
                return backend;
        }

        var reasons = string.Join("; ", All.Select(b => Takes(b, out var why) ? b.Name : $"{b.Name}: {why}"));
        throw new NotSupportedException($"{op}: no backend computes on {device} {type} ({reasons}).");
    }

    private static IKernelBackend Find(string name, string op) =>
        All.FirstOrDefault(b => string.Equals(b.Name, name, StringComparison.OrdinalIgnoreCase))
        ?? throw new ArgumentException($"{op}: there is no kernel backend '{name}'; expected one of: {string.Join(", ", All.Select(b => b.Name))}.");

    private sealed class Restore(string? previous) : IDisposable
    {
        public void Dispose() => Forced.Value = previous;
    }
}
