using Microsoft.ML.Data;
using ScottPlot;

/// <summary>The picture of what a finished run got right.</summary>
internal static class Pictures
{
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
