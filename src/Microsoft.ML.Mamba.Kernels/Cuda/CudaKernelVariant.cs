namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>One kernel as it is compiled: a function of a source with the macros that its types and sizes come from.</summary>
/// <param name="Source">Name of the file in native/ without <c>.cu</c>.</param>
/// <param name="Function">The <c>extern "C"</c> function.</param>
/// <param name="Defines">Macros, <c>NAME</c> or <c>NAME=value</c>.</param>
internal sealed record CudaKernelVariant(string Source, string Function, params string[] Defines)
{
    /// <summary>The kernel on that device, see <see cref="CudaDevice.Kernel"/>.</summary>
    public CudaKernel On(CudaDevice device) => device.Kernel(Source, Function, Defines);

    public override string ToString() => $"{Function} ({string.Join(' ', [Source + ".cu", .. Defines])})";
}
