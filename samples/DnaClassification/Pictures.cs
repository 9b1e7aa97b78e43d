using Microsoft.ML.Data;
using Microsoft.ML.Mamba;
using ScottPlot;

/// <summary>The two pictures of a finished run.</summary>
internal static class Pictures
{
    /// <summary>Training and validation loss (left axis) and validation accuracy (right axis) over the epochs.</summary>
    public static void TrainingCurve(MambaTrainingHistory history, string path)
    {
        var plot = new Plot();
        var epochs = history.Epochs.Select(e => (double)e.Epoch).ToArray();
        Add(history.Epochs.Select(e => e.TrainingLoss), "training loss", Colors.C0, plot.Axes.Left);
        if (history.Epochs.All(e => e.ValidationLoss.HasValue))
        {
            Add(history.Epochs.Select(e => e.ValidationLoss!.Value), "validation loss", Colors.C1, plot.Axes.Left);
            Add(history.Epochs.Select(e => 100 * e.ValidationMetric!.Value), "validation accuracy", Colors.C2, plot.Axes.Right);
            plot.Axes.Right.Label.Text = "accuracy (%)";
        }
        if (history.BestEpoch > 0)
        {
            var best = plot.Add.VerticalLine(history.BestEpoch, color: Colors.Gray, pattern: LinePattern.Dotted);
            best.LegendText = "weights kept";
        }

        plot.Title("Training of the Mamba classifier");
        plot.XLabel("epoch");
        plot.YLabel("loss per sequence (nats)");
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

    /// <summary>True classes down, predicted classes across; a cell's shade is its share of the true class.</summary>
    public static void ConfusionMatrix(ConfusionMatrix matrix, IReadOnlyList<string> classes, string path)
    {
        var plot = new Plot();
        var count = classes.Count;
        var shares = new double[count, count];
        for (var truth = 0; truth < count; truth++)
        {
            var rows = Math.Max(1, matrix.Counts[truth].Sum());
            for (var guess = 0; guess < count; guess++)
            {
                shares[truth, guess] = matrix.Counts[truth][guess] / rows;
                // The first row of a heat map is its highest.
                var text = plot.Add.Text($"{matrix.Counts[truth][guess]:F0}\n{shares[truth, guess]:P1}".Replace(" ", ""), guess, count - 1 - truth);
                text.Alignment = Alignment.MiddleCenter;
                text.LabelFontName = PictureFont.Name;
                text.LabelFontSize = 18;
                text.LabelFontColor = shares[truth, guess] > 0.5 ? Colors.White : Colors.Black;
            }
        }
        var map = plot.Add.Heatmap(shares);
        map.Colormap = new ScottPlot.Colormaps.Blues().Reversed();
        map.ManualRange = new ScottPlot.Range(0, 1);
        plot.MoveToBack(map);

        plot.Title("Test set: true and predicted classes");
        plot.XLabel("predicted");
        plot.YLabel("true");
        plot.Axes.Bottom.SetTicks(Enumerable.Range(0, count).Select(i => (double)i).ToArray(), [.. classes]);
        plot.Axes.Left.SetTicks(Enumerable.Range(0, count).Select(i => (double)(count - 1 - i)).ToArray(), [.. classes]);
        plot.HideGrid();
        PictureFont.SetOn(plot);
        plot.SavePng(path, 120 + 140 * count, 120 + 120 * count);
    }
}
