using TorchSharp;

namespace Microsoft.ML.Mamba.Tests.Native;

public class MambaEnvironmentTests
{
    [Fact]
    public void A_diagnosis_of_a_working_machine_names_libtorch_and_its_cpu()
    {
        MambaDiagnosis found = MambaEnvironment.Diagnose();

        Assert.Null(found.Problem);
        Assert.Contains("cpu", found.Devices);
        Assert.True(File.Exists(found.LibTorchLibrary), found.ToString());
        Assert.True(File.Exists(found.TorchSharpLibrary), found.ToString());
        Assert.True(found.TorchThreads > 0);
    }

    [Fact]
    public void Tensors_work_after_loading()
    {
        MambaEnvironment.LoadLibTorch();

        using torch.Tensor sum = torch.ones(3).sum();

        Assert.Equal(3f, sum.item<float>());
    }
}
