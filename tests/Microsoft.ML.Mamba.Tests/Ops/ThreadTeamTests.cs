using Microsoft.ML.Mamba.Kernels;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Ops;

/// <summary>The kernels on libtorch's OpenMP threads, against the same kernels on the thread pool.</summary>
public sealed class ThreadTeamTests
{
    private static readonly MambaConfig Config = new() { DModel = 64, NLayer = 2, FrameWidth = 3 };

    [SkippableFact]
    public async Task Bits_are_those_of_the_thread_pool()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "the team is libgomp's, which libtorch uses on Linux");
        var team = await FreshProcess.Run(PrintGradients, null, "team", "4");
        var pool = await FreshProcess.Run(PrintGradients, null, "pool", "4");
        var one = await FreshProcess.Run(PrintGradients, null, "pool", "1");
        Assert.Equal(pool.Success(), team.Success());
        Assert.Equal(pool.Success(), one.Success());
    }

    [Fact]
    public void Calls_from_many_threads_at_once_give_the_same_bits()
    {
        using var model = new MambaModel(Config, seed: 1);
        using var frames = Frames();
        using var want = Forward();
        Parallel.For(0, 24, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
        {
            using var got = Forward();
            TensorAssert.BitEqual(want, got, "hidden states");
        });

        Tensor Forward()
        {
            using var noGradient = no_grad();
            return model.forward(SequenceInput.FromFrames(frames.alias()));
        }
    }

    private static Tensor Frames() => RandomTensor.Single(new Random(3), 5, 70, 3);

    private static void PrintGradients(string threads, string count)
    {
        MambaEnvironment.LoadLibTorch();
        Assert.NotEqual(0, KernelThreads.TeamLauncher);
        if (threads == "pool")
            KernelThreads.TeamLauncher = 0;
        KernelThreads.Count = int.Parse(count);
        set_num_threads(4); // the size of the team; the same in all three, since matrix products sum in another order with another number
        using var scope = NewDisposeScope();
        using var model = new MambaModel(Config, seed: 1);
        model.forward(SequenceInput.FromFrames(Frames())).square().sum().backward();
        foreach (var (name, parameter) in model.named_parameters())
            Console.WriteLine($"{name} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(parameter.grad!.contiguous().bytes))}");
    }
}
