namespace Microsoft.ML.Mamba.Kernels;

/// <summary>The shapes that the inputs of a scan have, forward and backward.</summary>
internal static class ScanInputs
{
    public static void Require<T>(
        string operation, in ScanDims dims, Rows<T> u, Rows<T> delta, Rows<T> a, Rows<T> b, Rows<T> c, Rows<T> d, Rows<T> z, Rows<T> deltaBias, Rows<T> initialState)
        where T : unmanaged
    {
        var columns = (long)dims.Groups * dims.State;
        u.Require(operation, "u", "(B·L, D)", dims.Steps, dims.Channels);
        delta.Require(operation, "delta", "(B·L, D)", dims.Steps, dims.Channels);
        a.Require(operation, "a", "(D, N)", dims.Channels, dims.State);
        b.Require(operation, "b", "(B·L, G·N)", dims.Steps, columns);
        c.Require(operation, "c", "(B·L, G·N)", dims.Steps, columns);
        d.RequireIfPresent(operation, "d", "(1, D)", 1, dims.Channels);
        z.RequireIfPresent(operation, "z", "(B·L, D)", dims.Steps, dims.Channels);
        deltaBias.RequireIfPresent(operation, "deltaBias", "(1, D)", 1, dims.Channels);
        initialState.RequireIfPresent(operation, "initialState", "(B·D, N)", dims.Batch * dims.Channels, dims.State);
    }
}
