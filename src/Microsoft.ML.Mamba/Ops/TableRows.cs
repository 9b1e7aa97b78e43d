using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Ops;

/// <summary>Rows of a table by their numbers. Equal inputs give equal bits, in the table's gradient too, on every device.</summary>
internal static class TableRows
{
    /// <param name="table">(rows, features).</param>
    /// <param name="numbers">(n) int64, on the table's device; repetitions are legal.</param>
    /// <returns>(n, features).</returns>
    public static Tensor Of(Tensor table, Tensor numbers) => table.device_type == DeviceType.CPU
        ? table.index_select(0, numbers)
        // The gradient of index_select adds with atomics on a GPU, in any order; that of indexing sorts first.
        : table.index(TensorIndex.Tensor(numbers));
}
