using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>Which rows a run trains on and which it is judged by.</summary>
internal sealed record AccuracySplit(IDataView Train, IDataView Judge);

/// <summary>The parts of a data set.</summary>
internal static class AccuracyData
{
    /// <summary>
    /// Part test: all of train.tsv against test.tsv. Part valid, for choosing settings: train.tsv against valid.tsv, and without
    /// one, folds of train.tsv (rows of one sequence stay together). Test rows are read for the part test only.
    /// </summary>
    public static IEnumerable<AccuracySplit> Splits(MLContext ml, DirectoryInfo folder, bool binary, string part, int folds)
    {
        IDataView train = Load(ml, Path.Combine(folder.FullName, "train.tsv"), binary);
        string valid = Path.Combine(folder.FullName, "valid.tsv");
        if (part == "test")
            return [new AccuracySplit(train, Load(ml, Path.Combine(folder.FullName, "test.tsv"), binary))];
        if (File.Exists(valid))
            return [new AccuracySplit(train, Load(ml, valid, binary))];
        return ml.Data.CrossValidationSplit(train, folds, samplingKeyColumnName: "Sequence", seed: 1)
            .Select(fold => new AccuracySplit(fold.TrainSet, fold.TestSet));
    }

    private static IDataView Load(MLContext ml, string file, bool binary) => ml.Data.LoadFromTextFile(file, new TextLoader.Options
    {
        Columns =
        [
            new TextLoader.Column("Label", binary ? DataKind.Boolean : DataKind.String, 1),
            new TextLoader.Column("Sequence", DataKind.String, 2),
        ],
        Separators = ['\t'],
        HasHeader = true,
    });
}
