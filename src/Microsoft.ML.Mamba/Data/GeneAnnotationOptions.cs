namespace Microsoft.ML.Mamba;

/// <summary>Which features of a GFF3 file become labels, and which columns tell where a row lies.</summary>
public sealed class GeneAnnotationOptions
{
    /// <summary>The type of the features that count, the third column of the file. Default "CDS", coding sequences.</summary>
    public string FeatureType { get; set; } = "CDS";

    /// <summary>The column that the labels go to. Default "Labels".</summary>
    public string OutputColumnName { get; set; } = "Labels";

    /// <summary>
    /// Whether labels are text, one of '0', '+', '-' for each nucleotide. Default false: a vector of keys of the same length, 1 = '0',
    /// 2 = '+', 3 = '-'.
    /// </summary>
    public bool AsText { get; set; }

    /// <summary>
    /// Whether labels also tell the position in the codon: a vector of keys, 1 = '0', 2 to 4 = '+1', '+2', '+3', 5 to 7 = '-1', '-2',
    /// '-3', each counted from the start of the gene on its own strand (the eighth column of the file, the phase, where parts begin within
    /// a codon). Default false. A tagger learns reading frames from them; with <see cref="MambaTaggingTrainer.Options.CoarseLabels"/> it reports
    /// strands. Not with <see cref="AsText"/>.
    /// </summary>
    public bool CodonPositions { get; set; }

    /// <summary>The column of the sequences' names, text. Default "Id".</summary>
    public string IdColumnName { get; set; } = "Id";

    /// <summary>The column of the sequences, text; its lengths count. Default "Sequence".</summary>
    public string SequenceColumnName { get; set; } = "Sequence";

    /// <summary>The column of the windows' starts, <see cref="long"/>. Where the data has none, sequences start at 0. Default "Start".</summary>
    public string StartColumnName { get; set; } = "Start";

    internal GeneAnnotationOptions Clone() => (GeneAnnotationOptions)MemberwiseClone();

    internal IEnumerable<string> Violations()
    {
        if (AsText && CodonPositions)
            yield return "AsText and CodonPositions are true; expected one of them, since text has one character for each nucleotide.";
        foreach (var (name, value) in new[]
        {
            (nameof(FeatureType), FeatureType), (nameof(OutputColumnName), OutputColumnName), (nameof(IdColumnName), IdColumnName),
            (nameof(SequenceColumnName), SequenceColumnName), (nameof(StartColumnName), StartColumnName),
        })
        {
            if (string.IsNullOrWhiteSpace(value))
                yield return $"{name} is empty; expected a name.";
        }
    }
}
