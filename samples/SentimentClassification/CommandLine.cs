using System.CommandLine;

/// <summary>What the user asked for on the command line.</summary>
/// <param name="Texts">Texts to judge; empty: those of the sample.</param>
/// <param name="Data">The labelled training file, or null: write one.</param>
/// <param name="Test">The labelled test file, or null: a fifth of the rows is held out.</param>
/// <param name="Label">The column with the label.</param>
/// <param name="Text">The column with the text.</param>
/// <param name="Checkpoint">The folder of a model to start from, or null: start from nothing.</param>
/// <param name="Tokens">Ids of the vocabulary that is learnt from the training texts.</param>
/// <param name="Bytes">Whether the model reads bytes instead.</param>
/// <param name="Epochs">Passes over the training rows.</param>
/// <param name="Out">Where the model goes.</param>
internal sealed record CommandLine(
    string[] Texts, string? Data, string? Test, string Label, string Text, string? Checkpoint, int Tokens, bool Bytes, int Epochs, string Out)
{
    /// <summary>Reads the arguments. Without options to go on, only the exit code counts.</summary>
    public static (CommandLine? Options, int ExitCode) Read(string[] args)
    {
        var texts = new Argument<string[]>("text") { Description = "Texts to judge when the model is trained; without any, some of the sample.", Arity = ArgumentArity.ZeroOrMore };
        var data = Arguments.ExistingFile("--data", "Training file: tab-separated text with a header line. Without it, reviews are generated.");
        var test = Arguments.ExistingFile("--test", "Test file of the same form. Without it, a fifth of the training file is held out.");
        var label = new Option<string>("--label") { Description = "Name of the column with the label, any number of different ones.", DefaultValueFactory = _ => "label" };
        var text = new Option<string>("--text") { Description = "Name of the column with the text.", DefaultValueFactory = _ => "text" };
        var checkpoint = new Option<DirectoryInfo>("--checkpoint") { Description = "Folder of a Mamba checkpoint with its tokenizer.json, to fine-tune. Without it, training starts from nothing." };
        var tokens = Arguments.WholeNumber("--tokens", "Size of the vocabulary that is learnt from the training texts, 257 or more.", 1000);
        var bytes = new Option<bool>("--bytes") { Description = "Read bytes instead of tokens: nothing to learn beforehand, but more epochs to go." };
        var epochs = Arguments.Epochs(6);
        var output = Arguments.Out("Folder for the model.", "sentiment-output");
        checkpoint.AcceptExistingOnly();

        var command = new RootCommand("Trains a Mamba classifier of texts, or fine-tunes a checkpoint; evaluates it, saves it, and judges texts with it.")
        {
            texts, data, test, label, text, checkpoint, tokens, bytes, epochs, output,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(test) is not null && result.GetResult(data) is null)
                result.AddError("--test is given without --data.");
            var vocabularies = new Option[] { checkpoint, tokens, bytes }.Where(o => result.GetResult(o) is { Implicit: false }).Select(o => o.Name).ToArray();
            if (vocabularies.Length > 1)
                result.AddError($"{string.Join(" and ", vocabularies)} exclude each other: each says what the model reads.");
        });
        return Arguments.Read(command, args, values => new CommandLine(
            values.GetValue(texts)!, values.GetValue(data)?.FullName, values.GetValue(test)?.FullName, values.GetValue(label)!, values.GetValue(text)!,
            values.GetValue(checkpoint)?.FullName, values.GetValue(tokens), values.GetValue(bytes), values.GetValue(epochs), values.GetValue(output)!.FullName));
    }
}
