namespace Microsoft.ML.Mamba.Tests.Repository;

/// <summary>samples/AudioTagging as a user runs it, with right and with wrong input.</summary>
public sealed class AudioTaggingSampleTests : IDisposable
{
    private readonly SampleProgram _sample = new("AudioTagging");

    [Fact]
    public void It_trains_compares_draws_saves_and_listens()
    {
        WriteSounds(train: 60);

        var (exitCode, output, errors) = _sample.Run("--data", "sounds", "--epochs", "1", "--out", "result");

        Assert.True(exitCode == 0, errors);
        Assert.Contains("epoch 1 of 1", output);
        Assert.Contains("11 frames", output);
        Assert.Contains("Which sounds occur in a recording: mean average precision 0.", output);
        Assert.Contains("201 of 201 labels are those of the whole file", output);
        foreach (var file in new[] { "model.zip", "sounds.png", "training-curve.png", "confusion-matrix.png" })
            Assert.True(new FileInfo(_sample.InFolder($"result/{file}")).Length > 1000, file);

        (exitCode, output, errors) = _sample.Run("--live", "sounds/recordings/train-001.wav", "--model", "result/model.zip");

        Assert.True(exitCode == 0, errors);
        Assert.Contains("times faster than real time", output);
        Assert.Contains("101 of 101 labels are those of the whole file", output);
    }

    [Fact]
    public void Lists_that_are_wrong_are_named_with_line_and_what_was_expected()
    {
        _sample.AssertRefuses("Directory does not exist: 'nowhere'", "--data", "nowhere");
        WriteSounds(train: 4);
        Refuses("train_events.tsv is missing; expected tab-separated text with a header line and the columns file, onset, offset, label", "train_events.tsv", null);
        Refuses("train_events.tsv, line 1: there is no column 'onset'", "train_events.tsv", ["file\tbegin\toffset\tlabel"]);
        Refuses("train_events.tsv, line 2: onset is '1,5'; expected seconds", "train_events.tsv", Event("1,5\t2\trise"));
        Refuses("train_events.tsv, line 2: the event ends at 1 s, but begins at 1.5 s", "train_events.tsv", Event("1.5\t1\trise"));
        Refuses("train_events.tsv, line 2: there are 3 fields; expected 4", "train_events.tsv", Event("1.5\t2"));
        Refuses("train_events.tsv, line 2: label is ''", "train_events.tsv", Event("1.5\t2\t"));
        Refuses("fall begins at 0.5 s, before rise ends at 0.6 s; expected events that do not overlap", "train_events.tsv", [.. Event("0.1\t0.6\trise"), .. Event("0.5\t0.9\tfall").Skip(1)]);
        Refuses("train_events.tsv: there is no event in the list", "train_events.tsv", ["file\tonset\toffset\tlabel"]);
        Refuses("test_files.tsv, line 2: there is no file 'recordings/none.wav'", "test_files.tsv", ["file", "recordings/none.wav"]);
    }

    [Fact]
    public void What_is_no_recording_and_no_model_is_named()
    {
        WriteSounds(train: 4);
        File.WriteAllText(_sample.InFolder("text.wav"), "This is text, and no sound at all.");
        File.WriteAllText(_sample.InFolder("model.zip"), "no model");

        _sample.AssertRefuses("There is no model ", "--live", "sounds/recordings/train-001.wav", "--out", "empty");
        _sample.AssertRefuses("model.zip is no saved model", "--live", "sounds/recordings/train-001.wav", "--model", "model.zip");
        _sample.AssertRefuses("File does not exist: 'nowhere.wav'", "--live", "nowhere.wav");
        _sample.AssertRefuses("--data and --live exclude each other", "--live", "text.wav", "--data", "sounds");
        File.Copy(_sample.InFolder("text.wav"), _sample.InFolder("sounds/recordings/train-001.wav"), overwrite: true);
        _sample.AssertRefuses("train-001.wav': ", "--data", "sounds");
    }

    public void Dispose() => _sample.Dispose();

    private static string[] Event(string rest) => ["file\tonset\toffset\tlabel", $"recordings/train-001.wav\t{rest}"];

    private void WriteSounds(int train)
    {
        SyntheticScenes.Write(_sample.InFolder("sounds"), "train", train, seconds: 1, seed: 1);
        SyntheticScenes.Write(_sample.InFolder("sounds"), "test", count: 5, seconds: 2, seed: 2);
    }

    private void Refuses(string reason, string file, string[]? lines)
    {
        var path = _sample.InFolder($"sounds/{file}");
        var before = File.ReadAllText(path);
        if (lines is null)
            File.Delete(path);
        else
            File.WriteAllLines(path, lines);
        _sample.AssertRefuses(reason, "--data", "sounds");
        File.WriteAllText(path, before);
    }
}
