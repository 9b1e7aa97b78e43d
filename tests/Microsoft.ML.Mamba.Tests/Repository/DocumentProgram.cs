using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Microsoft.ML.Mamba.Tests.Repository;

/// <summary>
/// The ```csharp blocks of one page, in their order, as one console program with implicit usings: using directives first, then
/// the statements, then the types.
/// </summary>
internal sealed class DocumentProgram
{
    private const string Fence = "```";
    private const string ImplicitUsings = """
        global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq;
        global using System.Net.Http; global using System.Threading; global using System.Threading.Tasks;
        """;

    private readonly string _name;
    private readonly string _source;

    private DocumentProgram(string name, string source)
    {
        _name = name;
        _source = source;
    }

    public static DocumentProgram Of(string page)
    {
        var blocks = CodeBlocks(RepositoryFiles.Read(page)).Select(code => CSharpSyntaxTree.ParseText(code).GetCompilationUnitRoot()).ToArray();
        var usings = blocks.SelectMany(b => b.Usings).Select(u => u.ToString()).Distinct();
        var statements = blocks.SelectMany(b => b.Members).OfType<GlobalStatementSyntax>().Select(s => s.ToFullString());
        var types = blocks.SelectMany(b => b.Members).Where(m => m is not GlobalStatementSyntax).Select(t => t.ToFullString());
        return new DocumentProgram("Snippets." + page.Replace('/', '.').Replace(".md", ""), string.Join('\n', [.. usings, .. statements, .. types]));
    }

    public bool IsEmpty => _source.Length == 0;

    /// <summary>Compiles the program beside the tests, so that it finds the same assemblies. Returns the file.</summary>
    public string Compile()
    {
        var file = Path.Combine(AppContext.BaseDirectory, _name + ".dll");
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(a => Path.GetFileName(a) != "Microsoft.ML.Mamba.Tests.dll")
            .Select(a => MetadataReference.CreateFromFile(a));
        var result = CSharpCompilation.Create(_name, [CSharpSyntaxTree.ParseText(ImplicitUsings), CSharpSyntaxTree.ParseText(_source)], references,
            new CSharpCompilationOptions(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable)).Emit(file);
        var errors = result.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error).Select(d => d.ToString());
        Assert.True(result.Success, $"{_name} does not compile:\n{string.Join('\n', errors)}\n\n{_source}");
        return file;
    }

    /// <summary>Runs a compiled program in a process and a folder of its own. Returns what it printed.</summary>
    public static string Run(string file, string folder)
    {
        var tests = Path.Combine(AppContext.BaseDirectory, "Microsoft.ML.Mamba.Tests");
        var (exitCode, output, errors) = ConsoleProgram.Run(
            folder, "exec", "--runtimeconfig", tests + ".runtimeconfig.json", "--depsfile", tests + ".deps.json", file);
        Assert.True(exitCode == 0, $"{Path.GetFileName(file)} ended with {exitCode}:\n{output}\n{errors}");
        return output;
    }

    private static IEnumerable<string> CodeBlocks(string markdown)
    {
        var code = new List<string>();
        var inside = false;
        foreach (var line in markdown.Split('\n').Select(l => l.TrimEnd('\r')))
        {
            if (!inside)
            {
                inside = line.Trim() == Fence + "csharp";
            }
            else if (line.Trim() == Fence)
            {
                yield return string.Join('\n', code);
                code.Clear();
                inside = false;
            }
            else
            {
                code.Add(line);
            }
        }
    }
}
