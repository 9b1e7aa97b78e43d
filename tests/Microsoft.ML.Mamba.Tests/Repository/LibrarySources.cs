using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Microsoft.ML.Mamba.Tests.Repository;

/// <summary>One use of a foreign symbol in a source file of the library.</summary>
/// <param name="File">Path below src/Microsoft.ML.Mamba.</param>
/// <param name="Line">1-based.</param>
/// <param name="Symbol">What is used, as C# writes it.</param>
/// <param name="Target">The layer or the assembly that declares it.</param>
/// <param name="Namespace">Namespace of the symbol.</param>
internal sealed record SymbolUse(string File, int Line, string Symbol, string Target, string Namespace)
{
    public override string ToString() => $"{File}({Line}): {Symbol} of {Target}";
}

/// <summary>
/// The sources of src/Microsoft.ML.Mamba, compiled in memory so that every name can be asked for its declaration: types of
/// Microsoft.ML are in scope without a using directive inside namespace Microsoft.ML.Mamba, so reading usings would miss them.
/// </summary>
internal sealed class LibrarySources
{
    private const string Folder = "src/Microsoft.ML.Mamba";
    private const string ImplicitUsings = """
        global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq;
        global using System.Net.Http; global using System.Threading; global using System.Threading.Tasks;
        """;

    private static readonly Lazy<LibrarySources> Compiled = new(Compile);

    private readonly CSharpCompilation _compilation;

    private LibrarySources(CSharpCompilation compilation) => _compilation = compilation;

    /// <summary>The sources as they were when the first test asked.</summary>
    public static LibrarySources Current => Compiled.Value;

    private static LibrarySources Compile()
    {
        var trees = RepositoryFiles.Below(Folder, ".cs")
            .Select(f => CSharpSyntaxTree.ParseText(RepositoryFiles.Read(f), path: f[(Folder.Length + 1)..]))
            .Append(CSharpSyntaxTree.ParseText(ImplicitUsings, path: "ImplicitUsings"));
        var references = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(a => Path.GetFileName(a) is not ("Microsoft.ML.Mamba.dll" or "Microsoft.ML.Mamba.Tests.dll"))
            .Select(a => MetadataReference.CreateFromFile(a));
        return new LibrarySources(CSharpCompilation.Create("Microsoft.ML.Mamba", trees, references,
            new CSharpCompilationOptions(OutputKind.DynamicallyLinkedLibrary, metadataImportOptions: MetadataImportOptions.All,
                nullableContextOptions: NullableContextOptions.Enable)));
    }

    /// <summary>The layer of a file: its folder; a file at the root names its layer here.</summary>
    public static string LayerOf(string file) => file.Contains('/') ? file[..file.IndexOf('/')] : file switch
    {
        "MambaCatalog.cs" => "Pipeline",
        "MambaEnvironment.cs" or "MambaDiagnosis.cs" => "Environment",
        _ => file,
    };

    /// <summary>Every use of a symbol that another layer or a package declares; .NET's own are left out.</summary>
    public IEnumerable<SymbolUse> Uses()
    {
        foreach (var tree in _compilation.SyntaxTrees.Where(t => t.FilePath.EndsWith(".cs", StringComparison.Ordinal)))
        {
            var model = _compilation.GetSemanticModel(tree);
            foreach (var name in tree.GetRoot().DescendantNodes().OfType<SimpleNameSyntax>())
            {
                var info = model.GetSymbolInfo(name);
                // Members that ML.NET keeps internal are no accessible symbols here, but they are the only candidates.
                var symbol = info.Symbol ?? info.CandidateSymbols.FirstOrDefault();
                if (symbol is null or INamespaceSymbol or ILocalSymbol or IParameterSymbol or IRangeVariableSymbol or ITypeParameterSymbol)
                    continue;
                var target = TargetOf(symbol, tree.FilePath);
                if (target != null)
                {
                    yield return new SymbolUse(tree.FilePath, tree.GetLineSpan(name.Span).StartLinePosition.Line + 1,
                        symbol.ToDisplayString(SymbolDisplayFormat.CSharpShortErrorMessageFormat), target,
                        symbol.ContainingNamespace?.ToDisplayString() ?? "");
                }
            }
        }
    }

    /// <summary>Where something becomes an object of a type implicitly, other than as the value of a variable or field of that type.</summary>
    public IEnumerable<string> ConversionsOutsideVariables(string type) =>
        from tree in _compilation.SyntaxTrees
        let model = _compilation.GetSemanticModel(tree)
        from expression in tree.GetRoot().DescendantNodes().OfType<ExpressionSyntax>()
        let info = model.GetTypeInfo(expression)
        where info.ConvertedType?.ToDisplayString() == type && info.Type?.ToDisplayString() != type
        where expression.Parent is not (EqualsValueClauseSyntax or MemberAccessExpressionSyntax)
        select Place(tree, expression);

