using Microsoft.ML.Data;
using Microsoft.ML.Mamba;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Pipeline;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>Mamba trainers and transforms in the catalogs of an <see cref="MLContext"/>.</summary>
public static class MambaCatalog
{
    /// <summary>Trains a Mamba model to tell which of K labels a sequence has.</summary>
    /// <param name="catalog">The multiclass classification trainers.</param>
    /// <param name="labelColumnName">The label column, of key type (see <c>Transforms.Conversion.MapValueToKey</c>).</param>
    /// <param name="sequenceColumnName">The sequence column: text, a vector of keys, of integers, or of <see cref="float"/>.</param>
    /// <param name="tokenizer">What turns text into ids; for DNA <see cref="SequenceTokenizer.Dna"/>. Null: <see cref="SequenceTokenizer.Bytes"/>.</param>
    /// <param name="epochs">Passes over the training rows.</param>
    /// <returns>The trainer.</returns>
    /// <example>
    /// <code>
    /// var pipeline = ml.Transforms.Conversion.MapValueToKey("Label")
    ///     .Append(ml.MulticlassClassification.Trainers.Mamba(tokenizer: SequenceTokenizer.Dna))
    ///     .Append(ml.Transforms.Conversion.MapKeyToValue("PredictedLabel"));
    /// </code>
    /// </example>
    public static MambaMulticlassTrainer Mamba(
        this MulticlassClassificationCatalog.MulticlassClassificationTrainers catalog,
        string labelColumnName = DefaultColumnNames.Label,
        string sequenceColumnName = "Sequence",
        SequenceTokenizer? tokenizer = null,
        int epochs = MambaSequenceOptions.DefaultEpochs) =>
        catalog.Mamba(MambaTrainerOptions.Short<MambaMulticlassTrainer.Options>(labelColumnName, sequenceColumnName, tokenizer, epochs));

    /// <summary>Trains a Mamba model to tell which of K labels a sequence has, with all options.</summary>
    /// <param name="catalog">The multiclass classification trainers.</param>
    /// <param name="options">Columns, architecture, training run.</param>
    /// <returns>The trainer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Options are out of range; the message lists all of them.</exception>
    public static MambaMulticlassTrainer Mamba(
        this MulticlassClassificationCatalog.MulticlassClassificationTrainers catalog, MambaMulticlassTrainer.Options options)
    {
        Contracts.CheckValue(catalog, nameof(catalog));
        Contracts.CheckValue(options, nameof(options));
        return new MambaMulticlassTrainer(CatalogUtils.GetEnvironment(catalog), options);
    }

    /// <summary>Trains a Mamba model to answer a yes-or-no question about a sequence.</summary>
    /// <param name="catalog">The binary classification trainers.</param>
    /// <param name="labelColumnName">The label column, <see cref="bool"/>.</param>
    /// <param name="sequenceColumnName">The sequence column: text, a vector of keys, of integers, or of <see cref="float"/>.</param>
    /// <param name="tokenizer">What turns text into ids; for DNA <see cref="SequenceTokenizer.Dna"/>. Null: <see cref="SequenceTokenizer.Bytes"/>.</param>
    /// <param name="epochs">Passes over the training rows.</param>
    /// <returns>The trainer.</returns>
    public static MambaBinaryTrainer Mamba(
        this BinaryClassificationCatalog.BinaryClassificationTrainers catalog,
        string labelColumnName = DefaultColumnNames.Label,
        string sequenceColumnName = "Sequence",
        SequenceTokenizer? tokenizer = null,
        int epochs = MambaSequenceOptions.DefaultEpochs) =>
        catalog.Mamba(MambaTrainerOptions.Short<MambaBinaryTrainer.Options>(labelColumnName, sequenceColumnName, tokenizer, epochs));

    /// <summary>Trains a Mamba model to answer a yes-or-no question about a sequence, with all options.</summary>
    /// <param name="catalog">The binary classification trainers.</param>
    /// <param name="options">Columns, architecture, training run.</param>
    /// <returns>The trainer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Options are out of range; the message lists all of them.</exception>
    public static MambaBinaryTrainer Mamba(
        this BinaryClassificationCatalog.BinaryClassificationTrainers catalog, MambaBinaryTrainer.Options options)
    {
        Contracts.CheckValue(catalog, nameof(catalog));
        Contracts.CheckValue(options, nameof(options));
        return new MambaBinaryTrainer(CatalogUtils.GetEnvironment(catalog), options);
    }

