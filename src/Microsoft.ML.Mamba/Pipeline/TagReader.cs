using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Data;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>Reads the labels of the current row as classes, one per position or word. Belongs to one cursor.</summary>
internal abstract class TagReader
{
    /// <summary>The classes of a row; <see cref="PositionLabels.None"/> where a label is missing or none of the classes.</summary>
    /// <param name="count">How many positions or words the row's sequence has.</param>
    /// <returns>Null when the whole label is missing.</returns>
    /// <exception cref="LabelException">The label is damaged, or of another length.</exception>
    public abstract int[]? Read(int count);

    /// <summary>The reader of a label column.</summary>
    /// <param name="row">The row.</param>
    /// <param name="label">Its label column: a vector of keys, or text.</param>
    /// <param name="alignment">What labels belong to.</param>
    /// <param name="classOfName">The class of each label of a text.</param>
    /// <param name="classOfKey">The class of each key, from 0; null: the key less one.</param>
    public static TagReader Create(
        DataViewRow row, DataViewSchema.Column label, TagAlignment alignment, IReadOnlyDictionary<string, int> classOfName, int[]? classOfKey = null)
    {
        if (label.Type is VectorDataViewType vector)
            return Keys(row, label, (KeyDataViewType)vector.ItemType, alignment.Unit, classOfKey);
        var text = row.GetGetter<ReadOnlyMemory<char>>(label);
        return alignment.Unit switch
        {
            MambaTagUnit.Position => new CharacterReader(text, classOfName),
            MambaTagUnit.Word => new WordReader(text, classOfName),
            _ => new EventReader(text, alignment, classOfName),
        };
    }

    /// <summary>The names of the labels in a text.</summary>
    public static IEnumerable<string> NamesIn(string text, MambaTagUnit unit) => unit switch
    {
        MambaTagUnit.Position => text.Select(c => c.ToString()),
        MambaTagUnit.Word => Words(text),
        _ => TagEvent.Parse(text).Select(e => e.Label),
    };

    private static string[] Words(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    private static TagReader Keys(DataViewRow row, DataViewSchema.Column label, KeyDataViewType key, MambaTagUnit unit, int[]? classOfKey)
    {
        if (key.RawType == typeof(byte)) return new KeyReader<byte>(row, label, v => v, key.Count, unit, classOfKey);
        if (key.RawType == typeof(ushort)) return new KeyReader<ushort>(row, label, v => v, key.Count, unit, classOfKey);
        if (key.RawType == typeof(uint)) return new KeyReader<uint>(row, label, v => v, key.Count, unit, classOfKey);
        return new KeyReader<ulong>(row, label, v => v, key.Count, unit, classOfKey);
    }

    private static LabelException OtherLength(int labels, int count, MambaTagUnit unit) => unit == MambaTagUnit.Word
        ? new($"there are {labels} labels, but the text has {count} words; expected one label per word (words stand between white space).")
        : new($"there are {labels} labels, but the sequence has {count} positions; expected one label per position.");

    private sealed class KeyReader<T>(DataViewRow row, DataViewSchema.Column label, Func<T, ulong> widen, ulong keys, MambaTagUnit unit, int[]? classOfKey) : TagReader
        where T : struct
    {
        private readonly ValueGetter<VBuffer<T>> _getter = row.GetGetter<VBuffer<T>>(label);
        private VBuffer<T> _values;

        public override int[]? Read(int count)
        {
            _getter(ref _values);
            if (_values.Length == 0 && count > 0)
                return null;
            if (_values.Length != count)
                throw OtherLength(_values.Length, count, unit);
            var classes = new int[count];
            Array.Fill(classes, PositionLabels.None);
            foreach (var (position, value) in _values.Items())
            {
                var key = widen(value);
                if (key != 0 && key <= keys)
                    classes[position] = classOfKey is null ? (int)key - 1 : classOfKey[(int)key - 1];
            }
            return classes;
        }
    }

    private abstract class TextLabels(ValueGetter<ReadOnlyMemory<char>> getter, IReadOnlyDictionary<string, int> classOfName) : TagReader
    {
        private ReadOnlyMemory<char> _text;

        protected string Text()
        {
            getter(ref _text);
            return _text.ToString();
        }

        protected int ClassOf(string name) => classOfName.TryGetValue(name, out var label) ? label : PositionLabels.None;
    }

    private sealed class CharacterReader(ValueGetter<ReadOnlyMemory<char>> getter, IReadOnlyDictionary<string, int> classOfName) : TextLabels(getter, classOfName)
    {
        public override int[]? Read(int count)
        {
            var text = Text();
            if (text.Length == 0 && count > 0)
                return null;
            return text.Length == count ? [.. text.Select(c => ClassOf(c.ToString()))] : throw OtherLength(text.Length, count, MambaTagUnit.Position);
        }
    }

    private sealed class WordReader(ValueGetter<ReadOnlyMemory<char>> getter, IReadOnlyDictionary<string, int> classOfName) : TextLabels(getter, classOfName)
    {
        public override int[]? Read(int count)
        {
            var labels = Words(Text());
            if (labels.Length == 0 && count > 0)
                return null;
            return labels.Length == count ? [.. labels.Select(ClassOf)] : throw OtherLength(labels.Length, count, MambaTagUnit.Word);
        }
    }

    private sealed class EventReader(ValueGetter<ReadOnlyMemory<char>> getter, TagAlignment alignment, IReadOnlyDictionary<string, int> classOfName) : TextLabels(getter, classOfName)
    {
        public override int[]? Read(int count)
        {
            var classes = new int[count];
            Array.Fill(classes, ClassOf(alignment.Background));
            foreach (var (onset, offset, label) in TagEvent.Parse(Text()))
            {
                var (from, to) = (FirstFrameFrom(onset, count), FirstFrameFrom(offset, count));
                classes.AsSpan(from, to - from).Fill(ClassOf(label));
            }
            return classes;
        }

        /// <summary>The first frame whose middle is not before a time.</summary>
        private int FirstFrameFrom(double time, int count)
        {
            var frame = (int)Math.Clamp(Math.Ceiling((time - alignment.First) / alignment.Hop), 0, count);
            // The quotient is rounded; the times themselves decide.
            while (frame > 0 && Middle(frame - 1) >= time)
                frame--;
            while (frame < count && Middle(frame) < time)
                frame++;
            return frame;
        }

        private double Middle(int frame) => alignment.First + (frame * alignment.Hop);
    }
}

/// <summary>A labelled stretch of time, in seconds.</summary>
internal readonly record struct TagEvent(double Onset, double Offset, string Label)
{
    /// <exception cref="LabelException">The text is no list of events.</exception>
    public static IEnumerable<TagEvent> Parse(string text)
    {
        foreach (var part in text.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var fields = part.Split((char[]?)null, 3, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (fields.Length != 3
                || !double.TryParse(fields[0], NumberStyles.Float, CultureInfo.InvariantCulture, out var onset)
                || !double.TryParse(fields[1], NumberStyles.Float, CultureInfo.InvariantCulture, out var offset)
                || !(onset >= 0 && offset >= onset && double.IsFinite(offset)))
            {
                throw new LabelException($"'{part}' is no event; expected 'onset offset label' with 0 ≤ onset ≤ offset in seconds, and ';' between events.");
            }
            yield return new TagEvent(onset, offset, fields[2]);
        }
    }
}
