using System.CommandLine;

/// <summary>What the user asked for on the command line.</summary>
/// <param name="Data">The labelled training file, or null: simulate one.</param>
/// <param name="Test">The labelled test file; set exactly when <paramref name="Data"/> is.</param>
/// <param name="Valid">The labelled validation file, or null: a tenth of the training rows is held out.</param>
/// <param name="Label">The column with the class.</param>
/// <param name="Sequence">The column with the nucleotides.</param>
/// <param name="Epochs">Passes over the training rows.</param>
/// <param name="Out">Where model and pictures go.</param>
internal sealed record CommandLine(string? Data, string? Test, string? Valid, string Label, string Sequence, int Epochs, string Out)
{
    /// <summary>Reads the arguments. Without a command line to go on (help was asked for, or an argument is wrong), only the exit code counts.</summary>
    public static (CommandLine? Options, int ExitCode) Read(string[] args)
    {
        var data = Arguments.ExistingFile("--data", "Training file: tab-separated text with a header line. Without it, sequences are simulated.");
        var test = Arguments.ExistingFile("--test", "Test file of the same form, needed with --data.");
        var valid = Arguments.ExistingFile("--valid", "Validation file of the same form. Without it, a tenth of the training rows is held out.");
        var label = new Option<string>("--label") { Description = "Name of the column with the class.", DefaultValueFactory = _ => "label" };
        var sequence = new Option<string>("--sequence") { Description = "Name of the column with the nucleotides.", DefaultValueFactory = _ => "sequence" };
        var epochs = Arguments.Epochs(20);
        var output = Arguments.Out("Folder for model and pictures.", "dna-output");

        var command = new RootCommand("Trains a Mamba classifier on labelled DNA sequences, compares it with n-grams + LightGBM, saves it and applies it.")
        {
            data, test, valid, label, sequence, epochs, output,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(data) is null != result.GetResult(test) is null)
                result.AddError("--data and --test belong together: give both, or neither to run on simulated sequences.");
            if (result.GetResult(valid) is not null && result.GetResult(data) is null)
                result.AddError("--valid is given without --data.");
        });

        return Arguments.Read(command, args, values => new CommandLine(
            values.GetValue(data)?.FullName, values.GetValue(test)?.FullName, values.GetValue(valid)?.FullName,
            values.GetValue(label)!, values.GetValue(sequence)!, values.GetValue(epochs), values.GetValue(output)!.FullName));
    }

    /// <summary>The place of a named column in a file's header line.</summary>
    public static int ColumnIndex(string file, string column) => Arguments.ColumnIndex(file, column, "--label and --sequence");
}
