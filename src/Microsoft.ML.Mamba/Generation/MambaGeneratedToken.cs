namespace Microsoft.ML.Mamba;

/// <summary>One token of a text as it is generated.</summary>
/// <param name="Id">The token's id.</param>
/// <param name="Text">
/// The text that it completes; empty while a character is not complete yet. All texts together are the text of all ids.
/// </param>
public sealed record MambaGeneratedToken(int Id, string Text);
