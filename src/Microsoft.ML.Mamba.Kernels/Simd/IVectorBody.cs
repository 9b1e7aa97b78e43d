namespace Microsoft.ML.Mamba.Kernels;

/// <summary>An operation with its arguments, written once for all vector widths; <see cref="SimdWidth.Dispatch"/> picks the width.</summary>
internal interface IVectorBody
{
    void Run<V>()
        where V : struct, IFloatVector<V>;
}
