using System.ComponentModel;
using System.Reflection;

namespace Microsoft.ML.Mamba.Benchmarks;

/// <summary>Sets a property that is named on the command line: <c>Training.Epochs=30</c>, <c>Model.DModel=96</c>, <c>Pooling=Attention</c>.</summary>
internal static class SettingOverride
{
    /// <exception cref="ArgumentException">There is no such property, or the value does not fit it.</exception>
    public static void Apply(object target, string setting)
    {
        int equals = setting.IndexOf('=', StringComparison.Ordinal);
        if (equals < 1)
            throw new ArgumentException($"--set {setting}: expected NAME=VALUE, for example Training.LearningRate=1e-3.");

        string[] path = setting[..equals].Split('.');
        foreach (string part in path[..^1])
            target = PropertyOf(target, part, setting).GetValue(target)!;
        PropertyInfo property = PropertyOf(target, path[^1], setting);
        try
        {
            property.SetValue(target, TypeDescriptor.GetConverter(property.PropertyType).ConvertFromInvariantString(setting[(equals + 1)..]));
        }
        catch (Exception e) when (e is FormatException or ArgumentException or NotSupportedException)
        {
            throw new ArgumentException($"--set {setting}: the value is no {property.PropertyType.Name}.", e);
        }
    }

    private static PropertyInfo PropertyOf(object target, string name, string setting) =>
        target.GetType().GetProperty(name) is { CanWrite: true } property ? property
        : throw new ArgumentException($"--set {setting}: {target.GetType().Name} has no setting {name}; it has "
            + string.Join(", ", target.GetType().GetProperties().Where(p => p.CanWrite).Select(p => p.Name)) + ".");
}