    /// <summary>The methods and operators of an assembly that these sources call.</summary>
    public IEnumerable<(string Where, MethodBase Method)> ForeignMethods(string assembly)
    {
        foreach (var tree in _compilation.SyntaxTrees)
        {
            var model = _compilation.GetSemanticModel(tree);
            foreach (var node in tree.GetRoot().DescendantNodes().OfType<ExpressionSyntax>())
            {
                if (model.GetSymbolInfo(node).Symbol?.OriginalDefinition is IMethodSymbol { MethodKind: not MethodKind.BuiltinOperator } method
                    && method.ContainingAssembly?.Name == assembly)
                    yield return (Place(tree, node), Loaded(method.ReducedFrom ?? method));
            }
        }
    }

    private static MethodBase Loaded(IMethodSymbol method)
    {
        var type = Assembly.Load(method.ContainingAssembly.Name).GetType(MetadataName(method.ContainingType), throwOnError: true)!;
        return type.GetMembers(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
            .OfType<MethodBase>()
            .FirstOrDefault(m => m.MetadataToken == method.MetadataToken) ?? throw new InvalidOperationException($"{method} of {type} has token {method.MetadataToken}.");
    }

    private static string MetadataName(INamedTypeSymbol type) =>
        type.ContainingType is { } outer ? $"{MetadataName(outer)}+{type.MetadataName}" : $"{type.ContainingNamespace.ToDisplayString()}.{type.MetadataName}";

    private static string Place(SyntaxTree tree, SyntaxNode node) =>
        $"{tree.FilePath}({tree.GetLineSpan(node.Span).StartLinePosition.Line + 1}): {node}";

    /// <summary>Members of ML.NET that are not public and that these sources use.</summary>
    public IEnumerable<string> InternalsOfMlNet() =>
        from tree in _compilation.SyntaxTrees
        let model = _compilation.GetSemanticModel(tree)
        from name in tree.GetRoot().DescendantNodes().OfType<SimpleNameSyntax>()
        let info = model.GetSymbolInfo(name)
        let symbol = (info.Symbol ?? info.CandidateSymbols.FirstOrDefault())?.OriginalDefinition
        where symbol is not null and not INamespaceSymbol and not IParameterSymbol && symbol.DeclaringSyntaxReferences.IsEmpty && !IsVisible(symbol)
        let assembly = symbol.ContainingAssembly?.Name ?? ""
        where assembly.StartsWith("Microsoft.ML", StringComparison.Ordinal)
        select $"{assembly}: {symbol.ToDisplayString(SymbolDisplayFormat.CSharpShortErrorMessageFormat)}";

    /// <summary>Public and protected members of the types in a layer, with the assemblies of all types in their signatures.</summary>
    public IEnumerable<(string Member, string Assembly)> PublicSignatures(params string[] layers)
    {
        foreach (var tree in _compilation.SyntaxTrees.Where(t => layers.Contains(LayerOf(t.FilePath))))
        {
            var model = _compilation.GetSemanticModel(tree);
            foreach (var declaration in tree.GetRoot().DescendantNodes().OfType<MemberDeclarationSyntax>())
            {
                var declared = declaration is BaseFieldDeclarationSyntax field
                    ? field.Declaration.Variables.Select(v => model.GetDeclaredSymbol(v))
                    : [model.GetDeclaredSymbol(declaration)];
                foreach (var symbol in declared.OfType<ISymbol>().Where(IsVisible))
                {
                    foreach (var type in TypesOf(symbol))
                        yield return (symbol.ToDisplayString(), type.ContainingAssembly?.Name ?? "");
                }
            }
        }
    }

    private static string? TargetOf(ISymbol symbol, string file)
    {
        var declared = symbol.OriginalDefinition.DeclaringSyntaxReferences.FirstOrDefault()?.SyntaxTree.FilePath;
        if (declared != null)
            return LayerOf(declared) == LayerOf(file) ? null : LayerOf(declared);
        var assembly = symbol.OriginalDefinition.ContainingAssembly?.Name;
        return assembly == null || IsDotNet(assembly) ? null : assembly;
    }

    private static bool IsDotNet(string assembly) =>
        assembly == "mscorlib" || assembly == "netstandard" || (assembly.StartsWith("System.", StringComparison.Ordinal) && assembly != "System.CodeDom");

    private static bool IsVisible(ISymbol symbol)
    {
        for (var s = symbol; s is not null and not INamespaceSymbol; s = s.ContainingSymbol)
        {
            if (s.DeclaredAccessibility is not (Accessibility.Public or Accessibility.Protected or Accessibility.ProtectedOrInternal))
                return false;
        }
        return true;
    }

    private static IEnumerable<ITypeSymbol> TypesOf(ISymbol symbol) => (symbol switch
    {
        IMethodSymbol m => m.Parameters.Select(p => p.Type).Append(m.ReturnType),
        IPropertySymbol p => p.Parameters.Select(q => q.Type).Append(p.Type),
        IFieldSymbol f => [f.Type],
        IEventSymbol e => [e.Type],
        INamedTypeSymbol t => t.AllInterfaces.Concat<ITypeSymbol>(t.BaseType is null ? [] : [t.BaseType]),
        _ => [],
    }).SelectMany(Flatten);

    private static IEnumerable<ITypeSymbol> Flatten(ITypeSymbol type) => type switch
    {
        IArrayTypeSymbol a => Flatten(a.ElementType),
        INamedTypeSymbol { IsGenericType: true } g => g.TypeArguments.SelectMany(Flatten).Append(g),
        _ => [type],
    };
}
