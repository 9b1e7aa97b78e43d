using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>
/// Where a model is trained, or loaded to: what <c>GpuDeviceId</c> and <c>FallbackToCpu</c> of the context said when the estimator
/// was made, or when the model is loaded. Null, ML.NET's default, is the CPU.
/// </summary>
internal static class ScoringDevice
{
    /// <exception cref="InvalidOperationException">The device is not there and FallbackToCpu is false.</exception>
    public static ComputeDevice Choose(IHost host, IChannel channel)
    {
        if (host is not IHostEnvironmentInternal { GpuDeviceId: { } id } environment)
            return default;
        try
        {
            return ComputeDevice.Choose(id, environment.FallbackToCpu, channel.Warning);
        }
        catch (InvalidOperationException e)
        {
            throw host.Except(e, e.Message);
        }
    }

    /// <summary>The same when a model is loaded, with a line in the log that says where it scores.</summary>
    public static ComputeDevice ForLoading(IHost host)
    {
        using var channel = host.Start("Loading");
        var device = Choose(host, channel);
        channel.Info($"The model scores on {device}");
        return device;
    }
}
