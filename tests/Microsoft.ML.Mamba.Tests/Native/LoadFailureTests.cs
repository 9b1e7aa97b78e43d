using Microsoft.ML.Mamba.Native;

namespace Microsoft.ML.Mamba.Tests.Native;

public class LoadFailureTests
{
    private static readonly (string, string?)[] AllFound = [("libLibTorchSharp.so", "/app/libLibTorchSharp.so"), ("libtorch_cpu.so", "/app/libtorch_cpu.so")];

    [Fact]
    public void A_missing_package_is_named_with_the_command_that_adds_it()
    {
        string text = Explain([("libLibTorchSharp.so", "/app/libLibTorchSharp.so"), ("libtorch_cpu.so", null)], said: null);

        Assert.Equal(
            """
            Mamba needs libtorch through TorchSharp, and it could not be loaded: the application references no libtorch package.
            Cure: add one to the application's project: dotnet add package TorchSharp-cpu --version 0.107.0 (or TorchSharp-cuda-linux, TorchSharp-cuda-windows).
              libLibTorchSharp.so: /app/libLibTorchSharp.so
              libtorch_cpu.so: not found
              Searched: /app, /app/runtimes/linux-x64/native
            """, text, ignoreLineEndingDifferences: true);
    }

    [Theory]
    [InlineData("linux-musl-x64")]
    [InlineData("linux-arm64")]
    [InlineData("osx-x64")]
    [InlineData("win-x86")]
    public void A_platform_without_a_native_library_is_named_with_those_that_have_one(string platform)
    {
        string text = Explain(AllFound, "whatever", platform);

        Assert.Contains($"TorchSharp has no native library for {platform}.", text);
        Assert.Contains("linux-x64, osx-arm64, win-arm64, win-x64", text);
    }

    [Theory]
    [InlineData("/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.34' not found (required by /app/libLibTorchSharp.so)", "its C library lacks GLIBC_2.34", "Debian 12, Ubuntu 22.04, RHEL 9")]
    [InlineData("/lib/libstdc++.so.6: version `GLIBCXX_3.4.33' not found (required by /app/libLibTorchSharp.so)", "C++ library lacks GLIBCXX_3.4.33", "GCC 13")]
    [InlineData("libgomp.so.1: cannot open shared object file: No such file or directory", "depends on, libgomp.so.1, is not installed", "libgomp1")]
    [InlineData("/app/libc10.so: failed to map segment from shared object", "noexec", "folder whose file system")]
    [InlineData("/app/libLibTorchSharp.so: undefined symbol: _ZN2at4_ops", "different versions", "0.107.0")]
    [InlineData("something new", "refused it", "loader's own message")]
    public void What_the_loader_said_is_turned_into_cause_and_cure_and_quoted(string said, string cause, string cure)
    {
        string[] lines = Explain(AllFound, said).Split('\n');

        Assert.Contains(cause, lines[0]);
        Assert.Contains(cure, lines[1]);
        Assert.Contains(lines, line => line.Contains(said, StringComparison.Ordinal));
    }

    [Fact]
    public void An_unknown_file_that_needs_the_new_version_says_why_it_was_not_adapted()
    {
        string text = Explain(AllFound, $"version `{GlibcxxPatch.Version}' not found", refusal: "it has no symbol f");

        Assert.Contains($"lacks {GlibcxxPatch.Version}, and this libLibTorchSharp.so is not the one that can be adapted (it has no symbol f)", text);
    }

    private static string Explain((string, string?)[] libraries, string? said, string platform = "linux-x64", string? refusal = null) =>
        new LoadFailure(platform, "0.107.0", libraries, said, refusal, ["/app", "/app/runtimes/linux-x64/native"]).ToException().Message;
}
