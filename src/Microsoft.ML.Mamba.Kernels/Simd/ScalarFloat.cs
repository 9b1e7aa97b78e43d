using System.Runtime.CompilerServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>One float, for machines without vector instructions.</summary>
internal readonly unsafe struct ScalarFloat : IFloatVector<ScalarFloat>
{
    private readonly float _value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ScalarFloat(float value) => _value = value;

    public static int Count => 1;

    public static ScalarFloat Zero => default;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ScalarFloat Broadcast(float value) => new(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ScalarFloat Load(float* address) => new(*address);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(ScalarFloat value, float* address) => *address = value._value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ScalarFloat operator +(ScalarFloat a, ScalarFloat b) => new(a._value + b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ScalarFloat operator -(ScalarFloat a, ScalarFloat b) => new(a._value - b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ScalarFloat operator *(ScalarFloat a, ScalarFloat b) => new(a._value * b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ScalarFloat operator /(ScalarFloat a, ScalarFloat b) => new(a._value / b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ScalarFloat MultiplyAdd(ScalarFloat a, ScalarFloat b, ScalarFloat c) =>
        new(float.MultiplyAddEstimate(a._value, b._value, c._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ScalarFloat Max(ScalarFloat a, ScalarFloat b) => new(a._value > b._value ? a._value : b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ScalarFloat Min(ScalarFloat a, ScalarFloat b) => new(a._value < b._value ? a._value : b._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ScalarFloat NegativeMagnitude(ScalarFloat a) => new(-MathF.Abs(a._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ScalarFloat Sqrt(ScalarFloat a) => new(MathF.Sqrt(a._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ScalarFloat SelectLess(ScalarFloat a, ScalarFloat b, ScalarFloat ifLess, ScalarFloat otherwise) =>
        a._value < b._value ? ifLess : otherwise;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ScalarFloat ScaleByPowerOfTwo(ScalarFloat p, ScalarFloat shifted) =>
        new(BitConverter.Int32BitsToSingle(BitConverter.SingleToInt32Bits(p._value) + (BitConverter.SingleToInt32Bits(shifted._value) << 23)));

    public static bool HasLookup16 => false;

    public static ScalarFloat Lookup16(ScalarFloat table, ScalarFloat index) => throw new NotSupportedException();

    public static ScalarFloat ScaleByFloorPowerOfTwo(ScalarFloat p, ScalarFloat n) => throw new NotSupportedException();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(ScalarFloat a) => a._value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AddRowSums(float* rows, long stride, float* sums) => *sums += *rows;
}
