using System.Buffers.Binary;
using Microsoft.ML.Mamba.Kernels.Cuda;

namespace Microsoft.ML.Mamba.Kernels.Tests.Cuda;

/// <summary>Rows of one of the kernels' element types in the processor's memory, with guarded gaps between and around them.</summary>
internal sealed class TypedRows : IDisposable
{
    private const byte Guard = 0x5b;

    private readonly NativeArray<byte> _memory;
    private readonly CudaNumber _type;
    private readonly int _count;
    private readonly int _width;
    private readonly int _stride;
    private readonly int _offset;

    /// <param name="type">Element type.</param>
    /// <param name="count">Number of rows.</param>
    /// <param name="width">Elements per row.</param>
    /// <param name="gap">Elements between rows.</param>
    /// <param name="values">Contents, rounded to the type; null for an output.</param>
    /// <param name="offset">Elements before the first row: spoils the alignment.</param>
    public TypedRows(CudaNumber type, long count, long width, int gap = 0, double[]? values = null, int offset = 16)
    {
        (_type, _count, _width, _stride, _offset) = (type, (int)count, (int)width, (int)width + gap, offset);
        _memory = new NativeArray<byte>((_offset + (long)_count * _stride + 16) * Size);
        _memory.AsSpan().Fill(Guard);
        for (var i = 0; values is not null && i < _count * _width; i++)
        {
            Write(At(i), values[i]);
        }
    }

    public CudaRows Rows => new(_memory.Address + _offset * Size, _count, _width, _stride, _type);

    private int Size => _type == CudaNumber.Float32 ? 4 : 2;

    /// <summary>Numbers as the type holds them.</summary>
    public static double[] Round(CudaNumber type, double[] values)
    {
        using var rows = new TypedRows(type, 1, values.Length, 0, values);
        return rows.Read("rounded");
    }

    /// <summary>The elements row by row; asserts that everything else is as it was.</summary>
    public double[] Read(string what)
    {
        var values = new double[_count * _width];
        var inside = new bool[_memory.Length];
        for (var i = 0; i < values.Length; i++)
        {
            inside.AsSpan(At(i), Size).Fill(true);
            values[i] = Number(At(i));
        }

        for (var i = 0; i < inside.Length; i++)
        {
            if (!inside[i] && _memory[i] != Guard)
            {
                Assert.Fail($"{what}: byte {i - _offset * Size} from the first row's start, outside the rows, was written.");
            }
        }

        return values;
    }

    public void Dispose() => _memory.Dispose();

    private int At(int index) => (_offset + index / _width * _stride + index % _width) * Size;

    private double Number(int at)
    {
        var bytes = _memory.AsSpan()[at..];
        return _type switch
        {
            CudaNumber.Float32 => BinaryPrimitives.ReadSingleLittleEndian(bytes),
            CudaNumber.Float16 => (double)BinaryPrimitives.ReadHalfLittleEndian(bytes),
            _ => BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(bytes) << 16),
        };
    }

    private void Write(int at, double value)
    {
        var bytes = _memory.AsSpan()[at..];
        switch (_type)
        {
            case CudaNumber.Float32:
                BinaryPrimitives.WriteSingleLittleEndian(bytes, (float)value);
                break;
            case CudaNumber.Float16:
                BinaryPrimitives.WriteHalfLittleEndian(bytes, (Half)value);
                break;
            default:
                var bits = BitConverter.SingleToUInt32Bits((float)value);
                BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16));
                break;
        }
    }
}
