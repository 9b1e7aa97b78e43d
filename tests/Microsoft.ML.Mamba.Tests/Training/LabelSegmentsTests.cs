using Microsoft.ML.Mamba.Training;

namespace Microsoft.ML.Mamba.Tests.Training;

public sealed class LabelSegmentsTests
{
    [Theory]
    [InlineData("", "", 0)]
    [InlineData("a", "", 1)]
    [InlineData("", "abab", 4)]
    [InlineData("abc", "abc", 0)]
    [InlineData("kitten", "sitting", 3)]
    public void Edit_distances(string a, string b, int expected) => Assert.Equal(expected, LabelSegments.EditDistance(Segments(a), Segments(b)));

    [Fact]
    public void Edit_distances_of_random_sequences_are_those_of_the_whole_table()
    {
        var random = new Random(1);
        for (var trial = 0; trial < 200; trial++)
        {
            var a = new string(random.GetItems<char>("abc", random.Next(120)));
            var b = trial % 2 == 0 ? new string(random.GetItems<char>("abcd", random.Next(120))) : Mutated(a, random);
            Assert.Equal(WholeTable(a, b), LabelSegments.EditDistance(Segments(a), Segments(b)));
        }
    }

    private static string Mutated(string text, Random random)
    {
        for (var change = random.Next(40); change > 0 && text.Length > 0; change--)
        {
            var at = random.Next(text.Length);
            text = random.Next(3) switch { 0 => text.Remove(at, 1), 1 => text.Insert(at, "d"), _ => text.Remove(at, 1).Insert(at, "a") };
        }
        return text;
    }

    private static List<LabelSegment> Segments(string labels) => [.. labels.Select((label, i) => new LabelSegment(i, i + 1, label))];

    private static int WholeTable(string a, string b)
    {
        var table = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                table[i, j] = i == 0 || j == 0 ? i + j
                    : Math.Min(table[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1), 1 + Math.Min(table[i - 1, j], table[i, j - 1]));
            }
        }
        return table[a.Length, b.Length];
    }
}
