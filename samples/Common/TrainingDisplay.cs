using System.Globalization;
using Microsoft.ML.Mamba;
using Spectre.Console;

/// <summary>Shows a running training: a live table on a terminal, one line per epoch where the output goes to a file.</summary>
/// <param name="metric">What the validation metric is called.</param>
/// <param name="format">How it is written.</param>
internal sealed class TrainingDisplay(string metric, Func<double, string> format)
{
    private const int BarLength = 30;

    private readonly Table _table = new Table().Border(TableBorder.Rounded)
        .AddColumns("Epoch", "Loss", "Validation loss", char.ToUpperInvariant(metric[0]) + metric[1..], "Sequences/s")
        .Caption("Preparing …");
    private LiveDisplayContext? _live;
    private bool _lastRowIsOpen;

    /// <summary>For trainers of classifiers.</summary>
    public static TrainingDisplay OfAccuracy() => new("accuracy", value => Text($"{100 * value:F1} %"));

    /// <summary>For encoders that are learnt without labels.</summary>
    public static TrainingDisplay OfPerplexity() => new("perplexity", value => Text($"{value:F2}"));

    /// <summary>Runs the training with the display up; hand <see cref="Report"/> to the trainer.</summary>
    public T Show<T>(Func<T> train)
    {
        if (Console.IsOutputRedirected || !AnsiConsole.Profile.Capabilities.Ansi)
            return train();

        return AnsiConsole.Live(_table).Overflow(VerticalOverflow.Crop).Cropping(VerticalOverflowCropping.Top).Start(live =>
        {
            _live = live;
            live.Refresh();
            return train();
        });
    }

    /// <summary>Takes what the trainer reports: twice a second within an epoch, and at the end of each.</summary>
    public void Report(MambaTrainingProgress progress)
    {
        string[] cells =
        [
            Text($"{progress.Epoch} of {progress.Epochs}"),
            Text($"{progress.TrainingLoss:F3}"),
            Text($"{progress.ValidationLoss:F3}"),
            progress.ValidationMetric is { } value ? format(value) + (progress.IsBest ? " *" : "") : "",
            Text($"{progress.SequencesPerSecond:F0}"),
        ];
        var left = Text($"{progress.EstimatedTimeLeft:m\\:ss} left");
        if (_live is null)
        {
            if (progress.EpochCompleted)
                Console.WriteLine($"epoch {cells[0],-8}  loss {cells[1]}  validation loss {cells[2]}  {metric} {cells[3],-8}  {cells[4]} sequences/s  {left}");
            return;
        }

        if (_lastRowIsOpen)
            _table.RemoveRow(_table.Rows.Count - 1);
        _table.AddRow(cells.Select(Markup.Escape).ToArray());
        _lastRowIsOpen = !progress.EpochCompleted;
        var done = (int)(BarLength * progress.Step / Math.Max(1, progress.Steps));
        _table.Caption($"{new string('█', done)}{new string('░', BarLength - done)} {left}");
        _live.Refresh();
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
