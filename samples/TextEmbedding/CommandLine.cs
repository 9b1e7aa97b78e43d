using System.CommandLine;

/// <summary>What the user asked for on the command line.</summary>
/// <param name="Data">The file with texts and their labels, or null: write one.</param>
/// <param name="Label">The column with the label.</param>
/// <param name="Text">The column with the text.</param>
/// <param name="Labelled">How many labels the classifiers may see.</param>
/// <param name="Checkpoint">The folder of an encoder that was learnt before, or null: learn one.</param>
/// <param name="Epochs">Passes over the texts when an encoder is learnt.</param>
/// <param name="Queries">Texts to look up neighbours of; empty: those of the sample.</param>
/// <param name="Out">Where model and picture go.</param>
internal sealed record CommandLine(string? Data, string Label, string Text, int Labelled, string? Checkpoint, int Epochs, string[] Queries, string Out)
{
    /// <summary>Reads the arguments. Without options to go on, only the exit code counts.</summary>
    public static (CommandLine? Options, int ExitCode) Read(string[] args)
    {
        var data = Arguments.ExistingFile("--data", "Texts with labels: tab-separated text with a header line. Without it, reviews are generated.");
        var label = new Option<string>("--label") { Description = "Name of the column with the label.", DefaultValueFactory = _ => "label" };
        var text = new Option<string>("--text") { Description = "Name of the column with the text.", DefaultValueFactory = _ => "text" };
        var labelled = Arguments.WholeNumber("--labelled", "How many labels the classifiers may see.", 12);
        var checkpoint = new Option<DirectoryInfo>("--checkpoint") { Description = "Folder of a Mamba checkpoint with its tokenizer.json, to embed with instead of learning an encoder." };
        var epochs = Arguments.Epochs(12);
        var queries = new Option<string[]>("--query") { Description = "A text whose nearest neighbours are wanted; may be given several times.", DefaultValueFactory = _ => [] };
        var output = Arguments.Out("Folder for model and picture.", "embedding-output");
        checkpoint.AcceptExistingOnly();

        var command = new RootCommand("Embeds texts without looking at their labels, classifies the embeddings, finds nearest neighbours, and draws them.")
        {
            data, label, text, labelled, checkpoint, epochs, queries, output,
        };
        return Arguments.Read(command, args, values => new CommandLine(
            values.GetValue(data)?.FullName, values.GetValue(label)!, values.GetValue(text)!, values.GetValue(labelled),
            values.GetValue(checkpoint)?.FullName, values.GetValue(epochs), values.GetValue(queries)!, values.GetValue(output)!.FullName));
    }
}
