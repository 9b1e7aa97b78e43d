namespace Microsoft.ML.Mamba.Modules;

/// <summary>A network around an encoder that another network may take over.</summary>
internal interface ISequenceNetwork
{
    /// <summary>The encoder.</summary>
    MambaModel Backbone { get; }
}
