using Microsoft.ML.Mamba;
using ScottPlot;

/// <summary>The picture of a training run.</summary>
internal static class TrainingCurve
{
    /// <summary>Training and validation loss (left axis) and validation metric (right axis) over the epochs.</summary>
    /// <param name="history">What the trainer remembers of its epochs.</param>
    /// <param name="path">The PNG file.</param>
    /// <param name="title">The title.</param>
    /// <param name="unit">What the loss is a mean over.</param>
    /// <param name="metric">What the validation metric, a share, is called.</param>
    public static void Draw(MambaTrainingHistory history, string path, string title = "Training of the Mamba classifier", string unit = "sequence", string metric = "accuracy")
    {
        var plot = new Plot();
        var epochs = history.Epochs.Select(e => (double)e.Epoch).ToArray();
        Add(history.Epochs.Select(e => e.TrainingLoss), "training loss", Colors.C0, plot.Axes.Left);
        if (history.Epochs.All(e => e.ValidationLoss.HasValue))
        {
            Add(history.Epochs.Select(e => e.ValidationLoss!.Value), "validation loss", Colors.C1, plot.Axes.Left);
            Add(history.Epochs.Select(e => 100 * e.ValidationMetric!.Value), $"validation {metric}", Colors.C2, plot.Axes.Right);
            plot.Axes.Right.Label.Text = $"{metric} (%)";
        }
        if (history.BestEpoch > 0)
        {
            var best = plot.Add.VerticalLine(history.BestEpoch, color: Colors.Gray, pattern: LinePattern.Dotted);
            best.LegendText = "weights kept";
        }

        plot.Title(title);
        plot.XLabel("epoch");
        plot.YLabel($"loss per {unit} (nats)");
        plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericAutomatic { IntegerTicksOnly = true };
        plot.Axes.Bottom.MinorTickStyle.Length = 0;
        plot.ShowLegend(Edge.Bottom);
        PictureFont.SetOn(plot);
        plot.SavePng(path, 900, 560);

        void Add(IEnumerable<double> values, string name, Color color, IYAxis axis)
        {
            var line = plot.Add.Scatter(epochs, values.ToArray(), color);
            line.LegendText = name;
            line.LineWidth = 2;
            line.Axes.YAxis = axis;
        }
    }
}
