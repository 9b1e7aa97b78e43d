using ScottPlot;

/// <summary>The picture of a finished run.</summary>
internal static class Pictures
{
    /// <summary>A point for each text, in the two directions in which the embeddings differ most; colours are labels, which the encoder has not seen.</summary>
    public static void Map(IReadOnlyList<(string Label, float[] Place)> points, string title, string path)
    {
        var plot = new Plot();
        foreach (var (label, places) in points.GroupBy(p => p.Label, p => p.Place).OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => (g.Key, g.ToArray())))
        {
            var scatter = plot.Add.ScatterPoints(places.Select(p => (double)p[0]).ToArray(), places.Select(p => (double)p[1]).ToArray());
            scatter.MarkerSize = 6;
            scatter.MarkerShape = MarkerShape.FilledCircle;
            scatter.Color = scatter.Color.WithAlpha(.6);
            scatter.LegendText = label;
        }

        plot.Title(title);
        plot.XLabel("first principal component");
        plot.YLabel("second principal component");
        plot.ShowLegend(Edge.Right);
        PictureFont.SetOn(plot);
        plot.SavePng(path, 900, 560);
    }
}
