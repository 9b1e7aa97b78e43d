using System.Runtime.InteropServices;
using Microsoft.ML.Mamba.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>
/// The one place where a tensor becomes an address. Views are taken as they are where the kernels can walk them: the last dimension
/// has stride 1 and all others together step evenly from row to row. Anything else is copied first. An address is good only as long
/// as its tensor lives: callers keep the tensors in a scope or alive until the kernel has returned.
/// </summary>
internal static class TensorRows
{
    /// <summary>(…, W) as the rows of a matrix with W columns.</summary>
    /// <param name="tensor">On the CPU, of type <typeparamref name="T"/>.</param>
    /// <param name="name">What messages call it.</param>
    public static Rows<T> Of<T>(Tensor tensor, string name)
        where T : unmanaged
    {
        Require<T>(tensor, name);
        var (address, count, width, stride) = Layout(tensor);
        return new Rows<T>(address, count, width, stride);
    }

    /// <summary>(…, W) as rows of W elements whose starts lie evenly, copied where they do not; on any device.</summary>
    public static (nint Address, long Count, long Width, long Stride) Layout(Tensor tensor)
    {
        var last = (int)tensor.dim() - 1;
        long count = 1;
        for (var i = 0; i < last; i++)
            count = checked(count * tensor.size(i));
        var width = last < 0 ? 1 : tensor.size(last);
        return RowStride(tensor, last, width) is { } stride
            ? (Address(tensor.Handle), count, width, stride)
            : (Address(tensor.contiguous().Handle), count, width, width);
    }

    /// <summary>Address of the first of a tensor's elements, which lie without gaps, copied where they do not; on any device.</summary>
    public static nint Dense(Tensor tensor) => Address((tensor.is_contiguous() ? tensor : tensor.contiguous()).Handle);

    /// <summary>The same for an operand that may be absent.</summary>
    public static Rows<T> OfOptional<T>(Tensor? tensor, string name)
        where T : unmanaged =>
        tensor is null ? default : Of<T>(tensor, name);

    /// <summary>(D, W) or (D) as one contiguous matrix of that many columns, for parameters.</summary>
    public static Rows<T> OfOptional<T>(Tensor? tensor, string name, long count, long width)
        where T : unmanaged
    {
        if (tensor is null)
            return default;
        Require<T>(tensor, name);
        return new Rows<T>(Dense(tensor), count, width);
    }

    /// <summary>(…, W) as the rows of a matrix that is to be written: never copied.</summary>
    public static Rows<T> OfOutput<T>(Tensor? tensor, string name)
        where T : unmanaged
    {
        if (tensor is null)
            return default;
        RequireWritable(tensor, name);
        return Of<T>(tensor, name);
    }

    /// <summary>Refuses a tensor whose rows the kernels cannot write where they are.</summary>
    public static void RequireWritable(Tensor tensor, string name)
    {
        var last = (int)tensor.dim() - 1;
        if (RowStride(tensor, last, last < 0 ? 1 : tensor.size(last)) is null)
            throw new ArgumentException($"{name} has strides ({string.Join(", ", tensor.stride())}); expected rows of neighbouring elements that start evenly apart, since it is written.", name);
    }

    /// <summary>A fresh tensor as rows of the given shape, which has its number of elements.</summary>
    public static Rows<T> OfNew<T>(Tensor? tensor, long count, long width)
        where T : unmanaged =>
        tensor is null ? default : new Rows<T>(Address(tensor.Handle), count, width);

    private static void Require<T>(Tensor tensor, string name)
    {
        var expected = typeof(T) == typeof(double) ? ScalarType.Float64 : ScalarType.Float32;
        if (tensor.dtype != expected || tensor.device_type != DeviceType.CPU)
            throw new ArgumentException($"{name} is {tensor.dtype} on {tensor.device_type}; expected {expected} on the CPU, as the other operands.", name);
    }

    /// <summary>
    /// Elements from row to row, or null when the rows do not lie evenly or their elements not side by side. One size at a time:
    /// TorchSharp makes an array of all of them through a callback, which takes longer than a small kernel.
    /// </summary>
    private static long? RowStride(Tensor tensor, int last, long width)
    {
        if (last < 0)
            return 1;
        if (width > 1 && tensor.stride(last) != 1)
            return null;
        long? stride = null;
        long rows = 1; // rows within one step of the present dimension
        for (var i = last - 1; i >= 0; i--)
        {
            var size = tensor.size(i);
            if (size == 0)
                return width;
            if (size == 1)
                continue;
            var step = tensor.stride(i);
            if (stride is { } inner && step != inner * rows)
                return null;
            stride ??= step;
            rows *= size;
        }

        return stride ?? width;
    }

    // Address of the view's first element. TorchSharp's own public way, storage<T>().data_ptr(), makes two objects, converts
    // where the type differs, and points at the start of the storage instead.
    [DllImport("LibTorchSharp", EntryPoint = "THSTensor_data")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories | DllImportSearchPath.AssemblyDirectory)]
    private static extern nint Address(nint tensor);
}
