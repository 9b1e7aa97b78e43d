namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>Opcodes of Python's pickle, protocols 0 to 5. Source: the module pickletools of Python 3.</summary>
internal static class PickleOpcodes
{
    public const byte Proto = 0x80, Frame = 0x95, Stop = (byte)'.', Mark = (byte)'(', Pop = (byte)'0', PopMark = (byte)'1', Dup = (byte)'2';
    public const byte None = (byte)'N', NewTrue = 0x88, NewFalse = 0x89, BinInt = (byte)'J', BinInt1 = (byte)'K', BinInt2 = (byte)'M', Long1 = 0x8A;
    public const byte BinUnicode = (byte)'X', ShortBinUnicode = 0x8C;
    public const byte EmptyTuple = (byte)')', Tuple = (byte)'t', Tuple1 = 0x85, Tuple2 = 0x86, Tuple3 = 0x87;
    public const byte EmptyList = (byte)']', Append = (byte)'a', Appends = (byte)'e';
    public const byte EmptyDict = (byte)'}', SetItem = (byte)'s', SetItems = (byte)'u';
    public const byte BinPut = (byte)'q', LongBinPut = (byte)'r', Memoize = 0x94, BinGet = (byte)'h', LongBinGet = (byte)'j';
    public const byte Global = (byte)'c', StackGlobal = 0x93, Reduce = (byte)'R', Build = (byte)'b', BinPersId = (byte)'Q';

    private static readonly Dictionary<byte, string> Refused = new()
    {
        [(byte)'I'] = "INT", [(byte)'L'] = "LONG", [0x8B] = "LONG4", [(byte)'F'] = "FLOAT", [(byte)'G'] = "BINFLOAT",
        [(byte)'S'] = "STRING", [(byte)'T'] = "BINSTRING", [(byte)'U'] = "SHORT_BINSTRING", [(byte)'V'] = "UNICODE", [0x8D] = "BINUNICODE8",
        [(byte)'B'] = "BINBYTES", [(byte)'C'] = "SHORT_BINBYTES", [0x8E] = "BINBYTES8", [0x96] = "BYTEARRAY8", [0x97] = "NEXT_BUFFER",
        [0x98] = "READONLY_BUFFER", [(byte)'l'] = "LIST", [(byte)'d'] = "DICT", [0x8F] = "EMPTY_SET", [0x90] = "ADDITEMS", [0x91] = "FROZENSET",
        [(byte)'p'] = "PUT", [(byte)'g'] = "GET", [0x82] = "EXT1", [0x83] = "EXT2", [0x84] = "EXT4", [(byte)'i'] = "INST", [(byte)'o'] = "OBJ",
        [0x81] = "NEWOBJ", [0x92] = "NEWOBJ_EX", [(byte)'P'] = "PERSID",
    };

    /// <summary>Name of an opcode that no weights need.</summary>
    public static string NameOf(byte code) => Refused.GetValueOrDefault(code) ?? $"0x{code:X2}";
}
