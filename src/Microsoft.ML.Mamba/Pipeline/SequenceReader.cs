using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Data;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>Reads the sequence of the current row of a cursor or row, and belongs to its thread. A missing text is an empty sequence.</summary>
internal abstract class SequenceReader
{
    /// <summary>Reads the sequence of the current row and adds it to a set, cut to its longest length.</summary>
    /// <param name="set">Where it goes.</param>
    /// <param name="truncation">The longest length and which part stays.</param>
    /// <param name="target">The label.</param>
    /// <param name="row">The row's position.</param>
    /// <exception cref="FormatException">The value is no sequence; the message says why, not where.</exception>
    /// <exception cref="SequenceTokenizationException">The text holds a character that the tokenizer refuses.</exception>
    public abstract void AppendTo(SequenceSet set, TruncationPolicy truncation, float target, long row);

    public static SequenceReader Create(DataViewRow row, DataViewSchema.Column column, SequenceEncoding encoding) => encoding.Kind switch
    {
        SequenceColumnKind.Text => new TextReader(row.GetGetter<ReadOnlyMemory<char>>(column), encoding.Tokenizer!),
        SequenceColumnKind.Frames => new FrameReader(row.GetGetter<VBuffer<float>>(column), encoding.FrameWidth),
        _ => CreateIdReader(row, column, encoding),
    };

    /// <summary>Reads a text whose words are marked: the set's labels are 0 at the first token of each, and none elsewhere. It cuts nothing.</summary>
    public static SequenceReader OfWords(DataViewRow row, DataViewSchema.Column column, SequenceEncoding encoding) =>
        new WordReader(row.GetGetter<ReadOnlyMemory<char>>(column), encoding.Tokenizer!);

    private static SequenceReader CreateIdReader(DataViewRow row, DataViewSchema.Column column, SequenceEncoding encoding)
    {
        var raw = ((VectorDataViewType)column.Type).ItemType.RawType;
        if (raw == typeof(byte)) return new IdReader<byte>(row, column, encoding);
        if (raw == typeof(sbyte)) return new IdReader<sbyte>(row, column, encoding);
        if (raw == typeof(ushort)) return new IdReader<ushort>(row, column, encoding);
        if (raw == typeof(short)) return new IdReader<short>(row, column, encoding);
        if (raw == typeof(uint)) return new IdReader<uint>(row, column, encoding);
        if (raw == typeof(int)) return new IdReader<int>(row, column, encoding);
        if (raw == typeof(ulong)) return new IdReader<ulong>(row, column, encoding);
        return new IdReader<long>(row, column, encoding);
    }

    private sealed class TextReader(ValueGetter<ReadOnlyMemory<char>> getter, SequenceTokenizer tokenizer) : SequenceReader
    {
        private readonly List<int> _ids = [];
        private ReadOnlyMemory<char> _text;

        public override void AppendTo(SequenceSet set, TruncationPolicy truncation, float target, long row)
        {
            getter(ref _text);
            _ids.Clear();
            tokenizer.Encode(_text.Span, _ids);
            set.AddIds(truncation.Apply<int>(CollectionsMarshal.AsSpan(_ids)), target, row);
        }
    }

    private sealed class WordReader(ValueGetter<ReadOnlyMemory<char>> getter, SequenceTokenizer tokenizer) : SequenceReader
    {
        private readonly List<(int Start, int Length)> _words = [];
        private readonly List<int> _ids = [];
        private readonly List<int> _firsts = [];
        private ReadOnlyMemory<char> _text;

        public override void AppendTo(SequenceSet set, TruncationPolicy truncation, float target, long row)
        {
            getter(ref _text);
            _ids.Clear();
            _firsts.Clear();
            WordSpans.Find(_text.Span, _words);
            tokenizer.EncodeWords(_text.Span, _words, _ids, _firsts);
            set.AddIds(CollectionsMarshal.AsSpan(_ids), target, row);
            var marks = new int[_ids.Count];
            Array.Fill(marks, PositionLabels.None);
            foreach (var first in _firsts)
                marks[first] = 0;
            set.LabelLast(marks);
        }
    }

    private sealed class IdReader<T>(DataViewRow row, DataViewSchema.Column column, SequenceEncoding encoding) : SequenceReader
        where T : IBinaryInteger<T>
    {
        private readonly ValueGetter<VBuffer<T>> _getter = row.GetGetter<VBuffer<T>>(column);
        private readonly int _limit = encoding.VocabSize == 0 ? SequenceEncoding.MaxVocabSize : encoding.VocabSize;
        private VBuffer<T> _values;
        private int[] _ids = [];

        public override void AppendTo(SequenceSet set, TruncationPolicy truncation, float target, long row)
        {
            _getter(ref _values);
            if (_ids.Length < _values.Length)
                _ids = new int[Math.Max(_values.Length, 2 * _ids.Length)];
            if (_values.IsDense)
                Convert(_values.GetValues());
            else
                Scatter();
            set.AddIds(truncation.Apply<int>(_ids.AsSpan(0, _values.Length)), target, row);
        }

        private void Convert(ReadOnlySpan<T> values)
        {
            for (var i = 0; i < values.Length; i++)
                _ids[i] = Checked(values[i], i);
        }

        private void Scatter()
        {
            _ids.AsSpan(0, _values.Length).Clear();
            var values = _values.GetValues();
            var indices = _values.GetIndices();
            for (var i = 0; i < values.Length; i++)
                _ids[indices[i]] = Checked(values[i], indices[i]);
        }

        private int Checked(T value, int index)
        {
            if (T.IsNegative(value) || ulong.CreateTruncating(value) >= (ulong)_limit)
                throw NoId(value, index);
            return int.CreateTruncating(value);
        }

        private FormatException NoId(T value, int index)
        {
            var cure = encoding is { Kind: SequenceColumnKind.Integers, VocabSize: > 0 } ? " A larger Model.VocabSize in training would allow for it." : "";
            return new FormatException($"The value {value} at position {index} is no id; expected 0 to {_limit - 1}.{cure}");
        }
    }

    private sealed class FrameReader(ValueGetter<VBuffer<float>> getter, int width) : SequenceReader
    {
        private VBuffer<float> _values;
        private float[] _dense = [];

        public override void AppendTo(SequenceSet set, TruncationPolicy truncation, float target, long row)
        {
            getter(ref _values);
            if (_values.Length % width != 0)
                throw new FormatException($"The vector has {_values.Length} values, which is no multiple of the frame width {width}.");
            var frames = Dense();
            CheckFinite(frames);
            set.AddFrames(truncation.Apply(frames, width), target, row);
        }

        private ReadOnlySpan<float> Dense()
        {
            if (_values.IsDense)
                return _values.GetValues();
            if (_dense.Length < _values.Length)
                _dense = new float[Math.Max(_values.Length, 2 * _dense.Length)];
            _values.CopyTo(_dense);
            return _dense.AsSpan(0, _values.Length);
        }

        private void CheckFinite(ReadOnlySpan<float> frames)
        {
            for (var i = 0; i < frames.Length; i++)
                if (!float.IsFinite(frames[i]))
                    throw new FormatException(string.Create(CultureInfo.InvariantCulture,
                        $"Frame {i / width} holds {frames[i]} at index {i % width}; frames must be finite. Replace missing values first (Transforms.ReplaceMissingValues)."));
        }
    }
}
