using System.Diagnostics;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>
/// Times several things in turn, round after round, so that a slower minute of the machine slows all of them; the result of
/// each is the median of its rounds.
/// </summary>
/// <param name="Rounds">Measured rounds, after one round of warm-up.</param>
/// <param name="SecondsPerTurn">A thing that is quicker than this runs again until its turn is over; the turn counts with its median.</param>
internal sealed record Interleaved(int Rounds, double SecondsPerTurn = 0.02)
{
    /// <summary>Times whole calls.</summary>
    /// <returns>Median seconds of each, in the order given.</returns>
    public double[] Medians(params IReadOnlyList<Action> calls) => MediansOf([.. calls.Select(call => (Func<double>)(() => Seconds(call)))]);

    /// <summary>Times what each function itself reports, in seconds: for calls with parts that do not count.</summary>
    public double[] MediansOf(params IReadOnlyList<Func<double>> measured)
    {
        var samples = measured.Select(_ => new List<double>()).ToArray();
        for (int round = -1; round < Rounds; round++)
        {
            for (int i = 0; i < measured.Count; i++)
            {
                double turn = Turn(measured[i]);
                if (round >= 0)
                    samples[i].Add(turn);
            }
        }

        return [.. samples.Select(Median)];
    }

    /// <summary>Seconds that one call takes.</summary>
    public static double Seconds(Action call)
    {
        long start = Stopwatch.GetTimestamp();
        call();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    public static double Median(List<double> values)
    {
        double[] sorted = [.. values.Order()];
        int half = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
    }

    private double Turn(Func<double> measured)
    {
        var seconds = new List<double>();
        double sum = 0;
        while (sum < SecondsPerTurn || seconds.Count == 0)
        {
            double once = measured();
            seconds.Add(once);
            sum += once;
        }

        return Median(seconds);
    }
}
