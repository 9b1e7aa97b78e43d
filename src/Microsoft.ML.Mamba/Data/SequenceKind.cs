namespace Microsoft.ML.Mamba.Data;

/// <summary>What a position of a sequence is.</summary>
internal enum SequenceKind
{
    /// <summary>A token id ≥ 0.</summary>
    Ids,

    /// <summary>A frame: a fixed number of floats.</summary>
    Frames,
}
