using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>
/// Keeps the values of one pass-through column for the rows of a window. Only for types whose values a getter copies into the
/// caller's storage or that cannot change: primitives (text and keys among them) and vectors.
/// </summary>
internal abstract class ColumnBuffer
{
    /// <summary>Whether values of a type outlive the row that they came from. Images and custom types may not.</summary>
    public static bool CanHold(DataViewType type) => type is PrimitiveDataViewType or VectorDataViewType;

    public static ColumnBuffer Create(DataViewRow input, DataViewSchema.Column column) => column.Type is VectorDataViewType vector
        ? (ColumnBuffer)Activator.CreateInstance(typeof(Vectors<>).MakeGenericType(vector.ItemType.RawType), input, column)!
        : (ColumnBuffer)Activator.CreateInstance(typeof(Scalars<>).MakeGenericType(column.Type.RawType), input, column)!;

    /// <summary>Copies the input's current value to a slot of the window.</summary>
    public abstract void Store(int slot);

    /// <summary>A getter of the value in the slot that <paramref name="currentSlot"/> tells.</summary>
    public abstract Delegate CreateGetter(Func<int> currentSlot);

    private sealed class Scalars<T>(DataViewRow input, DataViewSchema.Column column) : ColumnBuffer
    {
        private readonly ValueGetter<T> _getter = input.GetGetter<T>(column);
        private T[] _values = new T[64];

        public override void Store(int slot)
        {
            if (slot == _values.Length)
                Array.Resize(ref _values, 2 * slot);
            _getter(ref _values[slot]);
        }

        public override Delegate CreateGetter(Func<int> currentSlot) => (ValueGetter<T>)((ref T value) => value = _values[currentSlot()]);
    }

    private sealed class Vectors<T>(DataViewRow input, DataViewSchema.Column column) : ColumnBuffer
    {
        private readonly ValueGetter<VBuffer<T>> _getter = input.GetGetter<VBuffer<T>>(column);
        private VBuffer<T>[] _values = new VBuffer<T>[64];

        public override void Store(int slot)
        {
            if (slot == _values.Length)
                Array.Resize(ref _values, 2 * slot);
            _getter(ref _values[slot]);
        }

        public override Delegate CreateGetter(Func<int> currentSlot) =>
            (ValueGetter<VBuffer<T>>)((ref VBuffer<T> value) => _values[currentSlot()].CopyTo(ref value));
    }
}
