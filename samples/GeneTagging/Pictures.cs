using ScottPlot;
using ScottPlot.MultiplotLayouts;

/// <summary>The picture of a stretch of a genome.</summary>
internal static class Pictures
{
    private const int Rows = 3;
    private const int RowLength = 8000;
    private const int NucleotidesPerPoint = 10;
    private const int Width = 1400;
    private const int RowHeight = 250;
    private const int TitleHeight = 35;
    private const int LegendHeight = 60;

    private static readonly Color ForwardColor = Color.FromHex("#1f6fb4");
    private static readonly Color ReverseColor = Color.FromHex("#d9722a");
    private static readonly Color WrongColor = Color.FromHex("#c02040");

    /// <summary>
    /// Three rows of 8,000 nucleotides of a sequence. In each, from top to bottom: the true genes, where they are known; the
    /// probability of a gene on the forward strand, upwards, and on the reverse strand, downwards; the genes found.
    /// </summary>
    /// <param name="record">The sequence, scored.</param>
    /// <param name="from">The nucleotide, from 1, that the picture begins at; null: so that the middle is seen.</param>
    /// <param name="truth">The true genes of all sequences, or null.</param>
    /// <param name="title">The title.</param>
    /// <param name="path">The PNG file.</param>
    public static void Track(AnnotatedRecord record, int? from, IReadOnlyCollection<Gene>? truth, string title, string path)
    {
        var known = truth?.Where(g => g.Sequence == record.Region.Name).ToArray();
        var rows = Math.Clamp((record.Region.Length + RowLength - 1) / RowLength, 1, Rows);
        var last = Math.Max(0, record.Region.Length - rows * RowLength);
        var start = from is { } nucleotide ? Math.Clamp(nucleotide - 1, 0, last) : last / 2 / 1000 * 1000;

        var picture = new Multiplot();
        picture.AddPlots(rows);
        for (var row = 0; row < rows; row++)
            Row(picture.GetPlot(row), record, known, start + row * RowLength);
        picture.GetPlot(0).Title(title);
        picture.GetPlot(rows - 1).XLabel("position (kb)");
        Legend(picture.GetPlot(rows - 1), withTruth: truth is not null);
        var layout = new DraggableRows();
        layout.SetHeights(Enumerable.Range(0, rows).Select(row => (float)RowHeight + (row == 0 ? TitleHeight : 0) + (row == rows - 1 ? LegendHeight : 0)));
        picture.Layout = layout;
        picture.SavePng(path, Width, rows * RowHeight + TitleHeight + LegendHeight);
    }

    private static void Row(Plot plot, AnnotatedRecord record, Gene[]? truth, int from)
    {
        var to = Math.Min(from + RowLength, record.Region.Length);
        Curve(plot, record.Forward, from, to, 1, ForwardColor);
        Curve(plot, record.Reverse, from, to, -1, ReverseColor);
        plot.Add.HorizontalLine(0, 1, Colors.Gray);

        var found = record.Genes.ToLookup(g => g.End);
        var ends = truth?.Select(g => g.End).ToHashSet();
        foreach (var gene in (truth ?? []).Where(g => g.From < to && g.To > from))
            Arrow(plot, gene, gene.Strand == '+' ? 2.9 : 2.1, hollow: !found.Contains(gene.End));
        foreach (var gene in record.Genes.Where(g => g.From < to && g.To > from))
            Arrow(plot, gene, gene.Strand == '+' ? -2.1 : -2.9, hollow: ends?.Contains(gene.End) == false);

        (double Place, string Text)[] ticks = [(1, "P(+) = 1"), (0, "0"), (-1, "P(-) = 1"), (-2.1, "found +"), (-2.9, "found -"), .. truth is null ? [] : new[] { (2.9, "genes +"), (2.1, "genes -") }];
        plot.Axes.Left.SetTicks([.. ticks.Select(t => t.Place)], [.. ticks.Select(t => t.Text)]);
        plot.Axes.Left.MinimumSize = plot.Axes.Left.MaximumSize = 85;
        plot.Axes.Bottom.TickGenerator = new ScottPlot.TickGenerators.NumericFixedInterval(1);
        plot.HideGrid();
        plot.Axes.SetLimits(from / 1000.0, (from + RowLength) / 1000.0, -3.5, truth is null ? 1.4 : 3.5);
        PictureFont.SetOn(plot);
    }

    private static void Legend(Plot plot, bool withTruth)
    {
        Item("forward strand", ForwardColor, ForwardColor.Darken(.3));
        Item("reverse strand", ReverseColor, ReverseColor.Darken(.3));
        if (withTruth)
            Item("not found, or not true", Colors.White, WrongColor);
        plot.ShowLegend(Edge.Bottom);

        void Item(string text, Color fill, Color line) => plot.Legend.ManualItems.Add(
            new LegendItem { LabelText = text, FillColor = fill, OutlineColor = line, OutlineWidth = 1.5f });
    }

    private static void Curve(Plot plot, float[] probability, int from, int to, int sign, Color color)
    {
        var points = Enumerable.Range(0, (to - from + NucleotidesPerPoint - 1) / NucleotidesPerPoint)
            .Select(i => (Start: from + i * NucleotidesPerPoint, End: Math.Min(to, from + (i + 1) * NucleotidesPerPoint)))
            .Select(p => (X: (p.Start + p.End) / 2000.0, Y: sign * probability[p.Start..p.End].Average())).ToArray();
        var area = plot.Add.FillY(points.Select(p => p.X).ToArray(), points.Select(p => 0.0).ToArray(), points.Select(p => (double)p.Y).ToArray());
        area.FillColor = color.WithAlpha(.35);
        area.LineColor = color;
        area.LineWidth = 1.2f;
        area.MarkerStyle.IsVisible = false;
    }

    private static void Arrow(Plot plot, Gene gene, double y, bool hollow)
    {
        const double Half = 0.3;
        var color = gene.Strand == '+' ? ForwardColor : ReverseColor;
        var (back, tip) = gene.Strand == '+' ? (gene.From / 1000.0, gene.To / 1000.0) : (gene.To / 1000.0, gene.From / 1000.0);
        var neck = tip - Math.Sign(tip - back) * Math.Min(0.09, gene.Length / 2000.0);
        var arrow = plot.Add.Polygon(new Coordinates[] { new(back, y + Half), new(neck, y + Half), new(tip, y), new(neck, y - Half), new(back, y - Half) });
        arrow.FillColor = hollow ? Colors.White : color;
        arrow.LineColor = hollow ? WrongColor : color.Darken(.3);
        arrow.LineWidth = hollow ? 2 : 1;
    }
}
