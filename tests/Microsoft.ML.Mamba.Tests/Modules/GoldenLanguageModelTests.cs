using Microsoft.ML.Mamba.Checkpoints;
using Microsoft.ML.Mamba.Modules;
using Microsoft.ML.Mamba.Ops;
using Microsoft.ML.Mamba.Tests.Support;
using TorchSharp;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Tests.Modules;

/// <summary>Whole language models against the numbers of the official implementation, on every backend.</summary>
public sealed class GoldenLanguageModelTests
{
    [SkippableTheory]
    [MemberData(nameof(Cases))]
    public void Logits_and_hidden_states_are_those_of_the_official_model(string name, string backend)
    {
        using var force = KernelBackends.Force(backend);
        using var golden = GoldenFile.Read($"lm/{name}/reference");
        using var model = GoldenLanguageModel.Read(name);
        using var noGradient = no_grad();
        using var input = SequenceInput.FromIds(golden["input_ids"].alias());

        using var hidden = model.Backbone.forward(input);
        using var logits = model.forward(input);

        golden.AssertMatches("final_hidden", hidden);
        golden.AssertMatches("logits", logits);
    }

    public static TheoryData<string, string> Cases()
    {
        var cases = new TheoryData<string, string>();
        foreach (var name in GoldenLanguageModel.Names)
        {
            foreach (var backend in KernelBackends.All)
                cases.Add(name, backend.Name);
        }

        return cases;
    }
}
