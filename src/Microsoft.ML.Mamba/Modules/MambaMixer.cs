using Microsoft.ML.Mamba.Ops;
using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Microsoft.ML.Mamba.Modules;

/// <summary>
/// The Mamba-1 mixer, figure 3 of the paper from left to right: project in, convolve, select, scan, gate, project out.
/// With MixerNormEpsilon above 0 that of Falcon-Mamba: what is selected passes through norms without weights first.
/// (B, L, DModel) → (B, L, DModel). Source: <c>Mamba.forward</c> of state-spaces/mamba e9594ce, <c>mamba_simple.py</c>.
/// State: in_proj.weight (2·DInner, DModel) giving x then z; conv1d.weight (DInner, 1, DConv), conv1d.bias (DInner);
/// x_proj.weight (DtRank + 2·DState, DInner) giving dt, B, C; dt_proj.weight (DInner, DtRank), dt_proj.bias (DInner);
/// A_log (DInner, DState); D (DInner); out_proj.weight (DModel, DInner); in_proj.bias and out_proj.bias with UseBias.
/// </summary>
public sealed class MambaMixer : nn.Module<Tensor, Tensor>
{
    private readonly long[] _selection;

    /// <summary>Those that another mixer owns and this one only uses; in a tuple, they are no components of this one.</summary>
    private readonly (LinearProjection In, LinearProjection Out)? _tied;

    [ComponentName(Name = "in_proj")]
    private readonly LinearProjection? _ownInProjection;

    [ComponentName(Name = "conv1d")]
    private readonly DepthwiseConvolution _convolution;

    [ComponentName(Name = "x_proj")]
    private readonly LinearProjection _selectProjection;

    [ComponentName(Name = "dt_norm")]
    private readonly UnitNorm? _rankNorm;

    [ComponentName(Name = "bc_norm")]
    private readonly UnitNorm? _stateNorm;

    [ComponentName(Name = "dt_proj")]
    private readonly LinearProjection _stepProjection;

    [ComponentName(Name = "A_log")]
    private readonly Parameter _aLog;

    [ComponentName(Name = "D")]
    private readonly Parameter _d;

    [ComponentName(Name = "out_proj")]
    private readonly LinearProjection? _ownOutProjection;

    /// <summary>Builds a mixer with the official initial values.</summary>
    /// <param name="config">The architecture.</param>
    /// <param name="seed">Seed of the initial values.</param>
    /// <exception cref="ArgumentException">The architecture is not valid.</exception>
    public MambaMixer(MambaConfig config, int seed)
        : this(config, new Initialisation(seed))
    {
    }

    /// <param name="config">The architecture.</param>
    /// <param name="init">Initial values.</param>
    /// <param name="tied">Projections of another mixer that this one uses instead of its own.</param>
    internal MambaMixer(MambaConfig config, Initialisation init, (LinearProjection In, LinearProjection Out)? tied = null)
        : base(TorchLibrary.Loaded(nameof(MambaMixer)))
    {
        config.Validate();
        Config = config;
        int inner = config.DInner, rank = config.EffectiveDtRank;
        _selection = [rank, config.DState, config.DState];
        _tied = tied;
        if (tied is null)
            _ownInProjection = new(init.Linear(2 * inner, config.DModel), config.UseBias ? Initialisation.Constant(0, 2 * inner) : null);
        var taps = 1 / Math.Sqrt(config.DConv);
        _convolution = new(init.Uniform(taps, inner, 1, config.DConv), config.UseConvBias ? init.Uniform(taps, inner) : null);
        _selectProjection = new(init.Linear(rank + 2 * config.DState, inner), null);
        if (config.MixerNormEpsilon > 0)
            (_rankNorm, _stateNorm) = (new(rank, config.MixerNormEpsilon), new(config.DState, config.MixerNormEpsilon));
        _stepProjection = new(
            init.Uniform(Math.Pow(rank, -0.5), inner, rank), init.StepSizeBias(inner, config.DtMin, config.DtMax, config.DtFloor));
        _aLog = Initialisation.DecayLogs(inner, config.DState);
        _d = Initialisation.Constant(1, inner);
        if (tied is null)
        {
            _ownOutProjection = new(
                init.Linear(config.DModel, inner, 1 / Math.Sqrt(config.NLayer)), config.UseBias ? Initialisation.Constant(0, config.DModel) : null);
        }

        RegisterComponents();
    }

    /// <summary>The architecture.</summary>
    public MambaConfig Config { get; }

    /// <summary>The projections into and out of the mixer, which another may share.</summary>
    internal (LinearProjection In, LinearProjection Out) Projections => _tied ?? (_ownInProjection!, _ownOutProjection!);

    /// <summary>Mixes a whole sequence that has nothing before it.</summary>
    /// <param name="input">(B, L, DModel).</param>
    /// <returns>(B, L, DModel).</returns>
    public override Tensor forward(Tensor input) => Forward(input, null, returnState: false).Y;

