using System.IO;
using System.Linq;
using Microsoft.Build.Framework;
using Mono.Cecil;
using Task = Microsoft.Build.Utilities.Task;

/// <summary>Writes a copy of a reference assembly in which every type and member is public.</summary>
public sealed class OpenInternals : Task
{
    /// <summary>The assembly to copy.</summary>
    [Required]
    public string Source { get; set; }

    /// <summary>Where the copy goes.</summary>
    [Required]
    public string Target { get; set; }

    /// <summary>All assemblies of the compilation: constants of another assembly's enum need its definition.</summary>
    [Required]
    public ITaskItem[] References { get; set; }

    /// <inheritdoc />
    public override bool Execute()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Target));
        using (var resolver = new DefaultAssemblyResolver())
        {
            foreach (var folder in References.Select(r => Path.GetDirectoryName(r.ItemSpec)).Distinct())
                resolver.AddSearchDirectory(folder);
            Copy(resolver);
        }
        return true;
    }

    private void Copy(IAssemblyResolver resolver)
    {
        using (var assembly = AssemblyDefinition.ReadAssembly(Source, new ReaderParameters { AssemblyResolver = resolver }))
        {
            foreach (var type in assembly.MainModule.GetTypes())
                Open(type);
            assembly.Write(Target);
        }
    }

    private static void Open(TypeDefinition type)
    {
        if (type.IsNested)
            type.IsNestedPublic = true;
        else
            type.IsPublic = true;

        // An explicit interface implementation stays private: made public it would collide with its namesake.
        foreach (var method in type.Methods.Where(m => !m.HasOverrides || m.IsConstructor))
            method.IsPublic = true;

        // A field-like event's backing field has the event's own name.
        var events = type.Events.Select(e => e.Name).ToArray();
        foreach (var field in type.Fields.Where(f => !events.Contains(f.Name)))
            field.IsPublic = true;
    }
}
