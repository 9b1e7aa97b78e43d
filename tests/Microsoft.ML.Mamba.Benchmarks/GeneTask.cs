using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>
/// Three labels for each nucleotide of a stretch of E. coli, learnt as positions of codons. By the part valid, settings are judged by one in
/// five of the windows of 22,000 nucleotides of the training part.
/// </summary>
internal sealed class GeneTask : FineTask
{
    private const int Window = 22_000;

    public override string Name => "dna-genes-ecoli";

    public override FineResult Measure(FineRun run)
    {
        IDataView training = Load(run, "train");
        var (train, judge) = run.JudgesByTest
            ? (training, Load(run, "test"))
            : (run.Context.Data.FilterByCustomPredicate<Place>(training, IsHeldOut), run.Context.Data.FilterByCustomPredicate<Place>(training, place => !IsHeldOut(place)));
        var options = new MambaTaggingTrainer.Options
        {
            Tokenizer = SequenceTokenizer.Dna,
            LabelColumnName = "Codons",
            OppositeStrandLabels = ["+1", "-1", "+2", "-2", "+3", "-3"],
            CoarseLabels = "123".SelectMany(position => "+-".Select(strand => (strand, position))).ToDictionary(p => $"{p.strand}{p.position}", p => $"{p.strand}"),
            Model = new MambaConfig { DModel = 64, NLayer = 4, DConv = 8, MaxPositions = 3, PeriodicPositions = true },
            Training = new MambaTrainingOptions
            {
                Epochs = 30, BatchSize = 8, LearningRate = 5e-3, LabelSmoothing = 0, Dropout = 0.05, MaxLength = 512, MutationRate = 0.03,
                ReverseComplementAugmentation = true, ReverseComplementAveraging = true,
            },
        };
        return Tag(run, options, null, train, judge, background: "0", judgedBy: "Labels", more: scored => OfGenes(run.Context, scored, judge));
    }

    /// <summary>Of the test part and what is learnt for it one row; for choosing settings, rows that can be held out.</summary>
    private static IDataView Load(FineRun run, string part)
    {
        string annotation = run.PathOf("dna-genes-ecoli", part + ".gff3");
        IDataView windows = run.Context.Data.LoadFromFasta(run.PathOf("dna-genes-ecoli", part + ".fasta"), new FastaOptions { WindowLength = run.JudgesByTest ? 0 : Window });
        IDataView strands = run.Context.Data.LoadGeneAnnotation(windows, annotation);
        return run.Context.Data.LoadGeneAnnotation(strands, annotation, new GeneAnnotationOptions { CodonPositions = true, OutputColumnName = "Codons" });
    }

    /// <summary>The same metrics of genes from start to stop codon, which samples/GeneTagging makes of the probabilities of nucleotides.</summary>
    private static (string, double)[] OfGenes(MLContext ml, IDataView scored, IDataView judge)
    {
        AnnotatedRecord[] records = [.. AnnotatedRecord.Of(ml, scored, CancellationToken.None)];
        long[] starts = scored.Schema.GetColumnOrNull(nameof(Place.Start)) is null ? new long[records.Length] : [.. scored.GetColumn<long>(nameof(Place.Start))];
        IEnumerable<Gene> genes = records.Zip(starts, (record, start) => record.Genes.Select(g => g with { From = g.From + (int)start, To = g.To + (int)start })).SelectMany(g => g);
        string file = Path.GetTempFileName();
        try
        {
            GeneFile.Write(file, [.. records.Select(r => r.Region).DistinctBy(r => r.Name)], genes, "Mamba");
            IDataView found = ml.Data.LoadGeneAnnotation(judge, file, new GeneAnnotationOptions { OutputColumnName = "PredictedLabel" });
            SequenceTaggingMetrics metrics = ml.SequenceTagging().Evaluate(found, "Labels", backgroundLabel: "0");
            return [("accuracy of genes", 100 * metrics.Accuracy), ("macro F1 of genes", 100 * metrics.MacroF1), ("segment error rate of genes", metrics.SegmentErrorRate)];
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static bool IsHeldOut(Place place) => place.Start / Window % 5 == 4;

    private sealed class Place
    {
        public long Start { get; set; }
    }
}
