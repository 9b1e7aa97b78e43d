using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.ML.Mamba.Kernels.Cuda;

namespace Microsoft.ML.Mamba.Kernels.Tests.Cuda;

public partial class CudaParametersTests
{
    /// <summary>offsetof without a header, and what tells pointers, integers and floating-point numbers of one size apart.</summary>
    private const string Questions = """
        #define OFFSET(type, field) __INTADDR__(&((type*)0)->field)
        template <class T> struct kind_of { static constexpr int value = 0; };
        template <class T> struct kind_of<T*> { static constexpr int value = 1; };
        template <class T> struct kind_of<T* __restrict__> { static constexpr int value = 1; };
        template <> struct kind_of<long long> { static constexpr int value = 2; };
        template <> struct kind_of<int> { static constexpr int value = 3; };
        template <> struct kind_of<float> { static constexpr int value = 4; };
        template <> struct kind_of<double> { static constexpr int value = 5; };

        """;

    private static readonly Type[] Twins = [.. typeof(CudaDevice).Assembly.GetTypes().Where(type => type.GetCustomAttribute<CudaParametersAttribute>() is not null)];

    public static TheoryData<string> Names { get; } = [.. Twins.Select(type => type.Name).Order(StringComparer.Ordinal)];

    [SkippableTheory]
    [MemberData(nameof(Names))]
    public void A_parameter_structure_and_its_twin_agree_in_size_offsets_and_types(string twin)
    {
        var compiler = Compiler.SkipIfMissing();
        var type = Twins.Single(type => type.Name == twin);
        var (source, defines) = SourceWith(type.GetCustomAttribute<CudaParametersAttribute>()!.Source);

        compiler.Compile(
            $"{source.Name} and {twin}", source.Text + Questions + Assertions(type), CudaSource.Headers,
            ["--gpu-architecture=compute_80", "--std=c++17", .. defines.Select(define => "-D" + define)], toPtx: true);
    }

    [SkippableFact]
    public void A_difference_is_found()
    {
        var compiler = Compiler.SkipIfMissing();
        var source = "struct Twin { long long rows; float epsilon; };\n" + Questions;
        string Compile(string assertion) => Encoding.UTF8.GetString(compiler.Compile("twin", source + assertion, [], ["--gpu-architecture=compute_80", "--std=c++17"], toPtx: true));

        Compile("""static_assert(OFFSET(Twin, epsilon) == 8 && kind_of<decltype(Twin::epsilon)>::value == 4, "epsilon");""");
        Assert.Contains("epsilon", Assert.Throws<CudaException>(() => Compile("""static_assert(OFFSET(Twin, epsilon) == 4, "epsilon");""")).Message);
        Assert.Contains("epsilon", Assert.Throws<CudaException>(() => Compile("""static_assert(kind_of<decltype(Twin::epsilon)>::value == 3, "epsilon");""")).Message);
    }

    [Fact]
    public void Every_kernel_takes_a_structure_that_has_a_twin()
    {
        var taken = CudaSource.Names(".cu").SelectMany(name => Parameter().Matches(CudaSource.Read(name).Text).Select(match => match.Groups["name"].Value));
        var known = Twins.Select(type => type.GetCustomAttribute<CudaParametersAttribute>()!.Name);

        Assert.Empty(taken.Except(known));
    }

    /// <summary>A source in which the file's structures are declared, with macros under which it compiles.</summary>
    private static (CudaSource Source, string[] Defines) SourceWith(string file)
    {
        foreach (var variant in CudaKernelVariants.All)
        {
            var source = CudaSource.Read(variant.Source + ".cu");
            if (source.Name == file || source.Text.Contains($"#include \"{file}\"", StringComparison.Ordinal))
            {
                return (source, variant.Defines);
            }
        }

        throw new InvalidOperationException($"No variant's source is or includes {file}.");
    }

    private static string Assertions(Type type)
    {
        var attribute = type.GetCustomAttribute<CudaParametersAttribute>()!;
        var declared = FieldsOf(attribute);
        var fields = type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic).OrderBy(field => (long)Marshal.OffsetOf(type, field.Name)).ToArray();
        Assert.Equal(declared.Select(Plain), fields.Select(field => Plain(field.Name)));

        var text = new StringBuilder($"static_assert(sizeof({attribute.Name}) == {Marshal.SizeOf(type)}, \"size\");\n");
        foreach (var (name, field) in declared.Zip(fields))
        {
            text.Append($"static_assert(OFFSET({attribute.Name}, {name}) == {Marshal.OffsetOf(type, field.Name)}, \"offset of {name}\");\n")
                .Append($"static_assert(kind_of<decltype({attribute.Name}::{name})>::value == {Kind(field.FieldType)}, \"type of {name}\");\n");
        }

        return text.ToString();
    }

    private static string[] FieldsOf(CudaParametersAttribute attribute)
    {
        var text = Comment().Replace(CudaSource.Read(attribute.Source).Text, "");
        var body = Regex.Match(text, $@"\bstruct\s+{Regex.Escape(attribute.Name)}\s*\{{(?<body>[^{{}}]*)\}}");
        Assert.True(body.Success, $"{attribute.Source} declares no struct {attribute.Name} of plain fields.");
        return [.. Field().Matches(body.Groups["body"].Value).Select(match => match.Groups["name"].Value)];
    }

    private static string Plain(string name) => name.Replace("_", "", StringComparison.Ordinal).ToUpperInvariant();

    private static int Kind(Type type) =>
        type == typeof(nint) ? 1
        : type == typeof(long) ? 2
        : type == typeof(int) ? 3
        : type == typeof(float) ? 4
        : type == typeof(double) ? 5
        : throw new InvalidOperationException($"Parameter structures hold nint, long, int, float and double; found {type}.");

    [GeneratedRegex(@"//[^\n]*|/\*.*?\*/", RegexOptions.Singleline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"(?<name>\w+)\s*[;,]")]
    private static partial Regex Field();

    [GeneratedRegex(@"__grid_constant__\s+(const\s+)?(?<name>\w+)")]
    private static partial Regex Parameter();
}
