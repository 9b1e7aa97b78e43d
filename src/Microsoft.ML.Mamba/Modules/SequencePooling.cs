using System.Runtime.InteropServices;
using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>
/// Hidden states (B, L, DModel) → one vector per sequence (B, Features), by lengths. Padding adds nothing to result or gradient;
/// a sequence of length 0 gives zeros. State: queries (4, DModel) for attention.
/// </summary>
internal sealed class SequencePooling : nn.Module<Tensor, int[], Tensor>
{
    private const int Queries = 4;

    // Finite, so that a row of padding alone gives no NaN; e to this is 0 in every type.
    private const double Nothing = -1e30;

    private readonly MambaPooling _pooling;

    [ComponentName(Name = "queries")]
    private readonly Parameter? _queries;

    public SequencePooling(MambaPooling pooling, int dModel, Initialisation init)
        : base(nameof(SequencePooling))
    {
        if (!Enum.IsDefined(pooling))
            throw new ArgumentOutOfRangeException(nameof(pooling), pooling, $"{nameof(SequencePooling)}: expected a value of {nameof(MambaPooling)}.");
        _pooling = pooling;
        Features = FeaturesOf(pooling, dModel);
        if (pooling == MambaPooling.Attention)
            _queries = init.Normal(MambaModel.EmbeddingDeviation, Queries, dModel);
        RegisterComponents();
    }

    /// <summary>Width of a pooled vector.</summary>
    public int Features { get; }

    /// <summary>Width of a vector that is pooled in this way.</summary>
    public static int FeaturesOf(MambaPooling pooling, int dModel) => pooling switch
    {
        MambaPooling.MeanMax => 2 * dModel,
        MambaPooling.Attention => Queries * dModel,
        _ => dModel,
    };

    public override Tensor forward(Tensor hidden, int[] lengths)
    {
        using var scope = NewDisposeScope();
        var pooled = new Accumulator(this, hidden.shape[0], lengths);
        pooled.Add(hidden, 0);
        return pooled.Result().MoveToOuterDisposeScope();
    }

    /// <summary>Begins to pool a batch whose hidden states arrive piece by piece.</summary>
    public Accumulator Begin(long batch, int[] lengths) => new(this, batch, lengths);

    /// <summary>What is known of each sequence's vector after the pieces so far: constant size, whatever the length.</summary>
    internal sealed class Accumulator(SequencePooling owner, long batch, int[] lengths)
    {
        private Tensor? _sum;       // (B, DModel): mean, first and last, as sums of weighted rows
        private Tensor? _max;       // (B, DModel)
        private Tensor? _peak;      // (B, Q, 1): largest score so far
        private Tensor? _total;     // (B, Q, 1): sum of e^(score - peak)
        private Tensor? _attended;  // (B, Q, DModel): sum of e^(score - peak)·hidden

        /// <summary>
        /// Adds the hidden states (B, l, DModel) of positions start to start + l. Nothing else outlives the call: what each piece
        /// left behind would lie scattered between the large blocks of the next one, and the heap would grow with the length.
        /// </summary>
        public void Add(Tensor hidden, long start)
        {
            if (hidden.shape[1] == 0)
                return;
            Tensor?[] before = [_sum, _max, _peak, _total, _attended];
            using var scope = NewDisposeScope();
            Pool(hidden, start);
            foreach (var kept in (Tensor?[])[_sum, _max, _peak, _total, _attended])
                kept?.MoveToOuterDisposeScope();
            foreach (var replaced in before)
                replaced?.Dispose();
        }

        /// <summary>(B, Features).</summary>
        public Tensor Result()
        {
            var table = owner._queries;
            Tensor Zeros() => zeros(batch, owner.Features, dtype: table?.dtype ?? get_default_dtype(), device: table?.device ?? CPU);
            return owner._pooling switch
            {
                MambaPooling.Last or MambaPooling.First or MambaPooling.Mean => _sum ?? Zeros(),
                MambaPooling.Max => _max is null ? Zeros() : Present(_max),
                MambaPooling.MeanMax => _max is null ? Zeros() : cat([_sum!, Present(_max)], 1),
                _ => _attended is null ? Zeros() : Present((_attended / _total!).view(batch, owner.Features)),
            };
        }

