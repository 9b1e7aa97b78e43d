using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Mamba;
using Spectre.Console;

var (options, exitCode) = CommandLine.Read(args);
if (options is null)
    return exitCode;

return SampleRun.Run(cancellation =>
{
    Directory.CreateDirectory(options.Out);
    string InOut(string name) => Path.Combine(options.Out, name);
    var ml = new MLContext(seed: 1);
    ml.Log += (_, e) =>
    {
        if (e.Kind == Microsoft.ML.Runtime.ChannelMessageKind.Warning)
            Console.WriteLine($"warning: {e.Message}");
    };

    // Only finding genes, with a model of an earlier run.
    if (options.Model is not null)
    {
        using var saved = SavedModel.Load(ml, options.Model);
        var genome = ml.Data.LoadFromFasta(options.Genome!, new FastaOptions { UpperCase = true });
        AnnotatedRecord[] annotated = [.. AnnotatedRecord.Of(ml, saved.Transform(genome), cancellation)];
        Write(annotated, null);
        Console.WriteLine($"{annotated.Sum(r => r.Genes.Length)} genes in {annotated.Length} sequences. GFF3 and picture: {options.Out}");
        return;
    }

    // Data: a genome to learn from and another to test with, each a FASTA file and a GFF3 file with its genes.
    var folder = options.Data ?? options.Out;
    if (options.Data is null)
    {
        BacterialGenome.Write(InOut("train.fasta"), InOut("train.gff3"), "train", length: 800_000, seed: 1);
        BacterialGenome.Write(InOut("test.fasta"), InOut("test.gff3"), "test", length: 200_000, seed: 2);
        Console.WriteLine($"Simulated two bacterial genomes: {options.Out}");
    }
    var train = new AnnotatedGenome(ml, folder, "train");
    var test = new AnnotatedGenome(ml, folder, "test");
    Console.WriteLine($"To learn from: {train.Genes.Length} genes in {train.Length / 1000} kb. To test with: {test.Genes.Length} genes in {test.Length / 1000} kb.");

    // Training: rows are windows of the genome. A nucleotide's label is the strand of the gene that it lies in and its position in the codon, or 0;
    // positions teach the model reading frames, and strands are what it is asked for. Position vectors of period 3 are its clock.
    var display = TrainingDisplay.OfAccuracy();
    var trainer = ml.SequenceTagging().Trainers.Mamba(new MambaTaggingTrainer.Options
    {
        Tokenizer = SequenceTokenizer.Dna,
        LabelColumnName = "Codons",
        OppositeStrandLabels = ["+1", "-1", "+2", "-2", "+3", "-3"],
        CoarseLabels = new Dictionary<string, string> { ["+1"] = "+", ["+2"] = "+", ["+3"] = "+", ["-1"] = "-", ["-2"] = "-", ["-3"] = "-" },
        Model = new MambaConfig { DModel = 48, NLayer = 2, DConv = 8, MaxPositions = 3, PeriodicPositions = true },
        Training = new MambaTrainingOptions
        {
            Epochs = options.Epochs, BatchSize = 8, LearningRate = 5e-3, Dropout = 0, LabelSmoothing = 0, MaxLength = 512,
            ReverseComplementAugmentation = true, ReverseComplementAveraging = true,
        },
        Progress = display.Report,
        CancellationToken = cancellation,
    });
    var rows = train.Rows(windowLength: 4096);
    var watch = Stopwatch.StartNew();
    using var model = display.Show(() => trainer.Fit(rows));
    var trainingTime = watch.Elapsed;
    ml.Model.Save(model, rows.Schema, InOut("model.zip"));
    TrainingCurve.Draw(model.History, InOut("training-curve.png"), "Training of the gene finder", "nucleotide");

    // Genes of the test genome, from the model and from the rule that everyone knows. What the files say is read back as the true genes are.
    var scored = model.Transform(test.Rows(windowLength: 0));
    AnnotatedRecord[] found = [.. AnnotatedRecord.Of(ml, scored, cancellation)];
    Write(found, test.Genes);
    Gene[] frames = [.. test.Records.SelectMany(r => ReadingFrames.LongestOnes(r.Id, r.Sequence, shortest: 300))];
    GeneFile.Write(InOut("reading-frames.gff3"), [.. found.Select(r => r.Region)], frames, "rule");

    var table = new Table().Border(TableBorder.Rounded).AddColumns("Test genome", "Accuracy", "Macro F1", "Genes found", "Exact", "False");
    Compare("Mamba, by nucleotide", scored, null);
    Compare("Mamba, genes.gff3", test.Rows(0, InOut("genes.gff3")), [.. found.SelectMany(r => r.Genes)]);
    Compare("Longest frames ≥ 300", test.Rows(0, InOut("reading-frames.gff3")), frames);
    AnsiConsole.Write(table);
    Console.WriteLine($"Training took {trainingTime.TotalSeconds:F0} s. Model, genes and pictures: {options.Out}");

    void Compare(string name, IDataView labelled, Gene[]? genes)
    {
        var metrics = ml.SequenceTagging().Evaluate(labelled, backgroundLabel: "0");
        var counts = genes is null ? null : GeneCounts.Of(genes, test.Genes);
        table.AddRow(name, $"{metrics.Accuracy:P1}", $"{metrics.MacroF1:P1}", counts is null ? "" : $"{counts.Found} of {counts.True}", $"{counts?.Exact}", $"{counts?.False}");
    }

    void Write(AnnotatedRecord[] records, Gene[]? truth)
    {
        if (records.Length == 0)
            throw new InvalidDataException($"There is no sequence in {options.Genome}.");
        GeneFile.Write(InOut("genes.gff3"), [.. records.Select(r => r.Region)], records.SelectMany(r => r.Genes), "Mamba");
        var longest = records.MaxBy(r => r.Region.Length)!;
        var title = truth is null
            ? $"'{longest.Region.Name}': probability of a gene on each strand, and the genes found"
            : $"'{longest.Region.Name}': its genes, the probability of a gene on each strand, and the genes found";
        Pictures.Track(longest, options.From, truth, title, InOut("genes.png"));
    }
});
