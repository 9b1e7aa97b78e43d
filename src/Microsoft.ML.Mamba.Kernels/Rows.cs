using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Microsoft.ML.Mamba.Kernels;

/// <summary>
/// A matrix at an address that the caller owns and keeps in place for the length of the call: <see cref="Count"/> rows of
/// <see cref="Width"/> elements, whose starts lie <see cref="Stride"/> elements apart. A batch of sequences (B, L, D) is one
/// such matrix with B·L rows of D; a slice of the columns of a wider matrix is one with a larger stride.
/// <c>default</c> means that an optional argument is absent.
/// </summary>
/// <typeparam name="T">Element type.</typeparam>
public readonly unsafe struct Rows<T>
    where T : unmanaged
{
    /// <summary>Rows that lie <paramref name="stride"/> elements apart.</summary>
    /// <param name="address">Address of the first element; 0 for absent.</param>
    /// <param name="count">Number of rows, ≥ 0.</param>
    /// <param name="width">Elements per row, ≥ 0.</param>
    /// <param name="stride">Elements from the start of one row to the start of the next; 0 repeats one row.</param>
    public Rows(nint address, long count, long width, long stride)
    {
        Address = address;
        Count = count;
        Width = width;
        Stride = stride;
    }

    /// <summary>Rows that follow each other without gaps.</summary>
    /// <param name="address">Address of the first element; 0 for absent.</param>
    /// <param name="count">Number of rows, ≥ 0.</param>
    /// <param name="width">Elements per row, ≥ 0.</param>
    public Rows(nint address, long count, long width)
        : this(address, count, width, width)
    {
    }

    /// <summary>Address of the first element; 0 when absent.</summary>
    public nint Address { get; }

    /// <summary>Number of rows.</summary>
    public long Count { get; }

    /// <summary>Elements per row.</summary>
    public long Width { get; }

    /// <summary>Elements from the start of one row to the start of the next.</summary>
    public long Stride { get; }

    /// <summary>True when there is no address: an optional argument that was not given, or an output that is not wanted.</summary>
    public bool IsAbsent => Address == 0;

    /// <summary>True when there is nothing to read or write: absent, or no rows, or rows without elements.</summary>
    public bool IsEmpty => Address == 0 || Count * Width == 0;

    internal T* Pointer => (T*)Address;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal T* Row(long row) => (T*)Address + row * Stride;

    /// <summary>Refuses rows of another shape. Without elements an address is not needed.</summary>
    /// <param name="operation">Name of the operation, for the message.</param>
    /// <param name="argument">Name of the argument, for the message.</param>
    /// <param name="shape">The expected shape in symbols, as in <c>(B·L, D)</c>.</param>
    /// <param name="count">Expected number of rows.</param>
    /// <param name="width">Expected elements per row.</param>
    internal void Require(string operation, string argument, string shape, long count, long width)
    {
        if (count == 0 || width == 0)
        {
            return;
        }

        if (Address == 0)
        {
            ThrowAbsent(operation, argument, shape, count, width);
        }

        if (Count != count || Width != width)
        {
            ThrowShape(operation, argument, shape, count, width);
        }
    }

    /// <summary><see cref="Require"/>, for an argument that may be absent.</summary>
    internal void RequireIfPresent(string operation, string argument, string shape, long count, long width)
    {
        if (Address != 0)
        {
            Require(operation, argument, shape, count, width);
        }
    }

    /// <summary><see cref="Require"/>, for rows that are written: they must not lie on each other.</summary>
    internal void RequireOutput(string operation, string argument, string shape, long count, long width)
    {
        Require(operation, argument, shape, count, width);
        if (Address != 0 && Count > 1 && Stride < Width)
        {
            throw new ArgumentException(
                $"{operation}: {argument} has rows of {Width} elements that start {Stride} elements apart; expected at least {Width}, because the rows are written.", argument);
        }
    }

    /// <summary><see cref="RequireOutput"/>, for an output that may be absent.</summary>
    internal void RequireOutputIfPresent(string operation, string argument, string shape, long count, long width)
    {
        if (Address != 0)
        {
            RequireOutput(operation, argument, shape, count, width);
        }
    }

    /// <summary>Refuses rows of another shape, and rows with gaps between them, for operations that walk elements one after the other.</summary>
    internal void RequireDense(string operation, string argument, long count, long width)
    {
        Require(operation, argument, "the shape", count, width);
        if (Count > 1 && Stride != Width)
        {
            throw new ArgumentException($"{operation}: {argument} has rows of {Width} elements that start {Stride} elements apart; expected no gaps.", argument);
        }
    }

    /// <summary>Refuses an output at the address of an input, for operations that read an input after they began to write.</summary>
    internal void RequireApart(string operation, string argument, string otherName, Rows<T> other)
    {
        if (!IsEmpty && Address == other.Address)
        {
            throw new ArgumentException($"{operation}: {argument} lies at the address of {otherName}; expected memory of its own.", argument);
        }
    }

    [DoesNotReturn]
    private static void ThrowAbsent(string operation, string argument, string shape, long count, long width) =>
        throw new ArgumentException($"{operation}: {argument} is absent; expected {shape} = ({count}, {width}).", argument);

    [DoesNotReturn]
    private void ThrowShape(string operation, string argument, string shape, long count, long width) =>
        throw new ArgumentException($"{operation}: {argument} has shape ({Count}, {Width}); expected {shape} = ({count}, {width}).", argument);
}
