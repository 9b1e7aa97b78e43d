using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>4 floats.</summary>
internal readonly unsafe struct Vector128Float : IFloatVector<Vector128Float>
{
    private readonly Vector128<float> _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector128Float(Vector128<float> value) => _value = value;

    public static int Count => 4;

    public static Vector128Float Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector128<float>.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128Float Broadcast(float value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128Float Load(float* address) => new(Vector128.Load(address));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector128Float value, float* address) => Vector128.Store(value._value, address);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128Float operator +(Vector128Float a, Vector128Float b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128Float operator -(Vector128Float a, Vector128Float b) => new(a._value - b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128Float operator *(Vector128Float a, Vector128Float b) => new(a._value * b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128Float operator /(Vector128Float a, Vector128Float b) => new(a._value / b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128Float MultiplyAdd(Vector128Float a, Vector128Float b, Vector128Float c) =>
        new(Vector128.MultiplyAddEstimate(a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128Float Max(Vector128Float a, Vector128Float b) => new(Vector128.MaxNative(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128Float Min(Vector128Float a, Vector128Float b) => new(Vector128.MinNative(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128Float NegativeMagnitude(Vector128Float a) => new(Vector128.Create(-0f) | a._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128Float Sqrt(Vector128Float a) => new(Vector128.Sqrt(a._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128Float SelectLess(Vector128Float a, Vector128Float b, Vector128Float ifLess, Vector128Float otherwise) =>
        new(Vector128.ConditionalSelect(Vector128.LessThan(a._value, b._value), ifLess._value, otherwise._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128Float ScaleByPowerOfTwo(Vector128Float p, Vector128Float shifted) =>
        new((p._value.AsInt32() + (shifted._value.AsInt32() << 23)).AsSingle());

    public static bool HasLookup16 => false;

    public static Vector128Float Lookup16(Vector128Float table, Vector128Float index) => throw new NotSupportedException();

    public static Vector128Float ScaleByFloorPowerOfTwo(Vector128Float p, Vector128Float n) => throw new NotSupportedException();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector128Float a) => Vector128.Sum(a._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddRowSums(float* rows, long stride, float* sums)
    {
        for (var row = 0; row < Count; row++)
        {
            sums[row] += Sum(Load(rows + row * stride));
        }
    }
}
