using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>16 floats, on machines with AVX-512: elsewhere nothing else accelerates vectors of 512 bits.</summary>
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
    public static Vector512Float NegativeMagnitude(Vector512Float a) => new(Vector512.Create(-0f) | a._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512Float Sqrt(Vector512Float a) => new(Vector512.Sqrt(a._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512Float SelectLess(Vector512Float a, Vector512Float b, Vector512Float ifLess, Vector512Float otherwise) =>
        new(Vector512.ConditionalSelect(Vector512.LessThan(a._value, b._value), ifLess._value, otherwise._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512Float ScaleByPowerOfTwo(Vector512Float p, Vector512Float shifted) =>
        new((p._value.AsInt32() + (shifted._value.AsInt32() << 23)).AsSingle());

    public static bool HasLookup16 => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512Float Lookup16(Vector512Float table, Vector512Float index) =>
        new(Avx512F.PermuteVar16x32(table._value, index._value.AsInt32()));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512Float ScaleByFloorPowerOfTwo(Vector512Float p, Vector512Float n) => new(Avx512F.Scale(p._value, n._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Vector512Float a) => Vector512.Sum(a._value);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void AddRowSums(float* rows, long stride, float* sums)
    {
        var sum = AddNeighbours(AddNeighbours(AddQuarters(rows, stride), AddQuarters(rows + stride, stride)), AddNeighbours(AddQuarters(rows + 2 * stride, stride), AddQuarters(rows + 3 * stride, stride)));
        Vector512.Store(Vector512.Load(sums) + sum, sums);
    }

    /// <summary>The sums of the quarters of row 0 and of the rows 4, 8 and 12 later, side by side.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> AddQuarters(float* row, long stride)
    {
        var (a, b) = (Vector512.Load(row), Vector512.Load(row + 4 * stride));
        var (c, d) = (Vector512.Load(row + 8 * stride), Vector512.Load(row + 12 * stride));
        var ab = Avx512F.Shuffle4x128(a, b, 0x88) + Avx512F.Shuffle4x128(a, b, 0xDD);
        var cd = Avx512F.Shuffle4x128(c, d, 0x88) + Avx512F.Shuffle4x128(c, d, 0xDD);
        return Avx512F.Shuffle4x128(ab, cd, 0x88) + Avx512F.Shuffle4x128(ab, cd, 0xDD);
    }

    /// <summary>In each quarter: a0 + a1, a2 + a3, b0 + b1, b2 + b3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> AddNeighbours(Vector512<float> a, Vector512<float> b) => Avx512F.Shuffle(a, b, 0x88) + Avx512F.Shuffle(a, b, 0xDD);
}
