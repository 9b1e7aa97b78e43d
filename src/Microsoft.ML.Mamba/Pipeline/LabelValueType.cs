using System.Globalization;
using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>
/// The types that label values may have, and how each is written. ML.NET's own saver is not used here, because it reads
/// sizes from the file and believes them.
/// </summary>
internal abstract class LabelValueType(byte tag, PrimitiveDataViewType type)
{
    private static readonly LabelValueType[] All =
    [
        new Known<ReadOnlyMemory<char>>(1, TextDataViewType.Instance, (w, v) => w.Write(v.ToString()), r => r.ReadString().AsMemory()),
        new Known<bool>(2, BooleanDataViewType.Instance, (w, v) => w.Write(v), r => r.ReadBoolean()),
        new Known<byte>(3, NumberDataViewType.Byte, (w, v) => w.Write(v), r => r.ReadByte()),
        new Known<sbyte>(4, NumberDataViewType.SByte, (w, v) => w.Write(v), r => r.ReadSByte()),
        new Known<short>(5, NumberDataViewType.Int16, (w, v) => w.Write(v), r => r.ReadInt16()),
        new Known<ushort>(6, NumberDataViewType.UInt16, (w, v) => w.Write(v), r => r.ReadUInt16()),
        new Known<int>(7, NumberDataViewType.Int32, (w, v) => w.Write(v), r => r.ReadInt32()),
        new Known<uint>(8, NumberDataViewType.UInt32, (w, v) => w.Write(v), r => r.ReadUInt32()),
        new Known<long>(9, NumberDataViewType.Int64, (w, v) => w.Write(v), r => r.ReadInt64()),
        new Known<ulong>(10, NumberDataViewType.UInt64, (w, v) => w.Write(v), r => r.ReadUInt64()),
        new Known<float>(11, NumberDataViewType.Single, (w, v) => w.Write(v), r => r.ReadSingle()),
        new Known<double>(12, NumberDataViewType.Double, (w, v) => w.Write(v), r => r.ReadDouble()),
        new Known<DateTime>(13, DateTimeDataViewType.Instance, (w, v) => w.Write(v.Ticks), r => new DateTime(r.ReadInt64())),
        new Known<TimeSpan>(14, TimeSpanDataViewType.Instance, (w, v) => w.Write(v.Ticks), r => new TimeSpan(r.ReadInt64())),
        new Known<DateTimeOffset>(15, DateTimeOffsetDataViewType.Instance,
            (w, v) => { w.Write(v.Ticks); w.Write(v.Offset.Ticks); },
            r => new DateTimeOffset(r.ReadInt64(), new TimeSpan(r.ReadInt64()))),
    ];

    /// <summary>Texts as label values.</summary>
    public static LabelValues Texts(IEnumerable<string> values) => ((Known<ReadOnlyMemory<char>>)All[0]).Of([.. values.Select(v => v.AsMemory())]);

    /// <summary>The number that stands for the type in a file.</summary>
    public byte Tag { get; } = tag;

    public PrimitiveDataViewType Type { get; } = type;

    public static LabelValueType? Of(DataViewType type) => Array.Find(All, known => known.Type.Equals(type));

    public static LabelValueType? Of(byte tag) => Array.Find(All, known => known.Tag == tag);

    /// <summary>The KeyValues of an annotation, or as many default values without one.</summary>
    public abstract LabelValues Copy(DataViewSchema.Annotations? annotations, int count);

    /// <exception cref="FormatException">A value is out of its type's range.</exception>
    public abstract LabelValues Read(BinaryReader reader, int count);

    private sealed class Known<T>(byte tag, PrimitiveDataViewType type, Action<BinaryWriter, T> write, Func<BinaryReader, T> read)
        : LabelValueType(tag, type)
    {
        public LabelValues Of(T[] values) => new Values(this, values);

        public override LabelValues Copy(DataViewSchema.Annotations? annotations, int count)
        {
            VBuffer<T> values = default;
            annotations?.GetValue(AnnotationUtils.Kinds.KeyValues, ref values);
            var dense = new T[count];
            values.CopyTo(dense);
            return new Values(this, dense);
        }

        public override LabelValues Read(BinaryReader reader, int count)
        {
            var values = new T[count];
            try
            {
                for (var i = 0; i < count; i++)
                    values[i] = read(reader);
            }
            catch (Exception e) when (e is ArgumentException or EndOfStreamException or FormatException)
            {
                throw new FormatException($"The label values of the model are damaged: {e.Message}", e);
            }
            return new Values(this, values);
        }

        private sealed class Values(Known<T> type, T[] values) : LabelValues(type, values.Length)
        {
            public override Delegate Getter => (ValueGetter<VBuffer<T>>)((ref VBuffer<T> vector) =>
            {
                var editor = VBufferEditor.Create(ref vector, values.Length);
                values.CopyTo(editor.Values);
                vector = editor.Commit();
            });

            public override string[] Texts() => [.. values.Select(v => Convert.ToString(v, CultureInfo.InvariantCulture) ?? "")];

            public override void Save(BinaryWriter writer)
            {
                // *** Binary format *** as in LabelValues.Load.
                writer.Write(type.Tag);
                foreach (var value in values)
                    type.Write(writer, value);
            }
        }

        private void Write(BinaryWriter writer, T value) => write(writer, value);
    }
}
