using Microsoft.ML;
using Microsoft.ML.Mamba;

/// <summary>A model of an earlier run.</summary>
internal static class SavedModel
{
    /// <summary>Loads it.</summary>
    /// <exception cref="InvalidDataException">The file holds something else.</exception>
    public static MambaTaggingTransformer Load(MLContext ml, string path)
    {
        ITransformer loaded;
        try
        {
            loaded = ml.Model.Load(path, out _);
        }
        catch (Exception e) when (e is InvalidDataException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw new InvalidDataException($"{path} is no model that can be loaded; expected the model.zip of an earlier run. {e.Message}", e);
        }
        if (loaded is MambaTaggingTransformer model)
            return model;
        (loaded as IDisposable)?.Dispose();
        throw new InvalidDataException($"{path} holds a {loaded.GetType().Name}; expected the {nameof(MambaTaggingTransformer)} that this sample saves.");
    }
}
