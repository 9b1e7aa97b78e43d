using Microsoft.ML.Data;
using Microsoft.ML.Mamba.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>The rows of FASTA or FASTQ files. Every cursor reads the files anew, front to back, and holds one row at a time.</summary>
internal sealed class FastaView : IDataView
{
    private readonly IHost _host;
    private readonly string[] _paths;
    private readonly FastaOptions _options;
    private readonly SequenceFileFormat _format;

    /// <exception cref="MambaSequenceFileException">A file cannot be opened, or is neither FASTA nor FASTQ.</exception>
    public FastaView(IHostEnvironment env, string[] paths, FastaOptions options)
    {
        Contracts.CheckValue(env, nameof(env));
        _host = env.Register(nameof(FastaView));
        _host.CheckNonEmpty(paths, nameof(paths));
        var violations = options.Violations().ToArray();
        if (violations.Length > 0)
            throw _host.ExceptUserArg(nameof(options), $"LoadFromFasta: the options are out of range:{Environment.NewLine}{string.Join(Environment.NewLine, violations)}");
        (_paths, _options) = ([.. paths], options.Clone());
        _format = FormatOf(_paths);

        var builder = new DataViewSchema.Builder();
        builder.AddColumn("Id", TextDataViewType.Instance);
        builder.AddColumn("Description", TextDataViewType.Instance);
        builder.AddColumn("Sequence", TextDataViewType.Instance);
        if (_options.WindowLength > 0)
            builder.AddColumn("Start", NumberDataViewType.Int64);
        if (_format == SequenceFileFormat.Fastq)
            builder.AddColumn("Quality", TextDataViewType.Instance);
        Schema = builder.ToSchema();
    }

    public DataViewSchema Schema { get; }

    public bool CanShuffle => false;

    public long? GetRowCount() => null;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var needed = RowCursorUtils.FromColumnsToPredicate(columnsNeeded, Schema);
        return new FastaCursor(_host, Schema, [.. Schema.Select(c => needed(c.Index))], Rows().GetEnumerator());
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) =>
        [GetRowCursor(columnsNeeded, rand)];

    // Every file is looked at, so that one that is missing is named before hours of work on the others; one without rows fits any.
    private static SequenceFileFormat FormatOf(string[] paths)
    {
        var known = SequenceFileFormat.Empty;
        foreach (var path in paths)
        {
            using var file = LetterFile.Open(path);
            known = SequenceFileReader.FormatOf(file, known);
        }
        return known == SequenceFileFormat.Empty ? SequenceFileFormat.Fasta : known;
    }

    private IEnumerable<SequenceFileReader> Rows()
    {
        foreach (var path in _paths)
        {
            using var reader = SequenceFileReader.Create(LetterFile.Open(path), _options, _format);
            while (reader.MoveNext())
                yield return reader;
        }
    }
}
