using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>A column that is computed from others, each row by itself: its type, what is known of it, and its values.</summary>
internal abstract class MappedColumn(IHost host, string outputColumnName)
{
    public IHost Host => host;

    public string OutputColumnName => outputColumnName;

    /// <summary>Finds the input columns and checks them.</summary>
    /// <exception cref="ArgumentOutOfRangeException">One is absent or cannot be used.</exception>
    public abstract DataViewSchema.Column[] FindInputs(DataViewSchema schema);

    /// <summary>The output column.</summary>
    public abstract DataViewSchema.DetachedColumn Output();

    /// <summary>A getter of the output over the current row of the input.</summary>
    /// <param name="input">Where the input columns are active.</param>
    /// <param name="faults">Where rows go whose value is missing.</param>
    public abstract Delegate CreateGetter(DataViewRow input, RowFaults faults);

    /// <summary>One sentence about the rows that had faults.</summary>
    public virtual string Warning(RowFaults faults) =>
        FormattableString.Invariant($"{faults.Count:N0} rows of '{outputColumnName}' have missing values. The first: {faults.First}");

    /// <summary>The input's columns and the output.</summary>
    public DataViewSchema GetOutputSchema(DataViewSchema input)
    {
        host.CheckValue(input, nameof(input));
        FindInputs(input);
        var builder = new DataViewSchema.Builder();
        builder.AddColumns(input);
        builder.AddColumns([Output()]);
        return builder.ToSchema();
    }

    /// <summary>What <see cref="GetOutputSchema"/> will deliver, as a shape.</summary>
    public static SchemaShape Promise(SchemaShape input, DataViewSchema.DetachedColumn output)
    {
        var builder = new DataViewSchema.Builder();
        builder.AddColumns([output]);
        return new SchemaShape(input.Where(c => c.Name != output.Name).Concat(SchemaShape.Create(builder.ToSchema())));
    }

    public IDataView Transform(IDataView input)
    {
        host.CheckValue(input, nameof(input));
        return new MappedView(this, input, GetOutputSchema(input.Schema));
    }

    public IRowToRowMapper GetRowToRowMapper(DataViewSchema input) => new MappedRows(this, input, GetOutputSchema(input));
}

/// <summary>Rows whose value is missing, counted once each.</summary>
internal sealed class RowFaults
{
    private long _last = -1;

    public long Count { get; private set; }

    /// <summary>The error of the first.</summary>
    public string First { get; private set; } = "";

    public void Add(long position, Exception error)
    {
        if (position == _last)
            return;
        _last = position;
        if (Count++ == 0)
            First = error.Message;
    }
}
