namespace Microsoft.ML.Mamba.Data;

/// <summary>A token that is found in the text itself, before it is cut into words.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Content">Its text.</param>
/// <param name="SingleWord">Whether it counts only where no letter, digit or underscore touches it.</param>
/// <param name="LeftStrip">Whether it takes the white space before it.</param>
/// <param name="RightStrip">Whether it takes the white space behind it.</param>
/// <param name="Normalized">Whether it is looked for in the normalized text and not in the text as given.</param>
internal sealed record AddedToken(int Id, string Content, bool SingleWord, bool LeftStrip, bool RightStrip, bool Normalized);
