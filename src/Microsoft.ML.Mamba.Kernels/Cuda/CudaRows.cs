namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>
/// A matrix in a GPU's memory, as <see cref="Rows{T}"/> is one in the processor's: <see cref="Count"/> rows of <see cref="Width"/>
/// elements whose starts lie <see cref="Stride"/> elements apart. <c>default</c> means that an optional argument is absent.
/// </summary>
/// <param name="Address">Address of the first element on the device; 0 for absent.</param>
/// <param name="Count">Number of rows.</param>
/// <param name="Width">Elements per row.</param>
/// <param name="Stride">Elements from the start of one row to the start of the next.</param>
/// <param name="Type">Element type.</param>
public readonly record struct CudaRows(nint Address, long Count, long Width, long Stride, CudaNumber Type)
{
    /// <summary>Rows that follow each other without gaps.</summary>
    /// <param name="address">Address of the first element on the device; 0 for absent.</param>
    /// <param name="count">Number of rows.</param>
    /// <param name="width">Elements per row.</param>
    /// <param name="type">Element type.</param>
    public CudaRows(nint address, long count, long width, CudaNumber type)
        : this(address, count, width, width, type)
    {
    }

    /// <summary>True when there is no address: an optional argument that was not given, or an output that is not wanted.</summary>
    public bool IsAbsent => Address == 0;

    /// <summary>The most elements, a power of two up to <paramref name="most"/>, that one access can take in every row of all matrices that are there.</summary>
    internal static int Pack(int most, params ReadOnlySpan<CudaRows> all)
    {
        var pack = most;
        foreach (var rows in all)
        {
            if (rows.IsAbsent)
            {
                continue;
            }

            long bytes = rows.Type.Bytes();
            var alike = rows.Address | (rows.Width * bytes) | (rows.Count > 1 ? rows.Stride * bytes : 0);
            while (pack > 1 && alike % (pack * bytes) != 0)
            {
                pack /= 2;
            }
        }

        return pack;
    }

    /// <summary>Refuses rows of another shape or type. Without elements an address is not needed.</summary>
    internal void Require(string operation, string argument, string shape, long count, long width, CudaNumber type)
    {
        if (count == 0 || width == 0)
        {
            return;
        }

        if (IsAbsent)
        {
            throw new ArgumentException($"{operation}: {argument} is absent; expected {shape} = ({count}, {width}).", argument);
        }

        if (Count != count || Width != width || Type != type)
        {
            throw new ArgumentException(
                $"{operation}: {argument} has shape ({Count}, {Width}) of {Type}; expected {shape} = ({count}, {width}) of {type}.", argument);
        }
    }

    /// <summary><see cref="Require"/>, for an argument that may be absent.</summary>
    internal void RequireIfPresent(string operation, string argument, string shape, long count, long width, CudaNumber type)
    {
        if (!IsAbsent)
        {
            Require(operation, argument, shape, count, width, type);
        }
    }

    /// <summary><see cref="Require"/>, for an argument whose rows must have no gaps.</summary>
    internal void RequireDense(string operation, string argument, string shape, long count, long width, CudaNumber type)
    {
        Require(operation, argument, shape, count, width, type);
        if (!IsAbsent && Count > 1 && Stride != Width)
        {
            throw new ArgumentException($"{operation}: {argument} has rows of {Width} elements that start {Stride} elements apart; expected no gaps.", argument);
        }
    }

    /// <summary><see cref="RequireDense"/>, for an argument that may be absent.</summary>
    internal void RequireDenseIfPresent(string operation, string argument, string shape, long count, long width, CudaNumber type)
    {
        if (!IsAbsent)
        {
            RequireDense(operation, argument, shape, count, width, type);
        }
    }
}
