using Microsoft.ML.Mamba.Tests.Pipeline;

namespace Microsoft.ML.Mamba.Tests.Gpu;

/// <summary>GpuDeviceId and FallbackToCpu of the context, with devices that no machine has: these facts hold everywhere.</summary>
public sealed class GpuChoiceTests
{
    private const int NoSuchDevice = 4711;

    [Fact]
    public void A_device_that_is_not_there_is_replaced_by_the_CPU_with_one_warning()
    {
        var ml = new MLContext(seed: 1) { GpuDeviceId = NoSuchDevice, FallbackToCpu = true };
        var warnings = Warnings(ml);

        using var model = EmbeddingModels.Fit(ml);

        Assert.StartsWith($"GpuDeviceId is {NoSuchDevice}, but ", Assert.Single(warnings));
        Assert.EndsWith("The CPU computes instead, since FallbackToCpu is true.", warnings[0]);
    }

    [Fact]
    public void Without_fall_back_it_is_an_error_that_says_what_is_there()
    {
        var ml = new MLContext(seed: 1) { GpuDeviceId = NoSuchDevice, FallbackToCpu = false };

        var error = Assert.ThrowsAny<InvalidOperationException>(() => EmbeddingModels.Fit(ml));

        Assert.Contains($"GpuDeviceId is {NoSuchDevice}, but ", error.Message);
        Assert.Contains(CudaMachine.IsHere ? "CUDA device" : "expected", error.Message);
        Assert.Contains("With FallbackToCpu = true the CPU would stand in.", error.Message);
    }

    [Fact]
    public void The_context_that_loads_a_model_decides_where_it_scores()
    {
        var ml = new MLContext(seed: 1);
        using var fitted = EmbeddingModels.Fit(ml);
        var zip = ModelZip.Save(ml, fitted, ml.Data.LoadFromEnumerable(PipelineData.Rows(1)).Schema);
        var falling = new MLContext { GpuDeviceId = NoSuchDevice, FallbackToCpu = true };
        var warnings = Warnings(falling);

        using var loaded = (IDisposable)zip.Load(falling);

        Assert.Contains($"GpuDeviceId is {NoSuchDevice}", Assert.Single(warnings));
        var error = Record.Exception(() => zip.Load(new MLContext { GpuDeviceId = NoSuchDevice, FallbackToCpu = false }));
        while (error?.InnerException is not null)
            error = error.InnerException;
        Assert.Contains($"GpuDeviceId is {NoSuchDevice}, but ", error?.Message);
    }

    [Fact]
    public void The_log_says_where_a_model_is_trained()
    {
        var ml = new MLContext(seed: 1);
        var lines = new List<string>();
        ml.Log += (_, e) => lines.Add(e.Message);

        using var model = EmbeddingModels.Fit(ml, options => options.Training.Precision = MambaPrecision.BFloat16);

        Assert.Contains(lines, line => line.EndsWith("steps per epoch, on the CPU", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.EndsWith("Precision BFloat16 is for GPUs; the CPU computes in Float32", StringComparison.Ordinal));
    }

    [Fact]
    public void The_precision_is_saved_with_the_model_and_the_CPU_scores_it_in_32_bits()
    {
        var ml = new MLContext(seed: 1);
        using var model = EmbeddingModels.Fit(ml, options => options.Training.Precision = MambaPrecision.BFloat16);
        using var plain = EmbeddingModels.Fit(ml);
        var rows = PipelineData.Rows(5);
        var zip = ModelZip.Save(ml, model, ml.Data.LoadFromEnumerable(rows).Schema);

        Assert.Contains("\"precision\": \"BFloat16\"", System.Text.Encoding.UTF8.GetString(zip.Entries.Single(e => e.Key.EndsWith("config.json", StringComparison.Ordinal)).Value));
        Assert.Equal(EmbeddingModels.Embed(ml, plain, rows), EmbeddingModels.Embed(ml, zip.Load(ml), rows));
    }

    private static List<string> Warnings(MLContext ml)
    {
        var warnings = new List<string>();
        ml.Log += (_, e) =>
        {
            if (e.Kind == Runtime.ChannelMessageKind.Warning)
                warnings.Add(e.RawMessage);
        };
        return warnings;
    }
}
