namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>One of 17 parts of speech for each word of a sentence, from its bytes.</summary>
internal sealed class PartOfSpeechTask : FineTask
{
    public override string Name => "text-pos-ewt";

    public override FineResult Measure(FineRun run)
    {
        var options = new MambaTaggingTrainer.Options
        {
            Unit = MambaTagUnit.Word,
            LabelColumnName = nameof(Row.Tags),
            Model = new MambaConfig { DModel = 128, NLayer = 4 },
            Training = new MambaTrainingOptions { Epochs = 13, BatchSize = 64, LearningRate = 2e-3, Dropout = 0.2 },
        };
        var ml = run.Context;
        return Tag(run, options, null,
            ml.Data.LoadFromEnumerable(Load(run.PathOf(Name, "train.tsv"))),
            ml.Data.LoadFromEnumerable(Load(run.PathOf(Name, run.JudgesByTest ? "test.tsv" : "valid.tsv"))));
    }

    /// <summary>A word and its tag a line, an empty line after each sentence.</summary>
    private static List<Row> Load(string path)
    {
        List<Row> rows = [];
        List<string[]> words = [];
        foreach (string line in File.ReadLines(path).Append(""))
        {
            if (line.Length > 0)
            {
                words.Add(line.Split('\t'));
            }
            else if (words.Count > 0)
            {
                rows.Add(new Row { Sequence = string.Join(' ', words.Select(w => w[0])), Tags = string.Join(' ', words.Select(w => w[1])) });
                words.Clear();
            }
        }
        return rows;
    }

    private sealed class Row
    {
        public string Sequence { get; set; } = "";

        public string Tags { get; set; } = "";
    }
}
