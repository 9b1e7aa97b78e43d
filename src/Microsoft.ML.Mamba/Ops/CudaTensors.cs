using System.Diagnostics.CodeAnalysis;
using Microsoft.ML.Mamba.Kernels.Cuda;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// Tensors of one GPU as the rows that CUDA kernels take, in the type of the op's input; parameters and states in float32. What has
/// another type is converted first, into a tensor of the caller's scope: torch reuses its memory in the order of the stream, so
/// the scope may end as soon as the kernel was launched.
/// </summary>
/// <param name="input">The op's input: says device and type.</param>
internal readonly struct CudaTensors(Tensor input)
{
    private readonly Tensor _input = input;
    private readonly int _index = input.device_index;
    private readonly ScalarType _type = input.dtype;

    /// <summary>The GPU.</summary>
    public CudaDevice Device { get; } = CudaDevice.Get(input.device_index);

    /// <summary>The kernels' name of a type; false for one that they do not know.</summary>
    public static bool Knows(ScalarType type, [NotNullWhen(true)] out CudaNumber? number)
    {
        number = type switch
        {
            ScalarType.Float32 => CudaNumber.Float32,
            ScalarType.BFloat16 => CudaNumber.BFloat16,
            ScalarType.Float16 => CudaNumber.Float16,
            _ => null,
        };
        return number is not null;
    }

    /// <summary>(…, W) as rows of W columns in the type of the op's input.</summary>
    public CudaRows Input(Tensor? tensor, string name) => Rows(tensor, name, _type);

    /// <summary>(…, W) as rows of W columns in a type.</summary>
    public CudaRows Rows(Tensor? tensor, string name, ScalarType type)
    {
        if (tensor is null)
            return default;
        var (address, count, width, stride) = TensorRows.Layout(Converted(tensor, name, type));
        return new CudaRows(address, count, width, stride, Number(type));
    }

    /// <summary>(…, W) as rows of W columns that a kernel writes: of the type of the op's input, and never copied.</summary>
    public CudaRows Output(Tensor? tensor, string name)
    {
        if (tensor is null)
            return default;
        if (tensor.dtype != _type)
            throw new ArgumentException($"{name} is {tensor.dtype}; expected {_type}, as the op's input, since it is written.", name);
        TensorRows.RequireWritable(tensor, name);
        return Rows(tensor, name, _type);
    }

    /// <summary>A parameter or a state as one matrix of float32 without gaps.</summary>
    public CudaRows Single(Tensor? tensor, string name, long count, long width) => Dense(tensor, name, count, width, ScalarType.Float32);

    /// <summary>A tensor as one matrix without gaps in a type.</summary>
    public CudaRows Dense(Tensor? tensor, string name, long count, long width, ScalarType type) =>
        tensor is null ? default : new CudaRows(TensorRows.Dense(Converted(tensor, name, type)), count, width, Number(type));

    /// <summary>Address of a float64 number.</summary>
    public nint Double(Tensor tensor, string name) => TensorRows.Dense(Converted(tensor, name, ScalarType.Float64));

    /// <summary>A new tensor of a shape on this GPU.</summary>
    public Tensor New(ScalarType type, params ReadOnlySpan<long> shape) => empty(shape, dtype: type, device: _input.device);

    /// <summary>Memory for a kernel's partial sums; 0 where it needs none, since a tensor takes the processor a fifth of a small scan's time.</summary>
    public nint Scratch(ScalarType type, long count) => count == 0 ? 0 : TensorRows.Dense(New(type, count));

    /// <summary>Address of a table's copy on this GPU, which is there when the next launch begins.</summary>
    public nint Table(CudaTensorTable table) =>
        TensorRows.Dense(tensor(table.Words).MovedTo(_input.device));

    private Tensor Converted(Tensor tensor, string name, ScalarType type)
    {
        if (tensor.device_type != DeviceType.CUDA || tensor.device_index != _index)
            throw new ArgumentException($"{name} is on {tensor.device}; expected cuda:{_index}, as the other operands.", name);
        return tensor.dtype == type ? tensor : tensor.to(type);
    }

    private static CudaNumber Number(ScalarType type) =>
        Knows(type, out var number) ? number.Value : throw new ArgumentException($"The CUDA kernels have no {type}; expected Float32, BFloat16 or Float16.", nameof(type));
}
