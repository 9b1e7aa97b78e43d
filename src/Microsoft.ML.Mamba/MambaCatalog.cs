using Microsoft.ML.Data;
using Microsoft.ML.Mamba;
using Microsoft.ML.Runtime;

namespace Microsoft.ML;

/// <summary>Mamba trainers in the catalogs of an <see cref="MLContext"/>.</summary>
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
        int epochs = MambaTrainerOptions.DefaultEpochs) =>
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
        int epochs = MambaTrainerOptions.DefaultEpochs) =>
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
        int epochs = MambaTrainerOptions.DefaultEpochs) =>
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
}
