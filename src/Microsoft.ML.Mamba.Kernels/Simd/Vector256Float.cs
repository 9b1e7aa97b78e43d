using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>8 floats.</summary>
internal readonly unsafe struct Vector256Float : IFloatVector<Vector256Float>
{
    private readonly Vector256<float> _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Vector256Float(Vector256<float> value) => _value = value;

    public static int Count => 8;

    public static Vector256Float Zero
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(Vector256<float>.Zero);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float Broadcast(float value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float Load(float* address) => new(Vector256.Load(address));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Vector256Float value, float* address) => Vector256.Store(value._value, address);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float operator +(Vector256Float a, Vector256Float b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float operator -(Vector256Float a, Vector256Float b) => new(a._value - b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float operator *(Vector256Float a, Vector256Float b) => new(a._value * b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float operator /(Vector256Float a, Vector256Float b) => new(a._value / b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float MultiplyAdd(Vector256Float a, Vector256Float b, Vector256Float c) =>
        new(Vector256.MultiplyAddEstimate(a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float Max(Vector256Float a, Vector256Float b) => new(Vector256.MaxNative(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float Min(Vector256Float a, Vector256Float b) => new(Vector256.MinNative(a._value, b._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float Abs(Vector256Float a) => new(Vector256.Abs(a._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float Sqrt(Vector256Float a) => new(Vector256.Sqrt(a._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float SelectLess(Vector256Float a, Vector256Float b, Vector256Float ifLess, Vector256Float otherwise) =>
        new(Vector256.ConditionalSelect(Vector256.LessThan(a._value, b._value), ifLess._value, otherwise._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256Float ScaleByPowerOfTwo(Vector256Float p, Vector256Float shifted) =>
        new((p._value.AsInt32() + (shifted._value.AsInt32() << 23)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector256Float a) => Vector256.Sum(a._value);
}
