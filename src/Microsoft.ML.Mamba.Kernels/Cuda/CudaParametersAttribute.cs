namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>
/// Marks the twin of a kernel's parameter structure. A test has CUDA's compiler compare size and offsets of both; fields
/// correspond in order, and by name when underscores and case are left out.
/// </summary>
/// <param name="source">File of native/ that declares the structure, e.g. <c>selective_scan.cuh</c>.</param>
/// <param name="name">Its name there, e.g. <c>ScanForwardParams</c>.</param>
[AttributeUsage(AttributeTargets.Struct)]
internal sealed class CudaParametersAttribute(string source, string name) : Attribute
{
    public string Source { get; } = source;

    public string Name { get; } = name;
}
