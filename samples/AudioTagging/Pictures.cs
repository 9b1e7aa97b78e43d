using Microsoft.ML.Mamba;
using ScottPlot;

/// <summary>The pictures of a finished run.</summary>
internal static class Pictures
{
    private static readonly Color[] Palette =
        [.. new[] { "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#CC79A7", "#D55E00", "#4C78D8", "#8E6C4E", "#9A9A9A", "#7FD34E", "#B07AD9", "#E5C494" }.Select(Color.FromHex)];

    /// <summary>The sound of a recording, and below it what is heard when: rows of events on the same time axis.</summary>
    /// <param name="frames">Log-mel frames, one after the other.</param>
    /// <param name="bands">Values per frame.</param>
    /// <param name="hop">The time from one frame to the next, s.</param>
    /// <param name="highest">The highest frequency, Hz.</param>
    /// <param name="tracks">The rows of events, from the top, each with its name.</param>
    /// <param name="labels">All labels of events; each has its colour.</param>
    /// <param name="title">The title.</param>
    /// <param name="path">The file.</param>
    public static void Sounds(
        float[] frames, int bands, double hop, double highest, IReadOnlyList<(string Name, IReadOnlyList<SoundEvent> Events)> tracks,
        IReadOnlyList<string> labels, string title, string path)
    {
        const double RowHeight = 0.09, RowGap = 0.03; // of the height of the spectrogram
        var plot = new Plot();
        var count = frames.Length / bands;
        var image = new double[bands, count];
        for (var frame = 0; frame < count; frame++)
        {
            for (var band = 0; band < bands; band++)
                image[bands - 1 - band, frame] = frames[(frame * bands) + band]; // the first row is the highest
        }
        var sorted = frames.Order().ToArray();
        var map = plot.Add.Heatmap(image);
        map.Colormap = new ScottPlot.Colormaps.Magma();
        map.ManualRange = new ScottPlot.Range(sorted[sorted.Length / 2], sorted[(int)(0.998 * (sorted.Length - 1))]);
        map.Position = new CoordinateRect(-hop / 2, (count - 0.5) * hop, 0, 1);

        List<Tick> ticks = [.. FrequencyTicks(bands, highest)];
        for (var row = 0; row < tracks.Count; row++)
        {
            var top = -RowGap - (row * (RowHeight + RowGap));
            ticks.Add(new Tick(top - (RowHeight / 2), tracks[row].Name));
            foreach (var e in tracks[row].Events)
            {
                var box = plot.Add.Rectangle(e.Onset, e.Offset, top - RowHeight, top);
                box.FillColor = ColorOf(labels, e.Label);
                box.LineWidth = 0;
            }
        }

        foreach (var label in labels)
            plot.Legend.ManualItems.Add(new LegendItem { LabelText = label, FillColor = ColorOf(labels, label), LineWidth = 0 });
        plot.ShowLegend(Edge.Right);
        plot.Title(title);
        plot.XLabel("time (s)");
        plot.YLabel("frequency (Hz, mel scale)");
        plot.Axes.Left.TickGenerator = new ScottPlot.TickGenerators.NumericManual([.. ticks]);
        plot.HideGrid();
        plot.Axes.SetLimits(0, (count - 1) * hop, -RowGap - (tracks.Count * (RowHeight + RowGap)), 1);
        PictureFont.SetOn(plot);
        plot.SavePng(path, 1100, 520);
    }

    /// <summary>True labels down, given ones across; a cell's shade is its share of the true label's frames.</summary>
    public static void Confusion(SequenceTaggingMetrics metrics, string path)
    {
        var plot = new Plot();
        var count = metrics.Classes.Count;
        var shares = new double[count, count];
        for (var truth = 0; truth < count; truth++)
        {
            var frames = Math.Max(1, metrics.ConfusionMatrix[truth].Sum());
            for (var guess = 0; guess < count; guess++)
            {
                shares[truth, guess] = (double)metrics.ConfusionMatrix[truth][guess] / frames;
                var text = plot.Add.Text(FormattableString.Invariant($"{100 * shares[truth, guess]:F1}"), guess, count - 1 - truth);
                text.Alignment = Alignment.MiddleCenter;
                text.LabelFontName = PictureFont.Name;
                text.LabelFontSize = 14;
                text.LabelFontColor = shares[truth, guess] > 0.5 ? Colors.White : Colors.Black;
            }
        }
        var map = plot.Add.Heatmap(shares);
        map.Colormap = new ScottPlot.Colormaps.Blues().Reversed();
        map.ManualRange = new ScottPlot.Range(0, 1);
        plot.MoveToBack(map);

        string[] names = [.. metrics.Classes.Select(c => c.Name)];
        plot.Title("Test recordings: frames of each label, in %");
        plot.XLabel("given");
        plot.YLabel("true");
        plot.Axes.Bottom.SetTicks(Enumerable.Range(0, count).Select(i => (double)i).ToArray(), names);
        plot.Axes.Left.SetTicks(Enumerable.Range(0, count).Select(i => (double)(count - 1 - i)).ToArray(), names);
        plot.HideGrid();
        PictureFont.SetOn(plot);
        plot.SavePng(path, 140 + (70 * count), 110 + (56 * count));
    }

    private static Color ColorOf(IReadOnlyList<string> labels, string label) =>
        Palette[labels.Select((name, i) => (name, i)).First(l => l.name == label).i % Palette.Length];

    /// <summary>Round frequencies at the places of the bands (HTK's mel scale, which LogMelFrames uses unless told otherwise).</summary>
    private static IEnumerable<Tick> FrequencyTicks(int bands, double highest) =>
        new[] { 250.0, 500, 1000, 2000, 4000, 8000, 16_000 }.Where(hertz => hertz < highest)
            // Band k (from 0) peaks at k + 1 of bands + 1 steps; its middle is drawn at k + 1/2 of bands.
            .Select(hertz => new Tick(((Mel(hertz) / Mel(highest) * (bands + 1)) - 0.5) / bands, $"{hertz:F0}"));

    private static double Mel(double hertz) => 2595 * Math.Log10(1 + (hertz / 700));
}
