using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.Mamba.Modules;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <param name="UsPerToken">Median over processes of the median time of one scoring divided by the length.</param>
/// <param name="PeakMb">Median over processes of the largest resident memory, runtime and libtorch included.</param>
internal sealed record LengthRow(int Length, double UsPerToken, double PeakMb);

/// <summary>One causal classifier on ever longer sequences, without gradients; every length in a process of its own, for its peak memory.</summary>
internal static class LengthBenchmark
{
    private const int Vocabulary = 5;

    public static IEnumerable<System.CommandLine.Command> Commands()
    {
        Option<FileInfo?> json = Report.JsonOption();
        Option<int> rounds = new("--rounds") { Description = "Processes for each length.", DefaultValueFactory = _ => 3 };
        Option<int> longest = new("--longest") { Description = "Exponent of two of the longest sequence.", DefaultValueFactory = _ => 19 };
        System.CommandLine.Command command = new("length", "Time per token and peak memory of a causal model (DModel 64, 2 layers) from 2^10 to 2^19 tokens.") { rounds, longest, json };
        command.SetAction(arguments => Report.Write(Measure(arguments.GetValue(rounds), arguments.GetValue(longest)), arguments.GetValue(json)));
        yield return command;

        Argument<int> length = new("LENGTH");
        System.CommandLine.Command one = new("length-of-one", "What a process of the length benchmark does.") { length };
        one.Hidden = true;
        one.SetAction(arguments => MeasureHere(arguments.GetValue(length)));
        yield return one;
    }

    private static List<LengthRow> Measure(int rounds, int longest)
    {
        int[] lengths = [.. Enumerable.Range(10, longest - 9).Select(exponent => 1 << exponent)];
        var samples = lengths.ToDictionary(length => length, _ => new List<(double Us, double Mb)>());
        for (int round = 0; round < rounds; round++)
        {
            foreach (int length in lengths)
                samples[length].Add(MeasureInProcess(length));
            Console.WriteLine($"round {round + 1} of {rounds}: done");
        }

        return [.. samples.Select(s => new LengthRow(s.Key, Interleaved.Median([.. s.Value.Select(v => v.Us)]), Interleaved.Median([.. s.Value.Select(v => v.Mb)])))];
    }

    private static (double Us, double Mb) MeasureInProcess(int length)
    {
        double[] values = OwnProcess.Numbers("length-of-one", length.ToString(CultureInfo.InvariantCulture));
        return (values[0], values[1]);
    }

    /// <summary>Prints microseconds per token and the peak of resident memory in 10^6 bytes.</summary>
    private static void MeasureHere(int length)
    {
        MambaEnvironment.LoadLibTorch();
        var config = new MambaConfig { DModel = 64, NLayer = 2, VocabSize = Vocabulary, Bidirectional = false };
        using var model = new MambaForSequenceClassification(config, MambaPooling.Mean, outputs: 2, dropout: 0, seed: 1);
        model.eval();
        using (SequenceInput warmUp = Input(1 << 12))
            new Interleaved(1, SecondsPerTurn: 0.2).Medians(() => Score(model, warmUp));

        using SequenceInput input = Input(length);
        double seconds = new Interleaved(3, SecondsPerTurn: 0.2).Medians(() => Score(model, input))[0];
        using Process self = Process.GetCurrentProcess();
        Console.WriteLine(FormattableString.Invariant($"{seconds * 1e6 / length} {self.PeakWorkingSet64 / 1e6}"));
    }

    private static SequenceInput Input(int length) => SequenceInput.FromIds(randint(0, Vocabulary, [1, length], dtype: ScalarType.Int64));

    private static void Score(MambaForSequenceClassification model, SequenceInput input)
    {
        using DisposeScope scope = NewDisposeScope();
        using IDisposable withoutGraph = no_grad();
        model.forward(input);
    }
}
