using System.Reflection;
using Microsoft.ML.Data;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

/// <summary>
/// What ML.NET's own tests demand of every estimator (TestEstimatorCore in TestDataPipeBase.cs of dotnet/machinelearning), in
/// the same order: 16 checks, numbered.
/// </summary>
internal sealed class EstimatorContract(MLContext ml, IEstimator<ITransformer> estimator)
{
    /// <summary>Runs all checks.</summary>
    /// <param name="valid">Data to fit and to transform.</param>
    /// <param name="withoutLabel">Data to transform only; null for estimators that need no label.</param>
    /// <param name="invalid">Data for neither.</param>
    /// <param name="fitOnly">Data to fit, whose sequences the model trained on <paramref name="valid"/> cannot read; null where there is none.</param>
    public void Check(IDataView valid, IDataView? withoutLabel, IDataView invalid, IDataView? fitOnly)
    {
        // 1
        var promised = estimator.GetOutputSchema(ShapeOf(valid.Schema));
        // 2, 3, 4
        if (withoutLabel is not null)
        {
            MustFail(() => estimator.GetOutputSchema(ShapeOf(withoutLabel.Schema)));
            MustFail(() => estimator.Fit(withoutLabel));
        }
        MustFail(() => estimator.GetOutputSchema(ShapeOf(invalid.Schema)));
        MustFail(() => estimator.Fit(invalid));
        // 5
        if (fitOnly is not null)
        {
            estimator.GetOutputSchema(ShapeOf(fitOnly.Schema));
            (estimator.Fit(fitOnly) as IDisposable)?.Dispose();
        }

        // 6
        var transformer = estimator.Fit(valid);
        var loaded = SaveAndLoad(transformer, valid.Schema, out var loadedSchema);
        // 7
        SchemaAssert.Same(valid.Schema, loadedSchema);
        // 8 to 13
        CheckTransformers(transformer, loaded, valid);
        if (withoutLabel is not null)
            CheckTransformers(transformer, loaded, withoutLabel);
        // 5, 14
        foreach (var either in new[] { transformer, loaded })
        {
            foreach (var bad in new[] { invalid, fitOnly }.OfType<IDataView>())
            {
                MustFail(() => either.GetOutputSchema(bad.Schema));
                MustFail(() => either.Transform(bad));
            }
        }
        // 15
        SchemaAssert.SameShape(promised, ShapeOf(transformer.GetOutputSchema(valid.Schema)));
        // 16
        (loaded as IDisposable)?.Dispose();
        Assert.NotEmpty(RowValues.ReadAll(transformer.Transform(valid)));
        (transformer as IDisposable)?.Dispose();
    }

    /// <summary>The shape of a schema, as ML.NET makes it (the method is internal there).</summary>
    public static SchemaShape ShapeOf(DataViewSchema schema) =>
        (SchemaShape)typeof(SchemaShape).GetMethod("Create", BindingFlags.Static | BindingFlags.NonPublic)!.Invoke(null, [schema])!;

    /// <summary>Asserts that an action throws one of the two kinds of error that ML.NET's tests accept; returns it.</summary>
    public static Exception MustFail(Action action)
    {
        var error = Record.Exception(action);
        Assert.True(error is ArgumentOutOfRangeException or InvalidOperationException, $"expected ArgumentOutOfRangeException or InvalidOperationException, got {error?.ToString() ?? "no error"}");
        return error!;
    }

    private ITransformer SaveAndLoad(ITransformer transformer, DataViewSchema schema, out DataViewSchema loadedSchema)
    {
        using var stream = new MemoryStream();
        ml.Model.Save(transformer, schema, stream);
        stream.Position = 0;
        return ml.Model.Load(stream, out loadedSchema);
    }

    private static void CheckTransformers(ITransformer transformer, ITransformer loaded, IDataView data)
    {
        var schema = transformer.GetOutputSchema(data.Schema);
        // 8
        Assert.True(transformer.IsRowToRowMapper);
        var mapper = transformer.GetRowToRowMapper(data.Schema);
        Assert.Same(data.Schema, mapper.InputSchema);
        SchemaAssert.Same(schema, mapper.OutputSchema);
        // 9
        SchemaAssert.Same(schema, loaded.GetOutputSchema(data.Schema));
        var scored = transformer.Transform(data);
        var scoredByLoaded = loaded.Transform(data);
        SchemaAssert.Same(schema, scored.Schema);
        SchemaAssert.Same(schema, scoredByLoaded.Schema);
        CheckValues(scored, scoredByLoaded);
    }

    // 10 to 13
    private static void CheckValues(IDataView expected, IDataView actual)
    {
        var all = RowValues.ReadAll(CheckedCursor(expected, expected.Schema));
        Assert.Equal(all.Count, all.Select(r => r.Id).Distinct().Count());
        RowValues.AssertSame(all, RowValues.ReadAll(CheckedCursor(actual, actual.Schema)));
        RowValues.AssertSame(all, RowValues.ReadAll(CheckedCursor(actual, actual.Schema.Where(c => c.Index % 2 == 0))));
        RowValues.AssertSame(all, RowValues.ReadAll(CheckedCursor(actual, actual.Schema.Where(c => c.Index % 2 == 1))));
        CheckLockStep(all, actual);
    }

    private static void CheckLockStep(List<RowValues> expected, IDataView actual)
    {
        var cursors = actual.Schema.Select(c => CheckedCursor(actual, [c])).ToArray();
        var readers = cursors.Select(RowValues.Reader).ToArray();
        foreach (var row in expected)
        {
            for (var column = 0; column < cursors.Length; column++)
            {
                Assert.True(cursors[column].MoveNext());
                RowValues.AssertSame(row, readers[column]());
            }
        }
        foreach (var cursor in cursors)
        {
            Assert.False(cursor.MoveNext());
            cursor.Dispose();
        }
    }

    // 13
    private static DataViewRowCursor CheckedCursor(IDataView view, IEnumerable<DataViewSchema.Column> columns)
    {
        var cursor = view.GetRowCursor(columns);
        Assert.Same(view.Schema, cursor.Schema);
        Assert.Equal(-1, cursor.Position);
        return cursor;
    }
}
