namespace Microsoft.ML.Mamba.Data;

/// <summary>How a text is cut into words; those of the expressions in use that <see cref="ByteLevelWords"/> knows.</summary>
internal enum WordPattern
{
    /// <summary>Not at all: tokens may cross words.</summary>
    None,

    /// <summary>The expression of GPT-2, GPT-NeoX and of ByteLevel itself.</summary>
    Gpt2,

    /// <summary>That of GPT-4 (cl100k) and Llama 3: up to three digits are a word.</summary>
    ThreeDigits,

    /// <summary>That of Qwen 2: each digit is a word.</summary>
    OneDigit,
}
