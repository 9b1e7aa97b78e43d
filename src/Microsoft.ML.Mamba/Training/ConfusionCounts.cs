namespace Microsoft.ML.Mamba.Training;

/// <summary>How often each true class was taken for each class.</summary>
internal sealed class ConfusionCounts(int classes)
{
    private readonly long[] _counts = new long[classes * classes];

    internal int Classes => classes;

    internal long this[int truth, int predicted] => _counts[(truth * classes) + predicted];

    internal long Total => _counts.Sum();

    /// <summary>NaN when nothing was counted.</summary>
    internal double Accuracy => (double)Enumerable.Range(0, classes).Sum(i => this[i, i]) / Total;

    /// <summary>The mean F1 of the classes that occur or were predicted; NaN when there are none.</summary>
    internal double MacroF1 => Enumerable.Range(0, classes).Where(i => Support(i) + Predicted(i) > 0).Select(F1).DefaultIfEmpty(double.NaN).Average();

    internal void Add(int truth, int predicted) => _counts[(truth * classes) + predicted]++;

    internal long Support(int label) => Enumerable.Range(0, classes).Sum(i => this[label, i]);

    internal long Predicted(int label) => Enumerable.Range(0, classes).Sum(i => this[i, label]);

    private double F1(int label) => 2.0 * this[label, label] / (Support(label) + Predicted(label));
}
