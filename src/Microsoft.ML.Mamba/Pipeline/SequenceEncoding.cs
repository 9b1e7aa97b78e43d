using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>How one model turns its sequence column into ids or frames; fixed at training, saved with the model.</summary>
internal sealed class SequenceEncoding(SequenceColumnKind kind, SequenceTokenizer? tokenizer, int vocabSize, int frameWidth)
{
    public SequenceColumnKind Kind { get; } = kind;

    /// <summary>The tokenizer of a text column; null for the other kinds.</summary>
    public SequenceTokenizer? Tokenizer { get; } = tokenizer;

    /// <summary>Ids lie in 0 to VocabSize - 1; 0 for frames, and for integers whose range the training data will tell.</summary>
    public int VocabSize { get; } = vocabSize;

    /// <summary>Values per frame; 0 for ids.</summary>
    public int FrameWidth { get; } = frameWidth;

    public bool IsFrames => Kind == SequenceColumnKind.Frames;

    /// <summary>The encoding that a training column and the settings call for.</summary>
    /// <exception cref="ArgumentOutOfRangeException">Column and settings contradict each other.</exception>
    public static SequenceEncoding For(IExceptionContext context, DataViewSchema schema, TrainerSettings settings)
    {
        var kind = SequenceColumn.Classify(context, schema, settings.SequenceColumnName, settings.SequenceColumnOption, out var column);
        CheckKind(context, kind, settings);
        switch (kind)
        {
            case SequenceColumnKind.Text:
                var tokenizer = settings.Tokenizer ?? SequenceTokenizer.Bytes;
                return new(kind, tokenizer, ChosenVocabSize(context, settings, tokenizer.VocabSize, $"the ids of tokenizer '{tokenizer.Name}'"), 0);
            case SequenceColumnKind.Keys:
                return new(kind, null, ChosenVocabSize(context, settings, KeyVocabSize(context, column), $"the keys of column '{column.Name}' (and 0 for missing ones)"), 0);
            case SequenceColumnKind.Integers:
                return new(kind, null, settings.Model.VocabSize, 0);
            default:
                return new(kind, null, 0, ChosenFrameWidth(context, column, settings));
        }
    }

    /// <summary>Fails early when text could not be tokenized, a tokenizer would have no text, or a pretrained encoder could not read the column.</summary>
    public static void CheckKind(IExceptionContext context, SequenceColumnKind kind, TrainerSettings settings)
    {
        if (settings.Encoder is { Config.FrameWidth: var width } && width > 0 != (kind == SequenceColumnKind.Frames))
            throw context.ExceptParam("schema", $"Sequence column '{settings.SequenceColumnName}' holds {(width > 0 ? "no frames" : "frames")}; "
                + $"the encoder in Pretrained reads {(width > 0 ? $"frames of {width} values" : "ids or text")}.");
        if (settings.Encoder is not null && settings.Tokenizer is null && kind == SequenceColumnKind.Text)
            throw context.ExceptParam("schema", $"Sequence column '{settings.SequenceColumnName}' is text; the encoder in Pretrained was learnt from ids and has no tokenizer. Set Tokenizer to the one that makes its ids.");
        if (kind != SequenceColumnKind.Text && settings.Tokenizer is { } tokenizer)
            throw context.ExceptParam("schema", $"Tokenizer '{tokenizer.Name}' is set, but sequence column '{settings.SequenceColumnName}' is not text. "
                + "Leave Tokenizer unset for columns of keys, integers or frames.");
    }

    /// <summary>The column to score, found and checked against what the model was trained on.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is absent or differs from the training column.</exception>
    public DataViewSchema.Column Find(IExceptionContext context, DataViewSchema schema, string name)
    {
        var kind = SequenceColumn.Classify(context, schema, name, nameof(MambaTrainerOptions.SequenceColumnName), out var column);
        if (kind != Kind)
            throw Differs(context, column, Kind switch
            {
                SequenceColumnKind.Text => "text",
                SequenceColumnKind.Keys => "a vector of keys",
                SequenceColumnKind.Integers => "a vector of integers",
                _ => "a vector of Single",
            });
        if (Kind == SequenceColumnKind.Keys && KeyVocabSize(context, column) > VocabSize)
            throw Differs(context, column, $"keys of at most {VocabSize - 1} values");
        if (Kind == SequenceColumnKind.Frames && DeclaredFrameWidth(column) is { } width && width != FrameWidth)
            throw Differs(context, column, $"frames of {FrameWidth} values");
        return column;
    }

    /// <summary>The same encoding with the vocabulary that the training data turned out to need.</summary>
    public SequenceEncoding WithVocabSize(int size) => new(Kind, Tokenizer, size, FrameWidth);

    private static Exception Differs(IExceptionContext context, DataViewSchema.Column column, string expected) =>
        context.ExceptParam("schema", $"Sequence column '{column.Name}' has type {column.Type}; the model was trained on {expected}.");

    private static int KeyVocabSize(IExceptionContext context, DataViewSchema.Column column)
    {
        var count = ((KeyDataViewType)((VectorDataViewType)column.Type).ItemType).Count;
        if (count >= MaxVocabSize)
            throw context.ExceptParam("schema", $"Sequence column '{column.Name}' has keys of {count} values; expected fewer than {MaxVocabSize}.");
        return (int)count + 1;
    }

    private static int ChosenVocabSize(IExceptionContext context, TrainerSettings settings, int needed, string by)
    {
        var set = settings.Model.VocabSize;
        if (set != 0 && set < needed)
            throw context.ExceptParam("schema", $"Model.VocabSize is {set}, but {by} need {needed}. Leave VocabSize at 0, or set it to {needed} or more.");
        return Math.Max(set, needed);
    }

    private static int ChosenFrameWidth(IExceptionContext context, DataViewSchema.Column column, TrainerSettings settings)
    {
        var declared = DeclaredFrameWidth(column);
        var set = settings.FrameWidth != 0 ? settings.FrameWidth : settings.Model.FrameWidth;
        if (declared is null && set == 0)
            throw context.ExceptParam("schema", $"Sequence column '{column.Name}' has type {column.Type}, which does not tell the width of a frame. "
                + "Set FrameWidth (1 for a plain signal), or give the column's vector type a second dimension.");
        if (declared is { } width && set != 0 && set != width)
            throw context.ExceptParam("schema", $"Sequence column '{column.Name}' has frames of {width} values, but FrameWidth is {set}. Leave FrameWidth at 0.");
        return declared ?? set;
    }

    private static int? DeclaredFrameWidth(DataViewSchema.Column column)
    {
        var dimensions = ((VectorDataViewType)column.Type).Dimensions;
        return dimensions.Length == 2 && dimensions[1] > 0 ? dimensions[1] : null;
    }

    /// <summary>More ids than this cannot be meant: an embedding of 16 M rows.</summary>
    public const int MaxVocabSize = 1 << 24;
}
