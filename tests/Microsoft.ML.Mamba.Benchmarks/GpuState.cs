using System.Diagnostics;
using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>What nvidia-smi says of a GPU. libtorch's allocator gives nothing back, so what is in use after a run is the run's peak.</summary>
/// <param name="Name">The product's name.</param>
/// <param name="UsedMiB">Memory in use on it, CUDA's own included.</param>
internal sealed record GpuState(string Name, double UsedMiB)
{
    public static GpuState Read(int device)
    {
        var start = new ProcessStartInfo("nvidia-smi") { RedirectStandardOutput = true };
        foreach (string argument in (string[])["--query-gpu=name,memory.used", "--format=csv,noheader,nounits", $"--id={device}"])
            start.ArgumentList.Add(argument);
        using Process process = Process.Start(start)!;
        string[] parts = process.StandardOutput.ReadToEnd().Trim().Split(',');
        process.WaitForExit();
        return new GpuState(parts[0].Trim(), double.Parse(parts[1], CultureInfo.InvariantCulture));
    }

    /// <summary>Seconds of work on a GPU, from an idle one to an idle one.</summary>
    public static double Seconds(Device device, Action work)
    {
        cuda.synchronize(device);
        return Interleaved.Seconds(() =>
        {
            work();
            cuda.synchronize(device);
        });
    }

    /// <summary>10^9 bytes per second that copying moves within a GPU's memory, read and written together.</summary>
    public static double CopyGBs(Device device, Interleaved timing)
    {
        const long Bytes = 1L << 30;
        const int Copies = 8;
        using Tensor from = ones(Bytes / sizeof(float), dtype: ScalarType.Float32, device: device), to = empty_like(from);
        double[] seconds = timing.MediansOf(() => Seconds(device, () =>
        {
            for (int i = 0; i < Copies; i++)
                to.copy_(from);
        }));
        return 2.0 * Copies * Bytes / seconds[0] / 1e9;
    }
}
