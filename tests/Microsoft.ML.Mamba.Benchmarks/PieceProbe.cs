using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>
/// A linear model that says of each piece of a window whether most of it is coding, from the mean of its positions' vectors in both
/// strands; most of a window is coding if most of its pieces are.
/// </summary>
internal sealed class PieceProbe
{
    private const int PieceLength = 32;

    private readonly MLContext _ml;
    private readonly ITransformer _embed, _linear;

    /// <param name="ml">The context.</param>
    /// <param name="embed">Sequence to Features, one vector for each position.</param>
    /// <param name="linear">Features to PredictedLabel.</param>
    /// <param name="windows">What to learn from.</param>
    public PieceProbe(MLContext ml, IEstimator<ITransformer> embed, IEstimator<ITransformer> linear, GenomeWindow[] windows)
    {
        _ml = ml;
        _embed = embed.Fit(ml.Data.LoadFromEnumerable(windows));
        _linear = linear.Fit(Pieces(windows));
    }

    public BinaryClassificationMetrics Evaluate(GenomeWindow[] windows)
    {
        IEnumerable<bool> coding = _linear.Transform(Pieces(windows)).GetColumn<bool>("PredictedLabel");
        IEnumerable<Judgement> judgements = coding.Chunk(GenomeWindow.Length / PieceLength).Zip(windows, (pieces, window) =>
        {
            // ML.NET's metrics take scores above 0 as true, whatever PredictedLabel says.
            float score = ((float)pieces.Count(piece => piece) / pieces.Length) - 0.5f;
            return new Judgement { Label = window.Label, Score = score, PredictedLabel = score > 0 };
        });
        return _ml.BinaryClassification.EvaluateNonCalibrated(_ml.Data.LoadFromEnumerable(judgements.ToArray()));
    }

    private IDataView Pieces(GenomeWindow[] windows)
    {
        float[][] forward = PieceVectors(windows), backward = PieceVectors([.. windows.Select(window => window.ReverseComplement())]);
        int perWindow = GenomeWindow.Length / PieceLength;
        Piece[] pieces = [.. forward.Select((features, i) =>
        {
            (int window, int piece) = Math.DivRem(i, perWindow);
            float[] other = backward[((window + 1) * perWindow) - 1 - piece];
            return new Piece
            {
                Features = [.. features.Zip(other, (a, b) => (a + b) / 2)],
                Label = windows[window].Coding.AsSpan(piece * PieceLength, PieceLength).Count(true) > PieceLength / 2,
            };
        })];
        SchemaDefinition schema = SchemaDefinition.Create(typeof(Piece));
        schema[nameof(Piece.Features)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, pieces[0].Features.Length);
        return _ml.Data.LoadFromEnumerable(pieces, schema);
    }

    /// <summary>The means of each window's pieces, window by window.</summary>
    private float[][] PieceVectors(GenomeWindow[] windows)
    {
        IDataView embedded = _embed.Transform(_ml.Data.LoadFromEnumerable(windows));
        return [.. embedded.GetColumn<float[]>("Features").SelectMany(positions =>
        {
            int width = positions.Length / GenomeWindow.Length;
            return positions.Chunk(PieceLength * width).Select(piece =>
            {
                float[] mean = new float[width];
                for (int i = 0; i < piece.Length; i++)
                    mean[i % width] += piece[i] / PieceLength;
                return mean;
            });
        })];
    }

    private sealed class Piece
    {
        public float[] Features { get; set; } = [];

        public bool Label { get; set; }
    }

    private sealed class Judgement
    {
        public bool Label { get; set; }

        public float Score { get; set; }

        public bool PredictedLabel { get; set; }
    }
}
