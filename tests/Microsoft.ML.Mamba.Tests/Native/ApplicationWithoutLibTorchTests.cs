using Microsoft.ML.Mamba.Checkpoints;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Tests.Support;

namespace Microsoft.ML.Mamba.Tests.Native;

/// <summary>Every way into the library ends with the one exception that explains, in an application that has no libtorch.</summary>
public sealed class ApplicationWithoutLibTorchTests(ApplicationWithoutLibTorch application) : IClassFixture<ApplicationWithoutLibTorch>
{
    [Fact]
    public Task Building_a_model_explains() => Explains(() => new MambaModel(new MambaConfig { VocabSize = 4 }, seed: 1));

    [Fact]
    public Task Building_a_classifier_explains() =>
        Explains(() => new MambaForSequenceClassification(new MambaConfig { VocabSize = 4 }, MambaPooling.Mean, outputs: 2, dropout: 0, seed: 1));

    [Fact]
    public Task Making_a_batch_explains() => Explains(() => SequenceInput.FromIds([1, 2], rows: 1, length: 2, lengths: [2]));

    [Fact]
    public Task Reading_a_checkpoint_explains() => Explains(() =>
    {
        byte[] file = [8, 0, 0, 0, 0, 0, 0, 0, .. "{}      "u8];
        return SafeTensors.Read(new MemoryStream(file), file.Length);
    });

    [Fact]
    public async Task A_diagnosis_tells_the_problem_and_everything_else()
    {
        string text = (await FreshProcess.RunIn(application.Folder, PrintDiagnosis)).Success();

        Assert.Contains("libtorch           not usable", text);
        Assert.Contains($"runtime            .NET {Environment.Version}", text);
        Assert.Contains("problem            Mamba needs libtorch through TorchSharp", text);
    }

    private async Task Explains(Func<object> use)
    {
        string text = (await FreshProcess.RunIn(application.Folder, PrintFailure, null, use.Method.DeclaringType!.FullName!, use.Method.Name)).Success();

        Assert.StartsWith("MambaNativeLibraryException: Mamba needs libtorch through TorchSharp, and it could not be loaded:", text);
    }

    private static void PrintFailure(string type, string method)
    {
        Type declaring = typeof(ApplicationWithoutLibTorchTests).Assembly.GetType(type, throwOnError: true)!;
        var use = declaring.GetMethod(method, (System.Reflection.BindingFlags)(-1))!
            .CreateDelegate<Func<object>>(Activator.CreateInstance(declaring, nonPublic: true));
        Exception? thrown = Record.Exception(use);
        Console.WriteLine($"{thrown?.GetType().Name}: {thrown?.Message}");
    }

    private static void PrintDiagnosis() => Console.WriteLine(MambaEnvironment.Diagnose());
}

/// <summary>
/// The managed files of this assembly's folder in a folder of their own. Without a list of dependencies an application takes
/// what lies beside it, and no native file does.
/// </summary>
public sealed class ApplicationWithoutLibTorch : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("mamba-test-");

    public ApplicationWithoutLibTorch()
    {
        string settings = Path.ChangeExtension(Path.GetFileName(typeof(FreshProcess).Assembly.Location), ".runtimeconfig.json");

        // The application's own list, not the folder's: other tests compile programs there meanwhile.
        string[] assemblies = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);
        foreach (string file in assemblies.Where(a => a.StartsWith(AppContext.BaseDirectory, StringComparison.Ordinal)).Append(Path.Combine(AppContext.BaseDirectory, settings)))
        {
            if (!file.Contains("LibTorchSharp", StringComparison.Ordinal) && !file.Contains("torch_cpu", StringComparison.Ordinal))
                File.Copy(file, Path.Combine(_folder.FullName, Path.GetFileName(file)));
        }
    }

    public string Folder => _folder.FullName;

    public void Dispose() => _folder.Delete(recursive: true);
}
