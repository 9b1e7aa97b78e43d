namespace Microsoft.ML.Mamba.Tests.Repository;

/// <summary>
/// No Scalar of TorchSharp may be left to the collector while libtorch reads it: it would end in a crash or, rarely, a wrong number.
/// </summary>
public sealed class HeldScalarsTests
{
    [Fact]
    public void Every_number_that_becomes_a_Scalar_is_held_in_a_variable()
    {
        var loose = LibrarySources.Current.ConversionsOutsideVariables("TorchSharp.Scalar");

        Assert.True(!loose.Any(), "Hold each in a `using Scalar`, or use HeldScalars:\n" + string.Join('\n', loose));
    }

    [Fact]
    public void No_method_of_TorchSharp_that_makes_Scalars_of_its_own_is_used()
    {
        var found = LibrarySources.Current.ForeignMethods("TorchSharp")
            .Where(m => m.Method.DeclaringType != typeof(TorchSharp.Scalar) && MadeScalars.By(m.Method))
            .Select(m => $"{m.Where}: {m.Method}").Distinct().ToArray();

        Assert.True(found.Length == 0, "These make a Scalar that nothing holds (see HeldScalars):\n" + string.Join('\n', found));
    }

    [Fact]
    public void Addition_and_squares_are_known_to_make_Scalars_and_products_are_not()
    {
        var tensor = typeof(TorchSharp.torch.Tensor);
        Assert.True(MadeScalars.By(tensor.GetMethod("op_Addition", [tensor, tensor])!));
        Assert.True(MadeScalars.By(tensor.GetMethod("square", [])!));
        Assert.True(MadeScalars.By(tensor.GetMethod("softplus", [typeof(double), typeof(double)])!));
        Assert.False(MadeScalars.By(tensor.GetMethod("op_Multiply", [tensor, tensor])!));
    }
}
