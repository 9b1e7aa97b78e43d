using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Emit;
using TorchSharp;

namespace Microsoft.ML.Mamba.Tests.Repository;

/// <summary>Which methods of TorchSharp turn a number into a Scalar, themselves or through what they call: read from their code.</summary>
internal static class MadeScalars
{
    private static readonly Dictionary<short, OpCode> OpCodesByValue =
        typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (OpCode)f.GetValue(null)!).ToDictionary(o => o.Value);

    private static readonly Dictionary<MethodBase, bool> Known = [];

    public static bool By(MethodBase method)
    {
        lock (Known)
        {
            return Makes(method);
        }
    }

    private static bool Makes(MethodBase method)
    {
        if (Known.TryGetValue(method, out var known))
            return known;
        Known[method] = false; // while its own calls are looked at
        return Known[method] = Calls(method).Any(called =>
            called.DeclaringType == typeof(Scalar) && called.Name == "op_Implicit"
            || called.DeclaringType == typeof(ScalarExtensionMethods) && called.Name == nameof(ScalarExtensionMethods.ToScalar)
            || called.Module == method.Module && Makes(called));
    }

    private static IEnumerable<MethodBase> Calls(MethodBase method)
    {
        var code = method.GetMethodBody()?.GetILAsByteArray() ?? [];
        for (var i = 0; i < code.Length;)
        {
            var value = code[i] == 0xFE ? unchecked((short)(0xFE00 | code[i + 1])) : code[i];
            var op = OpCodesByValue[value];
            i += op.Size;
            if (op.OperandType == OperandType.InlineMethod)
            {
                yield return method.Module.ResolveMethod(
                    BinaryPrimitives.ReadInt32LittleEndian(code.AsSpan(i)),
                    method.DeclaringType?.GetGenericArguments(),
                    method.IsGenericMethod ? method.GetGenericArguments() : null)!;
            }

            i += OperandSize(op.OperandType, code, i);
        }
    }

    private static int OperandSize(OperandType type, byte[] code, int at) => type switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * BinaryPrimitives.ReadInt32LittleEndian(code.AsSpan(at))),
        _ => 4,
    };
}
