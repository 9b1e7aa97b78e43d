using System.CommandLine;
using System.CommandLine.Invocation;
using Microsoft.ML.Mamba;

/// <summary>What the command lines of the samples have in common.</summary>
internal static class Arguments
{
    /// <summary>The option --epochs.</summary>
    public static Option<int> Epochs(int byDefault) => WholeNumber("--epochs", "Passes over the training rows.", byDefault);

    /// <summary>The option --out.</summary>
    public static Option<DirectoryInfo> Out(string description, string byDefault) =>
        new("--out") { Description = description, DefaultValueFactory = _ => new DirectoryInfo(byDefault) };

    /// <summary>A file that must be there.</summary>
    public static Option<FileInfo> ExistingFile(string name, string description) => new Option<FileInfo>(name) { Description = description }.AcceptExistingOnly();

    /// <summary>A whole number of 1 or more.</summary>
    public static Option<int> WholeNumber(string name, string description, int byDefault) =>
        OneOrMore(new Option<int>(name) { Description = description, DefaultValueFactory = _ => byDefault });

    /// <summary>A whole number of 1 or more, or null where none is given.</summary>
    public static Option<int?> WholeNumber(string name, string description) => OneOrMore(new Option<int?>(name) { Description = description });

    /// <summary>Reads the arguments. Without options to go on (help was asked for, or an argument is wrong), only the exit code counts.</summary>
    public static (T? Options, int ExitCode) Read<T>(RootCommand command, string[] args, Func<ParseResult, T> create)
        where T : class
    {
        T? options = null;
        command.SetAction(values => options = create(values));
        var parsed = command.Parse(args);
        if (parsed.Action is ParseErrorAction error)
            error.ShowHelp = false; // the error is enough, and the help would push it off the screen
        var exitCode = parsed.Invoke();
        return (options, exitCode);
    }

    /// <summary>The place of a named column in a file's header line.</summary>
    /// <param name="file">A tab-separated file.</param>
    /// <param name="column">The column's name.</param>
    /// <param name="options">The options that name columns, for the error.</param>
    /// <exception cref="InvalidDataException">There is no such column; the message lists those that there are.</exception>
    public static int ColumnIndex(string file, string column, string options)
    {
        var header = (File.ReadLines(file).FirstOrDefault() ?? "").Split('\t');
        var index = Array.IndexOf(header, column);
        return index >= 0 ? index : throw new InvalidDataException(
            $"{file} has no column '{column}'; its header line has: {string.Join(", ", header)}. Name the columns with {options}.");
    }

    /// <summary>The encoder of a checkpoint folder with a tokenizer.</summary>
    /// <exception cref="FileNotFoundException">There is no tokenizer.json.</exception>
    public static MambaEncoder EncoderOfTexts(string folder)
    {
        var encoder = MambaEncoder.Load(folder);
        return encoder.Tokenizer is not null ? encoder : throw new FileNotFoundException(
            $"There is no tokenizer.json in {folder}, so the checkpoint cannot read text. Put the one there that the model came with.");
    }

    private static T OneOrMore<T>(T option)
        where T : Option
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count == 1 && (!int.TryParse(result.Tokens[0].Value, out var count) || count < 1))
                result.AddError($"{option.Name} is '{result.Tokens[0].Value}'; expected a whole number of 1 or more.");
        });
        return option;
    }
}
