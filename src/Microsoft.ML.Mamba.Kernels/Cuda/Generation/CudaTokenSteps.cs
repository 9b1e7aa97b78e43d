namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>
/// A few sequences that go on through a causal model token by token, each step in one launch. Memory beside the model and its states
/// is made once. For one thread at a time; the tensors behind the model's addresses must live as long.
/// </summary>
public sealed unsafe class CudaTokenSteps : IDisposable
{
    /// <summary>Sequences that one launch can advance.</summary>
    public const int MostRows = 8;

    internal const string Operation = "TokenSteps";

    private readonly CudaDevice _device;
    private readonly CudaTokenModel _model;
    private readonly CudaLaunch<CudaTokenStepArguments> _launch;
    private readonly CudaArray<CudaTokenBlockArguments> _table;

    /// <summary>Counts of the grid's blocks, then ids.</summary>
    private readonly CudaArray<int> _counts;

    private readonly CudaArray<float> _memory;

    /// <summary>Makes the memory.</summary>
    /// <param name="device">The GPU.</param>
    /// <param name="model">The model and the states that steps advance.</param>
    /// <exception cref="ArgumentException">A shape or a type does not fit.</exception>
    /// <exception cref="CudaException">The memory does not suffice, or the device cannot be used.</exception>
    public CudaTokenSteps(CudaDevice device, CudaTokenModel model)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(model);
        model.Require();
        (_device, _model) = (device, model);
        var dims = model.Dims;
        var sizes = new[] { dims.Model, dims.Channels, dims.Channels, dims.Selected, dims.Channels };
        _table = new(device, [.. model.Blocks.Select(block => block.Arguments)]);
        _counts = new(device, new int[device.Multiprocessors + dims.Batch]);
        _memory = new(device, dims.Batch * sizes.Sum());
        var parts = new nint[sizes.Length];
        var next = _memory.Address;
        for (var i = 0; i < sizes.Length; i++)
        {
            parts[i] = next;
            next += (nint)(dims.Batch * sizes[i] * sizeof(float));
        }

        var planned = CudaTokenStep.Plan(model, device.Multiprocessors);
        _launch = planned with
        {
            Arguments = planned.Arguments with
            {
                Blocks = _table.Address,
                Counts = _counts.Address,
                Ids = _counts.Address + device.Multiprocessors * sizeof(int),
                Stream = parts[0],
                U = parts[1],
                Gate = parts[2],
                Selected = parts[3],
                Y = parts[4],
            },
        };
    }

    /// <summary>Whether the GPU can run a model's steps: its blocks all run at once, and rows of matrices are whole vectors.</summary>
    /// <param name="device">The GPU.</param>
    /// <param name="model">The model.</param>
    public static bool CanRun(CudaDevice device, CudaTokenModel model)
    {
        ArgumentNullException.ThrowIfNull(device);
        ArgumentNullException.ThrowIfNull(model);
        if (!device.LaunchesCooperatively || !model.IsAligned)
        {
            return false;
        }

        var launch = CudaTokenStep.Plan(model, device.Multiprocessors);
        var kernel = launch.Variant.On(device);
        return launch.SharedBytes + kernel.StaticSharedBytes <= device.MaxSharedBytesPerBlock
            && kernel.ActiveBlocksPerMultiprocessor(launch.Threads, launch.SharedBytes) > 0;
    }

    /// <summary>Starts one step of all sequences; does not wait for it.</summary>
    /// <param name="ids">The next id of each sequence, below V.</param>
    /// <param name="position">Added to the vectors of the ids: (1, M) float32; absent = 0.</param>
    /// <param name="scores">Output: (B, V) float32 without gaps.</param>
    /// <exception cref="ArgumentException">There is another number of ids, one is outside the vocabulary, or a shape or a type does not fit.</exception>
    /// <exception cref="CudaException">The launch was refused, or an earlier one failed.</exception>
    public void Advance(ReadOnlySpan<int> ids, CudaRows position, CudaRows scores)
    {
        position.RequireDenseIfPresent(Operation, "position", "(1, M)", 1, _model.Dims.Model, CudaNumber.Float32);
        scores.RequireDense(Operation, "scores", "(B, V)", _model.Dims.Batch, _model.Embedding.Count, CudaNumber.Float32);
        if (ids.Length != _model.Dims.Batch || ids.ContainsAnyExceptInRange(0, checked((int)(_model.Embedding.Count - 1))))
        {
            throw new ArgumentException($"{Operation}: ids [{string.Join(", ", ids.ToArray())}]; expected {_model.Dims.Batch} of 0 to {_model.Embedding.Count - 1}.", nameof(ids));
        }

        _counts.CopyFrom(ids, start: _device.Multiprocessors);
        (_launch with { Arguments = _launch.Arguments with { Position = position.Address, Scores = scores.Address } }).On(_device);
    }

    /// <summary>Frees the memory; CUDA waits for running kernels first.</summary>
    public void Dispose()
    {
        _table.Dispose();
        _counts.Dispose();
        _memory.Dispose();
    }
}
