using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Tests.Support;
using Microsoft.ML.Mamba.Training;

namespace Microsoft.ML.Mamba.Tests.Training;

/// <summary>
/// The collector may run at any moment; what native code still reads must be held. (Scalars that are not are found in the
/// sources, by HeldScalarsTests: a run shows them once in many hours only.)
/// </summary>
[Collection(nameof(Alone))]
public sealed class CollectorTests
{
    private const int Threads = 6;

    [Fact]
    public async Task Training_and_scoring_under_a_collector_that_never_rests_give_the_same_bits()
    {
        var request = ToyTasks.Request() with { Pooling = MambaPooling.Attention, Config = ToyTasks.SmallModel with { MaxPositions = 12 } };
        var batch = ToyTasks.AllOf(ToyTasks.GcRich(16, seed: 3));
        float[] TrainAndPredict()
        {
            using var model = TrainingLoop.Run(request);
            return Enumerable.Range(0, 20).SelectMany(_ => model.Predict(batch)).ToArray();
        }

        var want = TrainAndPredict();
        using var done = new CancellationTokenSource();
        var collector = Task.Run(() =>
        {
            while (!done.IsCancellationRequested)
            {
                GC.Collect(0);
                GC.WaitForPendingFinalizers();
            }
        });
        var got = await Task.WhenAll(Enumerable.Range(0, Threads).Select(_ => Task.Run(TrainAndPredict)));
        await done.CancelAsync();
        await collector;

        Assert.All(got, scores => Assert.Equal(want, scores));
    }
}
