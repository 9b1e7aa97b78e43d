using System.Reflection;
using Microsoft.ML.Mamba.TestRunner;

// Runs xunit tests on a machine that has no .NET SDK: eng/gpu/pack.sh publishes it into one folder with the tests.
//   ASSEMBLY… [--filter TEXT]… [--not TEXT]… [--serial] [--names]   runs tests; a filter is a part of Namespace.Class.Method
//   exec ASSEMBLY ARGUMENT…                                         runs an assembly's Main, as dotnet exec does
if (args is ["exec", var program, ..])
{
    MethodInfo main = Assembly.LoadFrom(Path.GetFullPath(program)).EntryPoint!;
    return main.Invoke(null, main.GetParameters().Length == 0 ? null : [args[2..]]) as int? ?? 0;
}

TestChoice? choice = TestChoice.Parse(args);
if (choice is null)
{
    Console.Error.WriteLine("usage: ASSEMBLY… [--filter TEXT]… [--not TEXT]… [--serial] [--names] | exec ASSEMBLY ARGUMENT…");
    return 2;
}

var tally = new Tally(choice.PrintNames);
foreach (string path in choice.Assemblies)
    TestAssembly.Run(Path.GetFullPath(path, AppContext.BaseDirectory), choice, tally);
return tally.Close();
