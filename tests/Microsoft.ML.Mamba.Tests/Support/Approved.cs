using Snapshooter.Xunit;

namespace Microsoft.ML.Mamba.Tests.Support;

/// <summary>
/// Compares text with an approved copy beside the test (__snapshots__/NAME.snap). The only place that knows the snapshot
/// library. A text that differs is written to __snapshots__/__mismatch__; to approve it, move it up one folder.
/// To approve a first text, run the test once with MAMBA_NEW_SNAPSHOTS=1.
/// </summary>
internal static class Approved
{
    public static void Text(string text, string name)
    {
        // Without strict mode a missing snapshot is written and the test passes, so a deleted file would go unnoticed.
        if (Environment.GetEnvironmentVariable("MAMBA_NEW_SNAPSHOTS") != "1")
            Environment.SetEnvironmentVariable("SNAPSHOOTER_STRICT_MODE", "on");
        Snapshot.Match(text.ReplaceLineEndings("\n"), name);
    }
}