    /// <summary>Trains a Mamba model to predict a number for a sequence.</summary>
    /// <param name="catalog">The regression trainers.</param>
    /// <param name="labelColumnName">The label column, <see cref="float"/>.</param>
    /// <param name="sequenceColumnName">The sequence column: text, a vector of keys, of integers, or of <see cref="float"/>.</param>
    /// <param name="tokenizer">What turns text into ids; for DNA <see cref="SequenceTokenizer.Dna"/>. Null: <see cref="SequenceTokenizer.Bytes"/>.</param>
    /// <param name="epochs">Passes over the training rows.</param>
    /// <returns>The trainer.</returns>
    public static MambaRegressionTrainer Mamba(
        this RegressionCatalog.RegressionTrainers catalog,
        string labelColumnName = DefaultColumnNames.Label,
        string sequenceColumnName = "Sequence",
        SequenceTokenizer? tokenizer = null,
        int epochs = MambaSequenceOptions.DefaultEpochs) =>
        catalog.Mamba(MambaTrainerOptions.Short<MambaRegressionTrainer.Options>(labelColumnName, sequenceColumnName, tokenizer, epochs));

    /// <summary>Trains a Mamba model to predict a number for a sequence, with all options.</summary>
    /// <param name="catalog">The regression trainers.</param>
    /// <param name="options">Columns, architecture, training run.</param>
    /// <returns>The trainer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Options are out of range; the message lists all of them.</exception>
    public static MambaRegressionTrainer Mamba(
        this RegressionCatalog.RegressionTrainers catalog, MambaRegressionTrainer.Options options)
    {
        Contracts.CheckValue(catalog, nameof(catalog));
        Contracts.CheckValue(options, nameof(options));
        return new MambaRegressionTrainer(CatalogUtils.GetEnvironment(catalog), options);
    }

    /// <summary>Trainers and evaluation for several tags per sequence.</summary>
    /// <param name="context">The context whose seed, logging and cancellation they share.</param>
    /// <returns>The catalog.</returns>
    /// <example>
    /// <code>
    /// var model = ml.MultilabelClassification().Trainers.Mamba(labelColumnName: "Tags").Fit(data);
    /// var metrics = ml.MultilabelClassification().Evaluate(model.Transform(test), labelColumnName: "Tags");
    /// </code>
    /// </example>
    public static MultilabelClassificationCatalog MultilabelClassification(this MLContext context) => new(context);

    /// <summary>Trainers and evaluation for one label per position of a sequence, per frame of a recording, or per word of a text.</summary>
    /// <param name="context">The context whose seed, logging and cancellation they share.</param>
    /// <returns>The catalog.</returns>
    /// <example>
    /// <code>
    /// var model = ml.SequenceTagging().Trainers.Mamba("Tags", "Text", MambaTagUnit.Word).Fit(data);
    /// var metrics = ml.SequenceTagging().Evaluate(model.Transform(test), "Tags");
    /// </code>
    /// </example>
    public static SequenceTaggingCatalog SequenceTagging(this MLContext context) => new(context);

    /// <summary>
    /// Turns sequences into vectors of numbers, by an encoder that was learnt before or that <c>Fit</c> learns without labels.
    /// </summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="outputColumnName">The column that the vectors go to: <see cref="float"/>, size DModel.</param>
    /// <param name="inputColumnName">The sequence column: text, a vector of keys, of integers, or of <see cref="float"/>. Null: the one named by <paramref name="outputColumnName"/>.</param>
    /// <param name="pretrained">The encoder, for example <c>MambaEncoder.Load(folder)</c> of a checkpoint or <c>MambaEncoder.Of(model)</c>; with it, <c>Fit</c> learns nothing. Null: none.</param>
    /// <param name="tokenizer">What turns text into ids; for DNA <see cref="SequenceTokenizer.Dna"/>. Null: the encoder's, or <see cref="SequenceTokenizer.Bytes"/>.</param>
    /// <param name="epochs">Passes over the rows when an encoder is learnt.</param>
    /// <returns>The estimator.</returns>
    /// <example>
    /// <code>
    /// var pipeline = ml.Transforms.MambaEmbed("Features", "Sequence", tokenizer: SequenceTokenizer.Dna)
    ///     .Append(ml.BinaryClassification.Trainers.SdcaLogisticRegression());
    /// </code>
    /// </example>
    public static MambaEmbeddingEstimator MambaEmbed(
        this TransformsCatalog catalog,
        string outputColumnName,
        string? inputColumnName = null,
        MambaEncoder? pretrained = null,
        SequenceTokenizer? tokenizer = null,
        int epochs = MambaSequenceOptions.DefaultEpochs) =>
        catalog.MambaEmbed(new MambaEmbeddingEstimator.Options
        {
            OutputColumnName = outputColumnName,
            InputColumnName = inputColumnName,
            Pretrained = pretrained,
            Tokenizer = tokenizer,
            Training = new MambaTrainingOptions { Epochs = epochs },
        });