        private void Pool(Tensor hidden, long start)
        {
            switch (owner._pooling)
            {
                case MambaPooling.Last:
                    AddWeighted(hidden, start, (position, length) => position == length - 1 ? 1 : 0);
                    break;
                case MambaPooling.First:
                    AddWeighted(hidden, start, (position, length) => position == 0 && length > 0 ? 1 : 0);
                    break;
                case MambaPooling.Mean:
                    AddWeighted(hidden, start, (position, length) => position < length ? 1.0 / length : 0);
                    break;
                case MambaPooling.Max:
                    AddMax(hidden, start);
                    break;
                case MambaPooling.MeanMax:
                    AddWeighted(hidden, start, (position, length) => position < length ? 1.0 / length : 0);
                    AddMax(hidden, start);
                    break;
                default:
                    AddAttended(hidden, start);
                    break;
            }
        }

        private void AddWeighted(Tensor hidden, long start, Func<long, int, double> weight)
        {
            var weights = Weights(hidden, start, weight).unsqueeze(1);                      // (B, 1, l)
            var sum = bmm(weights, hidden).squeeze(1);                                      // (B, DModel)
            _sum = _sum is null ? sum : _sum.Plus(sum);
        }

        private void AddMax(Tensor hidden, long start)
        {
            var padding = Weights(hidden, start, (position, length) => position < length ? 0 : 1).to(ScalarType.Bool).unsqueeze(2);
            using Scalar lowest = Nothing;
            var max = hidden.masked_fill(padding, lowest).amax([1]);                        // (B, DModel)
            _max = _max is null ? max : maximum(_max, max);
        }

        /// <summary>Softmax over positions with a running maximum, so that pieces give what the whole gives.</summary>
        private void AddAttended(Tensor hidden, long start)
        {
            var bias = Weights(hidden, start, (position, length) => position < length ? 0 : Nothing).unsqueeze(1);
            var keys = hidden.transpose(1, 2);                                              // (B, DModel, l)
            using Scalar temperature = Math.Sqrt(hidden.shape[2]);
            var scores = matmul(owner._queries! / temperature, keys).Plus(bias);            // (B, Q, l)
            var peak = scores.detach().amax([2], keepdim: true);
            if (_peak is not null)
                peak = maximum(peak, _peak);
            var weights = exp(scores - peak);
            var total = weights.sum(2, keepdim: true);
            var attended = bmm(weights, hidden);
            if (_peak is not null)
            {
                var shrink = exp(_peak - peak);
                total = (_total! * shrink).Plus(total);
                attended = (_attended! * shrink).Plus(attended);
            }

            (_peak, _total, _attended) = (peak, total, attended);
        }

        /// <summary>Zeros in the rows of empty sequences.</summary>
        private Tensor Present(Tensor pooled)
        {
            var empty = tensor(Array.ConvertAll(lengths, length => length == 0), [batch, 1]).MovedTo(pooled.device);
            using Scalar zero = 0;
            return pooled.masked_fill(empty, zero);
        }

        /// <summary>(B, l) of a number for each position and its sequence's length.</summary>
        private Tensor Weights(Tensor hidden, long start, Func<long, int, double> weight)
        {
            var count = hidden.shape[1];
            var weights = empty(batch, count, dtype: ScalarType.Float32);
            var values = MemoryMarshal.Cast<byte, float>(weights.bytes); // in place: long sequences have many pieces, and arrays would pile up
            for (int row = 0, i = 0; row < batch; row++)
            {
                for (var t = 0; t < count; t++, i++)
                    values[i] = (float)weight(start + t, lengths[row]);
            }

            return weights.to(hidden.dtype).MovedTo(hidden.device);
        }
    }
}
