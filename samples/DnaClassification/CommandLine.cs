using System.CommandLine;
using System.CommandLine.Invocation;

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
        var data = new Option<FileInfo>("--data") { Description = "Training file: tab-separated text with a header line. Without it, sequences are simulated." };
        var test = new Option<FileInfo>("--test") { Description = "Test file of the same form, needed with --data." };
        var valid = new Option<FileInfo>("--valid") { Description = "Validation file of the same form. Without it, a tenth of the training rows is held out." };
        var label = new Option<string>("--label") { Description = "Name of the column with the class.", DefaultValueFactory = _ => "label" };
        var sequence = new Option<string>("--sequence") { Description = "Name of the column with the nucleotides.", DefaultValueFactory = _ => "sequence" };
        var epochs = new Option<int>("--epochs") { Description = "Passes over the training rows.", DefaultValueFactory = _ => 20 };
        var output = new Option<DirectoryInfo>("--out") { Description = "Folder for model and pictures.", DefaultValueFactory = _ => new DirectoryInfo("dna-output") };
        foreach (var file in new[] { data, test, valid })
            file.AcceptExistingOnly();
        epochs.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && (!int.TryParse(result.Tokens[0].Value, out var count) || count < 1))
                result.AddError($"--epochs is '{result.Tokens[0].Value}'; expected a whole number of 1 or more.");
        });

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

        CommandLine? options = null;
        command.SetAction(values => options = new CommandLine(
            values.GetValue(data)?.FullName, values.GetValue(test)?.FullName, values.GetValue(valid)?.FullName,
            values.GetValue(label)!, values.GetValue(sequence)!, values.GetValue(epochs), values.GetValue(output)!.FullName));
        var parsed = command.Parse(args);
        if (parsed.Action is ParseErrorAction error)
            error.ShowHelp = false; // the error is enough, and the help would push it off the screen
        var exitCode = parsed.Invoke();
        return (options, exitCode);
    }

    /// <summary>The place of a named column in a file's header line.</summary>
    /// <exception cref="InvalidDataException">There is no such column; the message lists those that there are.</exception>
    public static int ColumnIndex(string file, string column)
    {
        var header = (File.ReadLines(file).FirstOrDefault() ?? "").Split('\t');
        var index = Array.IndexOf(header, column);
        return index >= 0 ? index : throw new InvalidDataException(
            $"{file} has no column '{column}'; its header line has: {string.Join(", ", header)}. Name the columns with --label and --sequence.");
    }
}
