namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// A vector of <see cref="Count"/> floats, so that one generic body serves every width: the runtime compiles it anew for each
/// implementation and inlines every member. Lanes are independent channels; only <see cref="Sum"/> crosses them.
/// </summary>
/// <typeparam name="V">The implementation itself.</typeparam>
internal unsafe interface IFloatVector<V>
    where V : struct, IFloatVector<V>
{
    /// <summary>Floats per vector, a constant to the compiler.</summary>
    static abstract int Count { get; }

    static abstract V Zero { get; }

    static abstract V Broadcast(float value);

    /// <summary>Reads <see cref="Count"/> floats at any alignment.</summary>
    static abstract V Load(float* address);

    /// <summary>Writes <see cref="Count"/> floats at any alignment.</summary>
    static abstract void Store(V value, float* address);

    static abstract V operator +(V a, V b);

    static abstract V operator -(V a, V b);

    static abstract V operator *(V a, V b);

    static abstract V operator /(V a, V b);

    /// <summary>a·b + c, rounded once where the machine has the instruction.</summary>
    static abstract V MultiplyAdd(V a, V b, V c);

    /// <summary>The larger number; which of the two is returned for NaN depends on the machine.</summary>
    static abstract V Max(V a, V b);

    /// <summary>The smaller number; which of the two is returned for NaN depends on the machine.</summary>
    static abstract V Min(V a, V b);

    /// <summary>-|a|.</summary>
    static abstract V NegativeMagnitude(V a);

    static abstract V Sqrt(V a);

    /// <summary>Per lane: a &lt; b ? ifLess : otherwise.</summary>
    static abstract V SelectLess(V a, V b, V ifLess, V otherwise);

    /// <summary>
    /// p·2^n for n = <paramref name="shifted"/> - <see cref="FastMath.RoundingShift"/>, where p is in (0.7, 1.5) and the result is
    /// a normal number or exactly +infinity.
    /// </summary>
    static abstract V ScaleByPowerOfTwo(V p, V shifted);

    /// <summary>Whether the next two members exist, a constant to the compiler.</summary>
    static abstract bool HasLookup16 { get; }

    /// <summary>Per lane: element (last four bits of <paramref name="index"/>) of <paramref name="table"/>.</summary>
    static abstract V Lookup16(V table, V index);

    /// <summary>p·2^⌊n⌋, with underflow to 0 and overflow to infinity.</summary>
    static abstract V ScaleByFloorPowerOfTwo(V p, V n);

    /// <summary>The sum of all lanes, in a fixed order.</summary>
    static abstract float Sum(V a);

    /// <summary>
    /// Adds the sums of <see cref="Count"/> rows of <see cref="Count"/> floats, which start <paramref name="stride"/> floats apart,
    /// to <see cref="Count"/> floats. All at once takes a third of the instructions of one after the other.
    /// </summary>
    static abstract void AddRowSums(float* rows, long stride, float* sums);
}
