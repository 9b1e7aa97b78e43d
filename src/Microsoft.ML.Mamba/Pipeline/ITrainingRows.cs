using Microsoft.ML.Mamba.Data;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>Reads rows of training or validation data, sequence and label, into a set. Belongs to one cursor.</summary>
internal interface ITrainingRows
{
    /// <summary>Adds the cursor's current row.</summary>
    /// <param name="set">Where it goes.</param>
    /// <param name="truncation">The longest length and which part stays.</param>
    /// <param name="row">The row's position.</param>
    /// <returns>False when its label is missing; nothing is added then.</returns>
    /// <exception cref="LabelException">The label is none; the message says why, not where.</exception>
    /// <exception cref="FormatException">The sequence is none; the message says why, not where.</exception>
    bool Add(SequenceSet set, TruncationPolicy truncation, long row);
}

/// <summary>What is wrong with the label of a row.</summary>
internal sealed class LabelException(string message) : FormatException(message);
