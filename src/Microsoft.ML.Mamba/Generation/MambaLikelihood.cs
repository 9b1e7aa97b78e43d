namespace Microsoft.ML.Mamba;

/// <summary>How likely a language model finds a sequence.</summary>
/// <param name="LogLikelihood">Sum of ln p(token | tokens before it) over all tokens but the first, which has none before it.</param>
/// <param name="Tokens">Number of tokens in the sum: one less than the sequence has, or 0.</param>
public sealed record MambaLikelihood(double LogLikelihood, int Tokens)
{
    /// <summary>e^(-LogLikelihood / Tokens): among how many equally likely tokens the model hesitates on average; NaN without tokens.</summary>
    public double Perplexity => Math.Exp(-LogLikelihood / Tokens);
}