    /// <summary>Turns sequences into vectors of numbers, with all options.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">Columns, encoder or architecture and training run, pooling.</param>
    /// <returns>The estimator.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Options are out of range; the message lists all of them.</exception>
    public static MambaEmbeddingEstimator MambaEmbed(this TransformsCatalog catalog, MambaEmbeddingEstimator.Options options)
    {
        Contracts.CheckValue(catalog, nameof(catalog));
        Contracts.CheckValue(options, nameof(options));
        return new MambaEmbeddingEstimator(CatalogUtils.GetEnvironment(catalog), options);
    }

    /// <summary>Loads WAV files as samples of one channel, in the manner of <c>LoadImages</c>.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="outputColumnName">The column that the samples go to: variable vector of <see cref="float"/>, in [-1, 1].</param>
    /// <param name="inputColumnName">The column of paths, text. Null: the one named by <paramref name="outputColumnName"/>.</param>
    /// <param name="audioFolder">The folder that paths start from. Null: they stand for themselves.</param>
    /// <param name="sampleRate">The rate of the samples, Hz; files of other rates are converted. 0: that of the first file that <c>Fit</c> sees; other rates are an error.</param>
    /// <returns>The estimator.</returns>
    /// <example>
    /// <code>
    /// var pipeline = ml.Transforms.LoadAudio("Samples", "Path", "recordings", sampleRate: 16_000)
    ///     .Append(ml.Transforms.LogMelFrames("Frames", "Samples"));
    /// </code>
    /// </example>
    public static AudioLoadingEstimator LoadAudio(
        this TransformsCatalog catalog, string outputColumnName, string? inputColumnName = null, string? audioFolder = null, int sampleRate = 0) =>
        catalog.LoadAudio(new AudioLoadingEstimator.Options
        {
            OutputColumnName = outputColumnName,
            InputColumnName = inputColumnName,
            AudioFolder = audioFolder,
            SampleRate = sampleRate,
        });

    /// <summary>Loads WAV files as samples of one channel, with all options.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">Columns, folder, sample rate, and what happens to files that cannot be read.</param>
    /// <returns>The estimator.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Options are out of range; the message lists all of them.</exception>
    public static AudioLoadingEstimator LoadAudio(this TransformsCatalog catalog, AudioLoadingEstimator.Options options)
    {
        Contracts.CheckValue(catalog, nameof(catalog));
        Contracts.CheckValue(options, nameof(options));
        return new AudioLoadingEstimator(CatalogUtils.GetEnvironment(catalog), options);
    }

    /// <summary>Turns samples into log-mel frames of 25 ms, one every 10 ms, each band at mean 0 and deviation 1 over the data that <c>Fit</c> sees.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="outputColumnName">The column that the frames go to: variable vector of <see cref="float"/>, dimensions (0, bands).</param>
    /// <param name="inputColumnName">The column of samples. Null: the one named by <paramref name="outputColumnName"/>.</param>
    /// <param name="sampleRate">The rate of the samples, Hz. 0: as the column says, if it comes from <c>LoadAudio</c>.</param>
    /// <param name="melBands">Values per frame.</param>
    /// <returns>The estimator.</returns>
    public static LogMelFramesEstimator LogMelFrames(
        this TransformsCatalog catalog, string outputColumnName, string? inputColumnName = null, int sampleRate = 0, int melBands = 40) =>
        catalog.LogMelFrames(new LogMelFramesEstimator.Options
        {
            OutputColumnName = outputColumnName,
            InputColumnName = inputColumnName,
            SampleRate = sampleRate,
            MelBands = melBands,
        });

