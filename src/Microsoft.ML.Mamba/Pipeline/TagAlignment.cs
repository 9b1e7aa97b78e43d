using System.Globalization;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>How labels belong to the positions of a sequence. It is saved with a model, and told by the annotation of its predicted labels.</summary>
/// <param name="Unit">What a label belongs to.</param>
/// <param name="Hop">Events: seconds from one frame to the next; else 0.</param>
/// <param name="First">Events: the time of the middle of the first frame, in seconds.</param>
/// <param name="Background">Events: the label of frames outside of all events.</param>
internal sealed record TagAlignment(MambaTagUnit Unit, double Hop, double First, string Background)
{
    /// <summary>The kind of the annotation: text.</summary>
    public const string AnnotationKind = "TagAlignment";

    /// <summary>The alignment as the text of the annotation.</summary>
    public string Text => Unit == MambaTagUnit.Event
        ? string.Create(CultureInfo.InvariantCulture, $"{Unit} {Hop:R} {First:R} {Background}")
        : $"{Unit}";

    public static TagAlignment ByPosition { get; } = new(MambaTagUnit.Position, 0, 0, "-");

    /// <summary>The alignment that a column of predicted labels tells; by position where it tells none.</summary>
    public static TagAlignment Of(DataViewSchema.Column predicted)
    {
        if (predicted.Annotations.Schema.GetColumnOrNull(AnnotationKind)?.Type is not TextDataViewType)
            return ByPosition;
        ReadOnlyMemory<char> text = default;
        predicted.Annotations.GetValue(AnnotationKind, ref text);
        var parts = text.ToString().Split(' ', 4);
        return Enum.Parse<MambaTagUnit>(parts[0]) is var unit && unit != MambaTagUnit.Event
            ? ByPosition with { Unit = unit }
            : new TagAlignment(unit, Number(parts[1]), Number(parts[2]), parts[3]);
    }

    public void Save(ModelSaveContext context)
    {
        // *** Binary format *** as in Load.
        context.Writer.Write((byte)Unit);
        context.Writer.Write(Hop);
        context.Writer.Write(First);
        context.SaveNonEmptyString(Background);
    }

    public static TagAlignment Load(IHost host, ModelLoadContext context)
    {
        // *** Binary format ***
        // byte: what a label belongs to
        // double: seconds from one frame to the next
        // double: the middle of the first frame, in seconds
        // string: the label outside of events
        var unit = (MambaTagUnit)context.Reader.ReadByte();
        host.CheckDecode(Enum.IsDefined(unit), $"The model claims labels of the unknown unit {(int)unit}.");
        var (hop, first) = (context.Reader.ReadDouble(), context.Reader.ReadDouble());
        host.CheckDecode(double.IsFinite(first) && double.IsFinite(hop) && hop > 0 == (unit == MambaTagUnit.Event), "The times of the model's frames are damaged.");
        return new TagAlignment(unit, hop, first, context.LoadNonEmptyString());
    }

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
