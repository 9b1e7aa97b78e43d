using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Pipeline;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>
/// One model in two ways: fed with the ready batches that scoring itself would make of all the rows, and with the rows themselves
/// through Transform and a cursor that reads one column. The difference is what the pipeline costs.
/// </summary>
internal sealed class PipelineCost
{
    private readonly IPredictorOwner _model;
    private readonly PaddedBatch[] _batches;

    /// <param name="model">A transformer.</param>
    /// <param name="texts">The text of each row.</param>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="batchSize">The model's ScoringBatchSize.</param>
    public PipelineCost(IPredictorOwner model, IEnumerable<string> texts, SequenceTokenizer tokenizer, int batchSize)
    {
        var set = SequenceSet.OfIds();
        foreach (string text in texts)
            set.AddIds(tokenizer.Encode(text), target: 0);
        _model = model;
        _batches = [.. LengthBucketedBatches.ByLength(set, batchSize, SequenceScorer.PositionsPerBatch).Select(indices => PaddedBatch.Gather(set, indices))];
    }

    /// <summary>Feeds the ready batches.</summary>
    public void FeedBatches() => Array.ForEach(_batches, batch => _model.Predictor.Predict(batch));

    /// <summary>Scores the rows and reads every value of a column.</summary>
    /// <typeparam name="T">float, or a vector of it.</typeparam>
    public void ReadRows<T>(IDataView rows, string columnName)
    {
        IDataView scored = ((ITransformer)_model).Transform(rows);
        DataViewSchema.Column column = scored.Schema[columnName];
        using DataViewRowCursor cursor = scored.GetRowCursor([column]);
        ValueGetter<T> get = cursor.GetGetter<T>(column);
        T value = default!;
        while (cursor.MoveNext())
            get(ref value);
    }
}
