using Microsoft.ML.Mamba.Ops;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>Positions whose content an encoder may not see: one learned vector stands in its place, before positions are added.</summary>
/// <param name="hidden">rows·length: whether each position is hidden.</param>
/// <param name="rows">B.</param>
/// <param name="length">L.</param>
/// <param name="vector">(DModel) what stands at hidden positions.</param>
internal sealed class PositionMask(bool[] hidden, int rows, int length, Parameter vector)
{
    /// <summary>(B, L, DModel) → the same with the vector at hidden positions.</summary>
    public Tensor Apply(Tensor content) => (content * Factors(seen: 1, unseen: 0, content.device)).Plus(Factors(seen: 0, unseen: 1, content.device) * vector);

    /// <summary>(B, L, 1).</summary>
    private Tensor Factors(float seen, float unseen, Device device)
    {
        using var inArray = tensor(Array.ConvertAll(hidden, h => h ? unseen : seen), [rows, length, 1]);
        return inArray.clone().MovedTo(device); // aligned, so that equal masks give equal bits
    }
}
