using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Training;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>The place of the values of one row of a set.</summary>
internal delegate Span<float> RowOfScores(int row);

/// <summary>
/// What all transformers share: a trained model, how its sequences are read and which columns it fills. Safe from any
/// number of threads. It never asks whether the context was cancelled: a model has to score after its training was stopped.
/// </summary>
internal sealed class SequenceScorer(
    IHost host, SequencePredictor predictor, SequenceEncoding encoding, ITaskOutputs outputs, string sequenceColumnName, int batchSize) : IDisposable
{
    /// <summary>Positions per batch, padding included: enough work for all cores, little enough to stay in the cache.</summary>
    public const int PositionsPerBatch = 1 << 14;

    public IHost Host => host;

    public SequencePredictor Predictor => predictor;

    public SequenceEncoding Encoding => encoding;

    public ITaskOutputs Outputs => outputs;

    public string SequenceColumnName => sequenceColumnName;

    public int BatchSize => batchSize;

    public int OutputCount => outputs.OutputCount;

    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        host.CheckValue(inputSchema, nameof(inputSchema));
        encoding.Find(host, inputSchema, sequenceColumnName);
        return outputs.Schema.AppendTo(inputSchema);
    }

    public IDataView Transform(IDataView input)
    {
        host.CheckValue(input, nameof(input));
        return new BatchedScoringView(this, input, GetOutputSchema(input.Schema));
    }

    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => new RowScorer(this, inputSchema, GetOutputSchema(inputSchema));

    /// <summary>Reads the sequence column of a cursor or row.</summary>
    public SequenceReader CreateReader(DataViewRow row) => outputs.ByWord
        ? SequenceReader.OfWords(row, row.Schema[sequenceColumnName], encoding)
        : SequenceReader.Create(row, row.Schema[sequenceColumnName], encoding);

    public SequenceSet NewSet() => encoding.IsFrames ? SequenceSet.OfFrames(encoding.FrameWidth) : SequenceSet.OfIds();

    /// <summary>Adds a sequence without positions, to stand for one that cannot be read.</summary>
    public void AddEmpty(SequenceSet set, long row)
    {
        if (encoding.IsFrames)
            set.AddFrames([], 0f, row);
        else
            set.AddIds([], 0f, row);
    }

    public TruncationPolicy NewTruncation() => predictor.CreateTruncation();

    /// <summary>Scores all sequences of a set and writes the values of each where <paramref name="row"/> tells.</summary>
    /// <exception cref="ObjectDisposedException">The transformer has been disposed.</exception>
    public void Score(SequenceSet set, RowOfScores row)
    {
        foreach (var rows in LengthBucketedBatches.ByLength(set, batchSize, PositionsPerBatch))
        {
            var results = Predict(PaddedBatch.Gather(set, rows));
            var start = 0;
            foreach (var number in rows)
            {
                var values = row(number);
                results.AsSpan(start, values.Length).CopyTo(values);
                start += values.Length;
            }
        }
    }

    /// <summary>The error about a row whose sequence cannot be read.</summary>
    public Exception Unreadable(long position, Exception cause) =>
        host.Except(cause, $"Sequence column '{sequenceColumnName}', row {position} (from 0): {cause.Message}");

    public void Dispose() => predictor.Dispose();

    private float[] Predict(PaddedBatch batch)
    {
        try
        {
            return predictor.Predict(batch);
        }
        catch (Exception e) when (ComputeDevice.IsOutOfMemory(e))
        {
            // libtorch has no exception of its own for this; callers that try several settings know this one.
            throw new OutOfMemoryException($"Scoring {batch.Rows} sequences of up to {batch.Length} positions ran out of memory; a smaller ScoringBatchSize or MaxLength needs less. {e.Message}", e);
        }
    }
}