    /// <summary>Turns samples into log-mel frames, with all options.</summary>
    /// <param name="catalog">The transforms.</param>
    /// <param name="options">Columns, window, spectrum, bands, unit, slopes and normalisation.</param>
    /// <returns>The estimator.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Options are out of range; the message lists all of them.</exception>
    public static LogMelFramesEstimator LogMelFrames(this TransformsCatalog catalog, LogMelFramesEstimator.Options options)
    {
        Contracts.CheckValue(catalog, nameof(catalog));
        Contracts.CheckValue(options, nameof(options));
        return new LogMelFramesEstimator(CatalogUtils.GetEnvironment(catalog), options);
    }

    /// <summary>Loads a FASTA or FASTQ file, plain or packed with gzip, while it is read: no more than one row is held at a time.</summary>
    /// <param name="catalog">The data operations.</param>
    /// <param name="path">The file.</param>
    /// <param name="options">Windows, letters, limits. Null: one row for each record.</param>
    /// <returns>
    /// Columns <c>Id</c>, <c>Description</c>, <c>Sequence</c> (text); with windows <c>Start</c> (<see cref="long"/>, from 0); of FASTQ
    /// <c>Quality</c> (text).
    /// </returns>
    /// <exception cref="ArgumentOutOfRangeException">Options are out of range; the message lists all of them.</exception>
    /// <exception cref="MambaSequenceFileException">The file cannot be opened or is neither of the two. Malformed records throw it when they are read.</exception>
    public static IDataView LoadFromFasta(this DataOperationsCatalog catalog, string path, FastaOptions? options = null)
    {
        Contracts.CheckNonWhiteSpace(path, nameof(path));
        return catalog.LoadFromFasta([path], options);
    }

    /// <summary>Loads FASTA files, or FASTQ files, one after the other.</summary>
    /// <param name="catalog">The data operations.</param>
    /// <param name="paths">The files; all FASTA or all FASTQ.</param>
    /// <param name="options">Windows, letters, limits. Null: one row for each record.</param>
    /// <returns>The same columns as for one file.</returns>
    /// <exception cref="ArgumentOutOfRangeException">Options are out of range; the message lists all of them.</exception>
    /// <exception cref="MambaSequenceFileException">A file cannot be opened or has another format. Malformed records throw it when they are read.</exception>
    public static IDataView LoadFromFasta(this DataOperationsCatalog catalog, string[] paths, FastaOptions? options = null)
    {
        Contracts.CheckValue(catalog, nameof(catalog));
        return new FastaView(CatalogUtils.GetEnvironment(catalog), paths, options ?? new FastaOptions());
    }

    /// <summary>Joins the genes of a GFF3 file to sequences as a label for each nucleotide: '0' outside, '+' or '-' inside by strand.</summary>
    /// <param name="catalog">The data operations.</param>
    /// <param name="sequences">Rows with <c>Id</c>, <c>Sequence</c> and, if they are windows, <c>Start</c>, as <c>LoadFromFasta</c> makes them.</param>
    /// <param name="path">The GFF3 file, plain or packed with gzip.</param>
    /// <param name="options">Which features, which columns, keys or text. Null: coding sequences (CDS), as keys.</param>
    /// <returns>The rows with a column <c>Labels</c>: a vector of keys as long as the sequence, or text.</returns>
    /// <remarks>
    /// Where features overlap the longest wins, of equally long ones the forward one; lines with the same ID are one feature. What lies
    /// behind the end of a sequence has no effect. One warning counts the rows whose sequence has no features.
    /// </remarks>
    /// <exception cref="ArgumentOutOfRangeException">A column is absent or has another type, or options are out of range.</exception>
    /// <exception cref="MambaSequenceFileException">The file cannot be opened, or a line is malformed.</exception>
    public static IDataView LoadGeneAnnotation(this DataOperationsCatalog catalog, IDataView sequences, string path, GeneAnnotationOptions? options = null)
    {
        Contracts.CheckValue(catalog, nameof(catalog));
        Contracts.CheckValue(sequences, nameof(sequences));
        Contracts.CheckNonWhiteSpace(path, nameof(path));
        var host = CatalogUtils.GetEnvironment(catalog).Register(nameof(LoadGeneAnnotation));
        options = options?.Clone() ?? new GeneAnnotationOptions();
        var violations = options.Violations().ToArray();
        if (violations.Length > 0)
            throw host.ExceptUserArg(nameof(options), $"LoadGeneAnnotation: the options are out of range:{Environment.NewLine}{string.Join(Environment.NewLine, violations)}");
        return new GeneLabelColumn(host, GeneAnnotation.Load(path, options.FeatureType), path, options).Transform(sequences);
    }
}
