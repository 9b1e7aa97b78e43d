using System.CommandLine;

/// <summary>What the user asked for on the command line.</summary>
/// <param name="Data">The folder with train.fasta, train.gff3, test.fasta and test.gff3, or null: simulate them.</param>
/// <param name="Epochs">Passes over the training genome.</param>
/// <param name="Model">A model that was trained before, or null: train one.</param>
/// <param name="Genome">The genome to find genes in with <paramref name="Model"/>; set exactly when that is.</param>
/// <param name="From">The nucleotide of the longest sequence, from 1, that the picture begins at; null: so that its middle is seen.</param>
/// <param name="Out">Where model, genes and pictures go.</param>
internal sealed record CommandLine(string? Data, int Epochs, string? Model, string? Genome, int? From, string Out)
{
    /// <summary>Reads the arguments. Without options to go on, only the exit code counts.</summary>
    public static (CommandLine? Options, int ExitCode) Read(string[] args)
    {
        var data = new Option<DirectoryInfo>("--data") { Description = "Folder with train.fasta, train.gff3, test.fasta and test.gff3. Without it, genomes are simulated." };
        var epochs = Arguments.Epochs(8);
        var model = Arguments.ExistingFile("--model", "A model.zip of an earlier run: finds genes with it instead of training one. Needs --genome.");
        var genome = Arguments.ExistingFile("--genome", "FASTA file to find genes in, plain or gzip.");
        var from = new Option<int?>("--from") { Description = "The nucleotide of the longest sequence, from 1, that the picture begins at. Without it, its middle is shown." };
        var output = Arguments.Out("Folder for model, genes and pictures.", "gene-output");
        data.AcceptExistingOnly();

        var command = new RootCommand("Trains a Mamba model to find the genes of bacteria, compares it with the rule of open reading frames, writes the genes as GFF3 and draws them.")
        {
            data, epochs, model, genome, from, output,
        };
        command.Validators.Add(result =>
        {
            if (result.GetResult(model) is null != result.GetResult(genome) is null)
                result.AddError("--model and --genome belong together: give both to find genes with a model, or neither to train one.");
            if (result.GetResult(model) is not null && result.GetResult(data) is not null)
                result.AddError("--data trains a model and --model uses one; give one of them.");
        });
        data.Validators.Add(result =>
        {
            var folder = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
            if (Directory.Exists(folder) && AnnotatedGenome.MissingIn(folder) is { Length: > 0 } missing)
                result.AddError($"{folder} has no {string.Join(", no ", missing)}; expected train.fasta, train.gff3, test.fasta and test.gff3.");
        });

        return Arguments.Read(command, args, values => new CommandLine(
            values.GetValue(data)?.FullName, values.GetValue(epochs), values.GetValue(model)?.FullName, values.GetValue(genome)?.FullName,
            values.GetValue(from), values.GetValue(output)!.FullName));
    }
}
