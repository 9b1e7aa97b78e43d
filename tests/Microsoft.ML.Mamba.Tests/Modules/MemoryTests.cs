using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Modules;

/// <summary>Graphs, saved tensors and gradients are freed: in a process of its own, since it counts memory of the whole process.</summary>
public sealed class MemoryTests
{
    private const int Length = 96;

    public static TheoryData<string, MambaNorm> Cases() => new()
    {
        { "cpu", MambaNorm.RmsNorm },
        { "torch", MambaNorm.RmsNorm },
        { "cpu", MambaNorm.LayerNorm },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_thousand_steps_take_no_more_memory_than_a_hundred(string backend, MambaNorm norm)
    {
        var outcome = await FreshProcess.Run(Train, PeakMemory.SmallYoungGeneration, backend, norm.ToString());
        var fields = outcome.Success().Split(' ').Select(long.Parse).ToArray();
        var (tensorsAfter100, tensorsAfter1000, bytesAfter100, bytesAfter1000) = (fields[0], fields[1], fields[2], fields[3]);
        Assert.Equal(tensorsAfter100, tensorsAfter1000);
        // One leaked activation of (4, 96, 32) floats per step would be 44 MB; compiled code and thread stacks come to some 10 MB.
        Assert.True(bytesAfter1000 - bytesAfter100 < 24_000_000, $"grew from {bytesAfter100} to {bytesAfter1000} bytes");
    }

    private static void Train(string backend, string norm)
    {
        using var force = KernelBackends.Force(backend);
        set_num_threads(1);
        using var model = new MambaForSequenceClassification(
            new MambaConfig { DModel = 16, NLayer = 1, DState = 4, VocabSize = 5, Bidirectional = true, Norm = Enum.Parse<MambaNorm>(norm) }, MambaPooling.Attention, 2, 0.1, seed: 1);
        var ids = new int[4 * Length];
        int[] lengths = [Length, 10, 3, Length];
        var (tensors100, bytes100) = (0L, 0L);
        for (var step = 1; step <= (backend == "torch" ? 200 : 1000); step++)
        {
            using (NewDisposeScope())
            {
                using var input = SequenceInput.FromIds(ids, 4, Length, lengths);
                model.forward(input).square().sum().backward();
                foreach (var parameter in model.parameters())
                    parameter.grad = null;
            }

            if (step == 100)
                (tensors100, bytes100) = Measure();
        }

        var (tensors, bytes) = Measure();
        Console.WriteLine($"{tensors100} {tensors} {bytes100} {bytes}");
    }

    /// <summary>Tensors, and resident bytes beside the managed heap.</summary>
    private static (long Tensors, long Bytes) Measure()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        using var process = System.Diagnostics.Process.GetCurrentProcess();
        return (Tensor.TotalCount, process.WorkingSet64 - GC.GetGCMemoryInfo(GCKind.Any).TotalCommittedBytes);
    }
}