    /// <summary>Mixes a piece of a sequence.</summary>
    /// <param name="input">(B, L, DModel).</param>
    /// <param name="before">State before the piece, or null for none. Left as it is.</param>
    /// <param name="returnState">Whether the state after the piece is wanted.</param>
    /// <returns>(B, L, DModel) and the state after the piece, null unless asked for. Gradients flow through both states.</returns>
    public (Tensor Y, LayerState? After) Forward(Tensor input, LayerState? before, bool returnState)
    {
        using var scope = NewDisposeScope();
        var projected = Projections.In.forward(input);                                      // (B, L, 2·DInner)
        if (is_grad_enabled() && before is null && !returnState && _rankNorm is null)
        {
            var interior = new MixerInputs(
                projected, _convolution.Filters(), _convolution.Bias, _selectProjection.Weight, _stepProjection.Weight, _stepProjection.Bias!, _aLog, _d);
            if (MixerFunction.Kernels(interior) is { } kernels)
                return (Projections.Out.forward(MixerFunction.Apply(kernels, interior)).MoveToOuterDisposeScope(), null);
        }

        var halves = projected.chunk(2, -1);                                                // 2 × (B, L, DInner)
        var (u, conv) = _convolution.Forward(halves[0], before?.Conv, returnState);         // (B, L, DInner)
        var (dt, b, c) = Select(_selectProjection.forward(u));                              // (B, L, DtRank), 2 × (B, L, DState)
        var delta = StepSizes(dt);                                                          // (B, L, DInner)
        var a = -exp(_aLog);                                                                // (DInner, DState)
        var (y, ssm) = SelectiveScan.Forward(
            u, delta, a, b, c, _d, halves[1], _stepProjection.Bias, deltaSoftplus: true, before?.Ssm, returnState);
        var output = Projections.Out.forward(y).MoveToOuterDisposeScope();                  // (B, L, DModel)
        return (output, returnState ? new LayerState(conv!.MoveToOuterDisposeScope(), ssm!.MoveToOuterDisposeScope()) : null);
    }

    /// <summary>Mixes one position and advances the state in place. Not differentiable.</summary>
    /// <param name="input">(B, DModel).</param>
    /// <param name="state">State before the position; after it when this returns.</param>
    /// <returns>(B, DModel).</returns>
    public Tensor Step(Tensor input, LayerState state)
    {
        ArgumentNullException.ThrowIfNull(state);
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var projected = Projections.In.Step(input);                                         // (B, 2·DInner)
        var u = _convolution.Step(state.Conv, projected.narrow(1, 0, Config.DInner));       // (B, DInner)
        var (dt, b, c) = Select(_selectProjection.Step(u));                                 // (B, DtRank), 2 × (B, DState)
        var delta = LinearProjection.Step(dt, _stepProjection.Weight);                      // (B, DInner)
        var y = SelectiveStateUpdate.Step(
            state.Ssm, u, delta, _aLog, b, c, _d, projected.narrow(1, Config.DInner, Config.DInner), _stepProjection.Bias,
            deltaSoftplus: true, aIsLog: true);
        return Projections.Out.Step(y).MoveToOuterDisposeScope();                           // (B, DModel)
    }

    /// <summary>Keeps the matrices in another type from now on; see <see cref="LinearProjection.ConvertWeight"/>.</summary>
    internal void ConvertMatrices(ScalarType type)
    {
        foreach (var projection in (LinearProjection[])[Projections.In, _selectProjection, _stepProjection, Projections.Out])
            projection.ConvertWeight(type);
    }

    /// <summary>What a step through a whole stack of blocks needs of this one.</summary>
    /// <param name="norm">Weight of the norm in front.</param>
    /// <param name="state">State before the position.</param>
    internal BlockStepOperands StepOperands(Tensor norm, LayerState state) => new(
        norm, Projections.In.Weight, Projections.In.Bias, _convolution.Weight, _convolution.Bias, _selectProjection.Weight, _stepProjection.Weight, _stepProjection.Bias,
        _aLog, _d, Projections.Out.Weight, Projections.Out.Bias, state.Conv, state.Ssm);

    /// <summary>The state before the first position: zeros.</summary>
    /// <param name="batch">B.</param>
    public LayerState NewState(long batch) => NewState(batch, _aLog.dtype);

    /// <summary>The same for inputs of another type than the weights': that of the convolution's state, which keeps inputs. The scan's is the weights'.</summary>
    internal LayerState NewState(long batch, ScalarType inputs)
    {
        var (type, device) = (_aLog.dtype, _aLog.device);
        return new LayerState(
            zeros(batch, Config.DConv - 1, Config.DInner, dtype: inputs, device: device).DetachFromDisposeScope(),
            zeros(batch, Config.DInner, Config.DState, dtype: type, device: device).DetachFromDisposeScope());
    }

    private (Tensor Dt, Tensor B, Tensor C) Select(Tensor projected)
    {
        var selection = projected.split(_selection, -1);
        return _rankNorm is null
            ? (selection[0], selection[1], selection[2])
            : (_rankNorm.forward(selection[0]), _stateNorm!.forward(selection[1]), _stateNorm.forward(selection[2]));
    }

    /// <summary>The bias is left to the scan, which adds it on the way to softplus.</summary>
    private Tensor StepSizes(Tensor lowRank)
    {
        var shape = lowRank.shape;
        var rows = lowRank.reshape(-1, shape[^1]);
        shape[^1] = Config.DInner;
        return LinearProjection.Multiply(rows, _stepProjection.Weight).view(shape);
    }
}
