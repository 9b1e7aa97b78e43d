using System.CommandLine;

/// <summary>What the user asked for on the command line.</summary>
/// <param name="Data">The folder with recordings and events, or null: make one.</param>
/// <param name="Epochs">Passes over the training recordings, or null: so many that the model hears three hours.</param>
/// <param name="Delay">How much later than the sound the model labels, ms: how far it hears ahead.</param>
/// <param name="Rate">The sample rate that recordings are converted to, Hz.</param>
/// <param name="Live">The recording to listen to with a saved model, or null: train one.</param>
/// <param name="Model">The saved model.</param>
/// <param name="Paced">Whether a recording is listened to as slowly as it was recorded.</param>
/// <param name="Out">Where model and pictures go.</param>
internal sealed record CommandLine(string? Data, int? Epochs, int Delay, int Rate, string? Live, string Model, bool Paced, string Out)
{
    /// <summary>Reads the arguments. Without options to go on, only the exit code counts.</summary>
    public static (CommandLine? Options, int ExitCode) Read(string[] args)
    {
        var data = new Option<DirectoryInfo>("--data") { Description = "Folder with train_files.tsv, train_events.tsv, test_files.tsv, test_events.tsv and the WAV files that they name. Without it, sounds are made." };
        var epochs = Arguments.WholeNumber("--epochs", "Passes over the training recordings. Without it, so many that the model hears three hours in all.");
        var delay = Arguments.WholeNumber("--delay", "How much later than the sound the model says what it is, in ms: how far it hears ahead.", 60);
        var rate = Arguments.WholeNumber("--rate", "Sample rate that recordings are converted to, Hz.", 16_000);
        var live = Arguments.ExistingFile("--live", "A WAV file to listen to with a saved model, as if it came from a microphone; nothing is trained.");
        var model = Arguments.ExistingFile("--model", "The saved model to listen with. Without it, model.zip in the folder of --out.");
        var paced = new Option<bool>("--paced") { Description = "Listen as slowly as the recording was made." };
        var output = Arguments.Out("Folder for model and pictures.", "audio-output");
        data.AcceptExistingOnly();

        var command = new RootCommand("Trains a Mamba tagger that says what is heard when, compares it with classifiers of frames, draws what it hears, and listens live.")
        {
            data, epochs, delay, rate, live, model, paced, output,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(model) is not null && result.GetResult(live) is null)
                result.AddError("--model is given without --live; without it, a model is trained.");
            var training = new Option[] { data, epochs, delay, rate }.Where(o => result.GetResult(o) is { Implicit: false }).Select(o => o.Name).ToArray();
            if (training.Length > 0 && result.GetResult(live) is not null)
                result.AddError($"{string.Join(" and ", training)} and --live exclude each other: --live listens with a model that was trained before.");
        });
        return Arguments.Read(command, args, values =>
        {
            var folder = values.GetValue(output)!.FullName;
            return new CommandLine(
                values.GetValue(data)?.FullName, values.GetValue(epochs), values.GetValue(delay), values.GetValue(rate), values.GetValue(live)?.FullName,
                values.GetValue(model)?.FullName ?? Path.Combine(folder, "model.zip"), values.GetValue(paced), folder);
        });
    }
}
