namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>One kernel as it is compiled: a function of a source with the macros that its types and sizes come from.</summary>
/// <param name="source">Name of the file in native/ without <c>.cu</c>.</param>
/// <param name="function">The <c>extern "C"</c> function.</param>
/// <param name="defines">Macros, <c>NAME</c> or <c>NAME=value</c>.</param>
internal sealed class CudaKernelVariant(string source, string function, params string[] defines)
{
    private volatile Found? _last;

    public string Source => source;

    public string Function => function;

    public string[] Defines => defines;

    /// <summary>The kernel on that device, see <see cref="CudaDevice.Kernel"/>. Asked again for the same device it compares no names.</summary>
    public CudaKernel On(CudaDevice device)
    {
        if (_last is { } last && ReferenceEquals(last.Device, device))
            return last.Kernel;
        var kernel = device.Kernel(source, function, defines);
        _last = new Found(device, kernel);
        return kernel;
    }

    public override string ToString() => $"{function} ({string.Join(' ', [source + ".cu", .. defines])})";

    private sealed record Found(CudaDevice Device, CudaKernel Kernel);
}
