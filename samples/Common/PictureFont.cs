using ScottPlot;

/// <summary>The font of the pictures. They bring their own: many servers and containers have none.</summary>
internal static class PictureFont
{
    public const string Name = "DejaVu Sans (bundled)";

    static PictureFont() => Fonts.AddFontFile(Name, Path.Combine(AppContext.BaseDirectory, "fonts", "DejaVuSans-Ascii.ttf"));

    /// <summary>Sets all texts of a plot in it.</summary>
    public static void SetOn(Plot plot)
    {
        plot.Font.Set(Name);
        plot.Legend.FontName = Name;
    }
}
