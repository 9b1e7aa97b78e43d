/// <summary>
/// Generated one-sentence reviews of six kinds of things, for samples that have to run without a file: each has a topic and a
/// verdict, positive or negative. Nobody wrote them; a small grammar puts them together from the phrases of
/// <see cref="ReviewPhrases"/>, so real text is harder.
/// The verdict often needs the order of words: after "but" comes what counts ("the screen flickers but the battery lasts two
/// days" is positive), after "although" what does not, and "not good" is not good.
/// </summary>
internal static class GeneratedReviews
{
    /// <summary>Writes a tab-separated file with the columns topic, sentiment and text. Equal seeds write equal files; no text comes twice.</summary>
    /// <param name="path">The file.</param>
    /// <param name="count">How many.</param>
    /// <param name="seed">Any number.</param>
    /// <param name="sentences">Sentences in each, all of one verdict on one thing.</param>
    public static void Write(string path, int count, int seed, int sentences = 1)
    {
        var random = new Random(seed);
        var texts = new HashSet<string>();
        var lines = new List<string>(count);
        while (lines.Count < count)
        {
            var topic = ReviewPhrases.Topics[lines.Count % ReviewPhrases.Topics.Length];
            var positive = random.Next(2) == 0;
            var text = string.Join(' ', Enumerable.Range(0, sentences).Select(_ => Sentence(topic, positive, random)));
            if (texts.Add(text))
                lines.Add($"{topic.Name}\t{(positive ? "positive" : "negative")}\t{text}");
        }
        File.WriteAllLines(path, lines.Prepend("topic\tsentiment\ttext"));
    }

    private static string Sentence(ReviewTopic topic, bool positive, Random random)
    {
        string Clause(bool good) => GeneratedReviews.Clause(topic, good, random);
        var sentence = random.Next(10) switch
        {
            < 4 => Clause(positive),
            < 6 => $"{Clause(positive)} and {Clause(positive)}",
            < 8 => $"{Clause(!positive)} but {Clause(positive)}",
            8 => $"although {Clause(!positive)}, {Clause(positive)}",
            _ => $"{Clause(positive)}, although {Clause(!positive)}",
        };
        if (random.Next(4) == 0)
            sentence = $"{Pick(ReviewPhrases.Openings, random)}, {sentence}";
        return char.ToUpperInvariant(sentence[0]) + sentence[1..] + (random.Next(6) == 0 ? "!" : ".");
    }

    private static string Clause(ReviewTopic topic, bool good, Random random)
    {
        var part = Pick(topic.Parts, random);
        var what = random.Next(4) == 0 ? $"this {Pick(topic.Things, random)}" : $"the {part.Name}";
        var isWord = part.Name[^1] == 's' && what.StartsWith("the", StringComparison.Ordinal) ? "are" : "is";
        return random.Next(8) switch
        {
            < 5 => $"the {part.Name} {Pick(good ? part.Good : part.Bad, random)}",
            5 => $"{Pick(good ? ReviewPhrases.Likes : ReviewPhrases.Dislikes, random)} {what}",
            6 => $"{what} {isWord} {Pick(good ? ReviewPhrases.GoodAdjectives : ReviewPhrases.BadAdjectives, random)}",
            _ => $"{what} {isWord} not {Pick(good ? ReviewPhrases.BadAdjectives : ReviewPhrases.GoodAdjectives, random)}",
        };
    }

    /// <summary>One of them, the first ones more often, as words of real text are.</summary>
    private static T Pick<T>(T[] choices, Random random)
    {
        var u = random.NextDouble();
        return choices[(int)(choices.Length * u * Math.Sqrt(u))];
    }
}
