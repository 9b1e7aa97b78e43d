namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>A text.</summary>
internal sealed class TextRow
{
    public string Text { get; set; } = "";

    /// <summary>Random words that make up texts of random lengths in letters, the same in every run.</summary>
    public static TextRow[] Random(int count, int shortest, int longest)
    {
        var random = new Random(1);
        return [.. Enumerable.Range(0, count).Select(_ => new TextRow { Text = Words(random, random.Next(shortest, longest + 1)) })];
    }

    private static string Words(Random random, int length)
    {
        char[] letters = random.GetItems<char>("abcdefghijklmnopqrstuvwxyz", length);
        for (int space = random.Next(1, 10); space < length - 1; space += random.Next(2, 11))
            letters[space] = ' ';
        return new string(letters);
    }
}
