using System.Buffers;
using System.Text;

namespace Microsoft.ML.Mamba.Data;

/// <summary>What a tokenizer does to a text before it looks for words: Unicode normalization and lower case, in the order of its file.</summary>
internal sealed class TextNormalizer
{
    /// <summary>The most steps of a file's sequence; each is a pass over every text.</summary>
    private const int MaxSteps = 16;

    private const string Supported = "Lowercase, NFC, NFD, NFKC, NFKD, a Sequence of them or no normalizer";

    private readonly Step[] _steps;

    private TextNormalizer(params Step[] steps) => _steps = steps;

    private enum Step
    {
        Lowercase,
        FormC,
        FormD,
        FormKC,
        FormKD,
    }

    internal static TextNormalizer None { get; } = new();

    internal static TextNormalizer Lowercase { get; } = new(Step.Lowercase);

    /// <summary>The <c>normalizer</c> of a tokenizer.json.</summary>
    /// <exception cref="FormatException">It is of a kind that is not supported.</exception>
    internal static TextNormalizer Read(TokenizerJson root)
    {
        if (root.Optional("normalizer") is not { } normalizer)
        {
            return None;
        }
        var steps = new List<Step>();
        Read(normalizer, steps);
        return new TextNormalizer([.. steps]);
    }

    /// <summary>The text as words are looked for in it.</summary>
    /// <param name="text">Text without unpaired surrogates (<see cref="WellFormed"/>).</param>
    internal ReadOnlySpan<char> Apply(ReadOnlySpan<char> text)
    {
        foreach (var step in _steps)
        {
            if (step == Step.Lowercase)
            {
                text = ToLower(text);
            }
            else if (!Ascii.IsValid(text))
            {
                text = text.ToString().Normalize(FormOf(step));
            }
        }
        return text;
    }

    /// <summary>Whether .NET can do this here; without ICU it takes every text for normalized, which would silently give other ids.</summary>
    /// <exception cref="PlatformNotSupportedException">It cannot.</exception>
    internal void CheckPlatform()
    {
        if (_steps.Any(step => step != Step.Lowercase) && "e\u0301".Normalize(NormalizationForm.FormC) != "\u00e9")
        {
            throw new PlatformNotSupportedException(
                "SequenceTokenizer: the tokenizer normalizes Unicode text, which .NET does not do in its globalization-invariant mode. "
                + "Set InvariantGlobalization to false (and install ICU where it is missing).");
        }
    }

    /// <summary>The text with U+FFFD for each unpaired surrogate, which has no bytes.</summary>
    internal static ReadOnlySpan<char> WellFormed(ReadOnlySpan<char> text)
    {
        if (text.IndexOfAnyInRange('\ud800', '\udfff') < 0)
        {
            return text;
        }
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        var count = Encoding.UTF8.GetBytes(text, bytes);
        var result = Encoding.UTF8.GetString(bytes.AsSpan(0, count));
        ArrayPool<byte>.Shared.Return(bytes);
        return result;
    }

    private static void Read(TokenizerJson normalizer, List<Step> steps)
    {
        var type = normalizer.Required("type");
        if (type.Text() == "Sequence")
        {
            foreach (var item in normalizer.Required("normalizers").Items())
            {
                Read(item, steps);
            }
            return;
        }
        if (steps.Count == MaxSteps)
        {
            throw type.Error($"at most {MaxSteps} normalizers");
        }
        steps.Add(type.Text() switch
        {
            "Lowercase" => Step.Lowercase,
            "NFC" => Step.FormC,
            "NFD" => Step.FormD,
            "NFKC" => Step.FormKC,
            "NFKD" => Step.FormKD,
            _ => throw type.Error(Supported),
        });
    }

    private static NormalizationForm FormOf(Step step) => step switch
    {
        Step.FormC => NormalizationForm.FormC,
        Step.FormD => NormalizationForm.FormD,
        Step.FormKC => NormalizationForm.FormKC,
        _ => NormalizationForm.FormKD,
    };

    // Code point by code point, as the tokenizers library does: a capital sigma at the end of a word becomes a plain one.
    private static ReadOnlySpan<char> ToLower(ReadOnlySpan<char> text)
    {
        if (Ascii.IsValid(text))
        {
            var lower = new char[text.Length];
            Ascii.ToLower(text, lower, out _);
            return lower;
        }
        var result = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            // The only letter whose lower case is two code points, which .NET's invariant culture leaves as it is.
            if (rune.Value == 0x130)
            {
                result.Append("i\u0307");
            }
            else
            {
                result.Append(Rune.ToLowerInvariant(rune));
            }
        }
        return result.ToString();
    }
}
