using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Microsoft.ML.SearchSpace;

namespace Microsoft.ML.Mamba.Tests.Pipeline;

/// <summary>
/// What <c>new SearchSpace&lt;Options&gt;()</c> of ML.NET's AutoML does with the options. Its package (Microsoft.ML.AutoML) is no
/// dependency of ours, so its discovery is repeated here: one attribute per property, nested objects by NestOption, values
/// handed back through System.Text.Json with enums as text.
/// </summary>
public sealed class SearchSpaceTests
{
    private static readonly JsonSerializerOptions Json = new() { Converters = { new JsonStringEnumConverter() } };

    [Fact]
    public void The_space_has_the_settings_that_decide_most()
    {
        var names = Leaves(typeof(MambaMulticlassTrainer.Options)).Select(l => string.Join('.', l.Path));

        Assert.Superset(
            new HashSet<string> { "Model.DModel", "Model.NLayer", "Model.DState", "Training.LearningRate", "Training.WeightDecay", "Training.Dropout", "Training.Epochs", "Training.BatchSize", "Pooling" },
            names.ToHashSet());
    }

    [Theory]
    [InlineData(typeof(MambaMulticlassTrainer.Options))]
    [InlineData(typeof(MambaBinaryTrainer.Options))]
    [InlineData(typeof(MambaRegressionTrainer.Options))]
    public void Every_end_of_every_range_is_a_valid_option(Type options)
    {
        foreach (var leaf in Leaves(options))
        {
            foreach (var value in leaf.Ends)
                Create(options, [(leaf.Path, value)]);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void The_corners_of_the_space_are_valid_options(int end)
    {
        var leaves = Leaves(typeof(MambaMulticlassTrainer.Options)).Select(l => (l.Path, l.Ends[end == 0 ? 0 : ^1])).ToArray();

        var options = (MambaMulticlassTrainer.Options)Create(typeof(MambaMulticlassTrainer.Options), leaves);

        Assert.Equal(end == 0 ? 16 : 512, options.Model.DModel);
        Assert.Equal(end == 0 ? MambaPooling.Mean : MambaPooling.Attention, options.Pooling);
    }

    [Fact]
    public void Every_default_lies_inside_its_range()
    {
        foreach (var leaf in Leaves(typeof(MambaMulticlassTrainer.Options)))
        {
            object value = new MambaMulticlassTrainer.Options();
            foreach (var step in leaf.Path)
                value = value.GetType().GetProperty(step)!.GetValue(value)!;
            Assert.True(leaf.Holds(value), $"{string.Join('.', leaf.Path)}: {value}");
        }
    }

    private static object Create(Type type, IEnumerable<(string[] Path, object Value)> values)
    {
        var root = new JsonObject();
        foreach (var (path, value) in values)
        {
            var at = root;
            foreach (var step in path[..^1])
                at = (JsonObject)(at[step] ??= new JsonObject());
            at[path[^1]] = JsonSerializer.SerializeToNode(value, value.GetType(), Json);
        }

        var options = JsonSerializer.Deserialize(root.ToJsonString(), type, Json)!;
        var ml = new MLContext();
        IEstimator<ITransformer> trainer = options switch
        {
            MambaMulticlassTrainer.Options o => ml.MulticlassClassification.Trainers.Mamba(o),
            MambaBinaryTrainer.Options o => ml.BinaryClassification.Trainers.Mamba(o),
            _ => ml.Regression.Trainers.Mamba((MambaRegressionTrainer.Options)options),
        };
        Assert.NotNull(trainer);
        return options;
    }

    private static IEnumerable<Leaf> Leaves(Type type, params string[] path)
    {
        foreach (var property in type.GetProperties(BindingFlags.Public | BindingFlags.Instance))
        {
            string[] here = [.. path, property.Name];
            var attributes = property.GetCustomAttributes(false).Where(a => a is RangeAttribute or ChoiceAttribute or BooleanChoiceAttribute or NestOptionAttribute).ToArray();
            Assert.True(attributes.Length <= 1, $"{property.Name} has more than one attribute of a search space");
            switch (attributes.SingleOrDefault())
            {
                case NestOptionAttribute:
                    foreach (var leaf in Leaves(property.PropertyType, here))
                        yield return leaf;
                    break;
                case RangeAttribute range:
                    // A range of floats on an integer is found and then cannot be read back.
                    Assert.Equal(property.PropertyType, range.Min.GetType());
                    yield return new Leaf(here, [range.Min, range.Max]);
                    break;
                case ChoiceAttribute choice:
                    Assert.All(choice.Candidates, c => Assert.Equal(property.PropertyType, c.GetType()));
                    yield return new Leaf(here, choice.Candidates);
                    break;
                case BooleanChoiceAttribute:
                    yield return new Leaf(here, [false, true]);
                    break;
            }
        }
    }

    private sealed record Leaf(string[] Path, object[] Ends)
    {
        public bool Holds(object value) => Ends.Contains(value) || (value is IComparable number && Ends.Length == 2 && number.CompareTo(Ends[0]) >= 0 && number.CompareTo(Ends[1]) <= 0);
    }
}
