using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>
/// Three labels for each nucleotide of a stretch of E. coli. By the part valid, settings are judged by one in five of the windows of 22,000
/// nucleotides of the training part.
/// </summary>
internal sealed class GeneTask : FineTask
{
    private const int Window = 22_000;

    public override string Name => "dna-genes-ecoli";

    public override FineResult Measure(FineRun run)
    {
        Row[] training = Load(run, "train");
        var (train, judge) = run.JudgesByTest
            ? (training, Load(run, "test"))
            : (training.Where((_, i) => i % 5 != 4).ToArray(), training.Where((_, i) => i % 5 == 4).ToArray());
        var options = new MambaTaggingTrainer.Options
        {
            Tokenizer = SequenceTokenizer.Dna,
            LabelColumnName = nameof(Row.Labels),
            OppositeStrandLabels = ["+", "-"],
            TransitionPenalty = 14,
            Model = new MambaConfig { DModel = 128, NLayer = 8 },
            Training = new MambaTrainingOptions
            {
                Epochs = 70, BatchSize = 4, LearningRate = 2e-3, Dropout = 0.2, MaxLength = 8192, MutationRate = 0.05,
                ReverseComplementAugmentation = true, ReverseComplementAveraging = true,
            },
        };
        return Tag(run, options, null, run.Context.Data.LoadFromEnumerable(train), run.Context.Data.LoadFromEnumerable(judge), background: "0");
    }

    /// <summary>Of the test part one row, for settings rows that can be held out.</summary>
    private static Row[] Load(FineRun run, string part)
    {
        IDataView windows = run.Context.Data.LoadFromFasta(run.PathOf("dna-genes-ecoli", part + ".fasta"), new FastaOptions { WindowLength = run.JudgesByTest ? 0 : Window });
        IDataView labelled = run.Context.Data.LoadGeneAnnotation(windows, run.PathOf("dna-genes-ecoli", part + ".gff3"), new GeneAnnotationOptions { AsText = true });
        return [.. labelled.GetColumn<string>("Sequence").Zip(labelled.GetColumn<string>("Labels"), (sequence, labels) => new Row { Sequence = sequence, Labels = labels })];
    }

    private sealed class Row
    {
        public string Sequence { get; set; } = "";

        public string Labels { get; set; } = "";
    }
}
