namespace Microsoft.ML.Mamba.Tests.Support;

/// <summary>Tests of state that the whole process shares (numbers of live tensors, global generators): no other test runs meanwhile.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;
