/// <summary>Turns the labels of frames, one after the other, into events.</summary>
/// <param name="labels">The names of the labels.</param>
/// <param name="background">The label outside of all events.</param>
/// <param name="firstFrame">The moment of the first frame, s.</param>
/// <param name="hop">The time from one frame to the next, s.</param>
internal sealed class LabelTrack(IReadOnlyList<string> labels, string background, double firstFrame, double hop)
{
    private int _frames;
    private int _start;
    private int _label = -1;

    /// <summary>The moment of the next frame, s.</summary>
    public double Now => firstFrame + (_frames * hop);

    /// <summary>Takes the next frame's label.</summary>
    /// <returns>The event that ends with it, if one does.</returns>
    public SoundEvent? Add(int label)
    {
        var ended = label == _label ? null : End();
        if (label != _label)
            (_label, _start) = (label, _frames);
        _frames++;
        return ended;
    }

    /// <summary>The event that is going on, when nothing more will come.</summary>
    public SoundEvent? End() => _label < 0 || labels[_label] == background ? null
        // A frame speaks for the time around its middle.
        : new SoundEvent(Math.Max(0, MiddleOf(_start) - (hop / 2)), MiddleOf(_frames) - (hop / 2), labels[_label]);

    /// <summary>The events of a whole recording.</summary>
    public IReadOnlyList<SoundEvent> EventsOf(IEnumerable<int> frames)
    {
        var events = frames.Select(Add).ToList();
        events.Add(End());
        return [.. events.OfType<SoundEvent>()];
    }

    private double MiddleOf(int frame) => firstFrame + (frame * hop);
}
