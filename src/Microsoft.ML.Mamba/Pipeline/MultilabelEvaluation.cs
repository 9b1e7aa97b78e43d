using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Training;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>Reads scored rows and works out <see cref="MultilabelClassificationMetrics"/>.</summary>
internal sealed class MultilabelEvaluation(IHost host, string labelName, string scoreName, string predictedName, char separator)
{
    public MultilabelClassificationMetrics Run(IDataView data)
    {
        host.CheckValue(data, nameof(data));
        var label = TagLabels.Find(host, data.Schema, labelName);
        var score = Find(data.Schema, scoreName, NumberDataViewType.Single);
        var tags = ((VectorDataViewType)score.Type).Size;
        var predicted = Find(data.Schema, predictedName, BooleanDataViewType.Instance);
        foreach (var column in new[] { label, predicted })
        {
            if (column.Type is VectorDataViewType vector && vector.Size != tags)
                throw host.ExceptParam("schema", $"Column '{column.Name}' has {vector.Size} values, score column '{scoreName}' has {tags}; expected one per tag in both.");
        }
        var names = NamesOf(score, tags);
        return Count(data, label, score, predicted, names);
    }

    private MultilabelClassificationMetrics Count(IDataView data, DataViewSchema.Column label, DataViewSchema.Column score, DataViewSchema.Column predicted, string[] names)
    {
        List<float>[] scores = [.. names.Select(_ => new List<float>())];
        List<bool>[] has = [.. names.Select(_ => new List<bool>())];
        List<bool>[] given = [.. names.Select(_ => new List<bool>())];
        double ranking = 0;
        using (var cursor = data.GetRowCursor([label, score, predicted]))
        {
            var getTags = TagLabels.GetTags(cursor, label, TagLabels.SlotsOf(names), separator);
            var getScores = cursor.GetGetter<VBuffer<float>>(score);
            var getPredicted = cursor.GetGetter<VBuffer<bool>>(predicted);
            var truth = new int[names.Length];
            VBuffer<float> scoreBuffer = default;
            VBuffer<bool> predictedBuffer = default;
            while (cursor.MoveNext())
            {
                host.CheckAlive();
                if (!getTags(truth))
                    continue;
                getScores(ref scoreBuffer);
                getPredicted(ref predictedBuffer);
                float[] row = [.. scoreBuffer.DenseValues()];
                if (Array.Exists(row, float.IsNaN))
                    throw host.Except($"Score column '{scoreName}', row {cursor.Position} (from 0) has missing scores; filter such rows out before evaluating.");
                ranking += RankingPrecision(row, truth);
                var slot = 0;
                foreach (var decision in predictedBuffer.DenseValues())
                {
                    given[slot].Add(decision);
                    has[slot].Add(truth[slot] == 1);
                    scores[slot].Add(row[slot]);
                    slot++;
                }
            }
        }
        var rows = scores[0].Count;
        if (rows == 0)
            throw host.Except($"There is no row with a label in column '{labelName}' to evaluate.");
        MultilabelTagMetrics[] tags = [.. names.Select((name, tag) => Tag(name, [.. scores[tag]], [.. has[tag]], [.. given[tag]]))];
        var exact = Enumerable.Range(0, rows).Count(row => Enumerable.Range(0, names.Length).All(tag => has[tag][row] == given[tag][row]));
        return new MultilabelClassificationMetrics(tags, rows, ranking / rows, (double)exact / rows);
    }

    private static MultilabelTagMetrics Tag(string name, float[] scores, bool[] has, bool[] given)
    {
        long right = 0, support = 0, predicted = 0;
        for (var row = 0; row < has.Length; row++)
        {
            right += has[row] && given[row] ? 1 : 0;
            support += has[row] ? 1 : 0;
            predicted += given[row] ? 1 : 0;
        }
        return new MultilabelTagMetrics(name, support, predicted, right, TagRanking.AveragePrecision(scores, has), TagRanking.AreaUnderCurve(scores, has));
    }

    /// <summary>The mean, over the tags that a row has, of the share of true ones among those that score as high or higher; 1 for rows with no tag or all.</summary>
    private static double RankingPrecision(float[] scores, int[] truth)
    {
        var count = truth.Sum();
        if (count == 0 || count == truth.Length)
            return 1;
        double sum = 0;
        for (var tag = 0; tag < truth.Length; tag++)
        {
            if (truth[tag] == 0)
                continue;
            int above = 0, right = 0;
            for (var other = 0; other < truth.Length; other++)
            {
                if (scores[other] >= scores[tag])
                {
                    above++;
                    right += truth[other];
                }
            }
            sum += (double)right / above;
        }
        return sum / count;
    }

    private DataViewSchema.Column Find(DataViewSchema schema, string name, DataViewType item)
    {
        var column = schema.GetColumnOrNull(name) ?? throw SequenceColumn.Missing(host, name, "scored", "the column names of Evaluate", schema.Where(c => !c.IsHidden).Select(c => c.Name));
        return column.Type is VectorDataViewType { IsKnownSize: true } vector && vector.ItemType.Equals(item)
            ? column
            : throw host.ExceptParam("schema", $"Column '{name}' has type {column.Type}; expected a vector of {item} of known size, as MultilabelClassification().Trainers.Mamba makes it.");
    }

    private static string[] NamesOf(DataViewSchema.Column score, int tags)
    {
        if (!score.HasSlotNames())
            return [.. Enumerable.Range(0, tags).Select(i => i.ToString(System.Globalization.CultureInfo.InvariantCulture))];
        VBuffer<ReadOnlyMemory<char>> names = default;
        score.GetSlotNames(ref names);
        return [.. names.DenseValues().Select(n => n.ToString())];
    }
}
