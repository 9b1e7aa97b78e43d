using Microsoft.ML.Data;
using Microsoft.ML.Mamba;
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
}
