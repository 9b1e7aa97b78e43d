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
    public static IEnumerable<AccuracySplit> Splits(MLContext ml, DirectoryInfo folder, AccuracyTask task, string part, int folds)
    {
        IDataView train = Load(ml, Path.Combine(folder.FullName, "train.tsv"), task);
        string valid = Path.Combine(folder.FullName, "valid.tsv");
        if (part == "test")
            return [new AccuracySplit(train, Load(ml, Path.Combine(folder.FullName, "test.tsv"), task))];
        if (File.Exists(valid))
            return [new AccuracySplit(train, Load(ml, valid, task))];
        return ml.Data.CrossValidationSplit(train, folds, samplingKeyColumnName: "Sequence", seed: 1)
            .Select(fold => new AccuracySplit(fold.TrainSet, fold.TestSet));
    }

    /// <summary>The texts of a file of tab-separated columns with a header.</summary>
    public static IEnumerable<string> Texts(string file, int column) => File.ReadLines(file).Skip(1).Select(line => line.Split('\t')[column]);

    private static IDataView Load(MLContext ml, string file, AccuracyTask task) => ml.Data.LoadFromTextFile(file, new TextLoader.Options
    {
        Columns =
        [
            new TextLoader.Column("Label", task.IsBinary ? DataKind.Boolean : DataKind.String, 1),
            new TextLoader.Column("Sequence", DataKind.String, task.SequenceColumn),
        ],
        Separators = ['\t'],
        HasHeader = true,
    });
}
