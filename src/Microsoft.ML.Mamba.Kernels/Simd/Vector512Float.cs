using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>16 floats.</summary>
internal readonly unsafe struct Vector512Float : IFloatVector<Vector512Float>
{
    private readonly Vector512<float> _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector512Float(Vector512<float> value) => _value = value;

    public static int Count => 16;

    public static Vector512Float Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector512<float>.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512Float Broadcast(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512Float Load(float* address) => new(Vector512.Load(address));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector512Float value, float* address) => Vector512.Store(value._value, address);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512Float operator +(Vector512Float a, Vector512Float b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512Float operator -(Vector512Float a, Vector512Float b) => new(a._value - b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512Float operator *(Vector512Float a, Vector512Float b) => new(a._value * b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512Float operator /(Vector512Float a, Vector512Float b) => new(a._value / b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512Float MultiplyAdd(Vector512Float a, Vector512Float b, Vector512Float c) =>
        new(Vector512.MultiplyAddEstimate(a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512Float Max(Vector512Float a, Vector512Float b) => new(Vector512.MaxNative(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512Float Min(Vector512Float a, Vector512Float b) => new(Vector512.MinNative(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512Float Abs(Vector512Float a) => new(Vector512.Abs(a._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512Float Sqrt(Vector512Float a) => new(Vector512.Sqrt(a._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512Float SelectLess(Vector512Float a, Vector512Float b, Vector512Float ifLess, Vector512Float otherwise) =>
        new(Vector512.ConditionalSelect(Vector512.LessThan(a._value, b._value), ifLess._value, otherwise._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512Float ScaleByPowerOfTwo(Vector512Float p, Vector512Float shifted) =>
        new((p._value.AsInt32() + (shifted._value.AsInt32() << 23)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector512Float a) => Vector512.Sum(a._value);
}
