namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>What a config.json says, whichever layout it is of.</summary>
/// <param name="Model">The architecture.</param>
/// <param name="TieEmbeddings">Whether the head of a language model shares the embedding table.</param>
/// <param name="EndTokenIds">Ids that end a text.</param>
internal sealed record CheckpointConfig(MambaConfig Model, bool TieEmbeddings, IReadOnlyList<int> EndTokenIds)
{
    /// <summary>The complement of each id as a file of Caduceus names it, even where the model reads one strand; null when none does.</summary>
    public IReadOnlyList<int>? Complements { get; init; }

    /// <summary>More bytes than this are no config.json.</summary>
    private const long MaxLength = 1 << 24;

    /// <summary>Reads any layout: hidden_size tells that of Hugging Face, whose files may hold the older names as well.</summary>
    /// <returns>Null when there are problems.</returns>
    public static CheckpointConfig? Read(CheckpointFile file, CheckpointProblems problems)
    {
        if (!problems.Try(() => JsonText.Read(file, MaxLength), out var root))
            return null;
        var own = new CheckpointProblems();
        var fields = new JsonFields(file.Name, root, own);
        var config = CaduceusLayout.Wrote(fields) ? CaduceusLayout.Read(fields)
            : !fields.Has("hidden_size") && fields.Has("d_model") ? StateSpacesLayout.Read(fields)
            : HuggingFaceLayout.Read(fields);
        if (!own.Any)
            Validate(config.Model, file.Name, own);
        problems.Add(own);
        return own.Any ? null : config;
    }

    private static void Validate(MambaConfig model, string file, CheckpointProblems problems)
    {
        try
        {
            model.ValidateForModel();
        }
        catch (ArgumentException e)
        {
            problems.Add(file, e.Message);
        }
    }
}
