using System.Text;
using static System.Buffers.Binary.BinaryPrimitives;
using static Microsoft.ML.Mamba.Checkpoints.PickleOpcodes;

namespace Microsoft.ML.Mamba.Checkpoints;

/// <summary>
/// A pickle machine that can make tensors, storages, dicts, tuples, lists, texts, whole numbers, booleans and None, and nothing else:
/// every other global or opcode is refused by its name, so that no code of a file is ever run.
/// </summary>
internal sealed class PickleReader
{
    /// <summary>A model of 1,000 layers takes a third of it.</summary>
    private const int MaxOperations = 1_000_000;

    private static readonly object MarkOnStack = new();

    private readonly string _file;
    private readonly byte[] _data;
    private readonly List<object?> _stack = [];
    private readonly Dictionary<uint, object?> _memo = [];
    private int _at;

    private PickleReader(byte[] data, string file) => (_data, _file) = (data, file);

    /// <summary>Reads one pickle.</summary>
    /// <param name="data">The pickle.</param>
    /// <param name="file">What messages call it.</param>
    /// <exception cref="MambaCheckpointException">It is damaged, or asks for what weights do not need.</exception>
    public static object? Read(byte[] data, string file) => new PickleReader(data, file).Run();

    private object? Run()
    {
        for (var i = 0; i < MaxOperations; i++)
        {
            var code = Take(1)[0];
            if (code == Stop)
                return Pop();
            Execute(code);
        }

        throw Bad($"holds more than {MaxOperations} operations; expected weights alone.");
    }

    private void Execute(byte code)
    {
        switch (code)
        {
            case Proto: CheckProtocol(Take(1)[0]); break;
            case Frame: Take(8); break;
            case Mark: _stack.Add(MarkOnStack); break;
            case PickleOpcodes.Pop: Pop(); break;
            case PopMark: PopToMark(); break;
            case Dup: Push(Peek()); break;
            case None: Push(null); break;
            case NewTrue: Push(true); break;
            case NewFalse: Push(false); break;
            case BinInt: Push((long)ReadInt32LittleEndian(Take(4))); break;
            case BinInt1: Push((long)Take(1)[0]); break;
            case BinInt2: Push((long)ReadUInt16LittleEndian(Take(2))); break;
            case Long1: Push(LongOf(Take(Take(1)[0]))); break;
            case BinUnicode: Push(Text(ReadUInt32LittleEndian(Take(4)))); break;
            case ShortBinUnicode: Push(Text(Take(1)[0])); break;
            case EmptyTuple: Push(new PickleTuple([])); break;
            case PickleOpcodes.Tuple: Push(new PickleTuple([.. PopToMark()])); break;
            case Tuple1: Push(TupleOf(1)); break;
            case Tuple2: Push(TupleOf(2)); break;
            case Tuple3: Push(TupleOf(3)); break;
            case EmptyList: Push(new PickleList([])); break;
            case Append: AppendTo([Pop()]); break;
            case Appends: AppendTo(PopToMark()); break;
            case EmptyDict: Push(new PickleDict([])); break;
            case SetItem: SetIn([.. TupleOf(2).Items]); break;
            case SetItems: SetIn(PopToMark()); break;
            case BinPut: _memo[Take(1)[0]] = Peek(); break;
            case LongBinPut: _memo[ReadUInt32LittleEndian(Take(4))] = Peek(); break;
            case Memoize: _memo[(uint)_memo.Count] = Peek(); break;
            case BinGet: Push(Recall(Take(1)[0])); break;
            case LongBinGet: Push(Recall(ReadUInt32LittleEndian(Take(4)))); break;
            case Global: Push(Find(Line(), Line())); break;
            case StackGlobal: Push(FindOnStack()); break;
            case Reduce: Call(); break;
            case BinPersId: Push(PickleCalls.Storage(Pop(), _file)); break;
            case Build: SetAttributes(); break;
            default: throw Bad($"holds opcode {NameOf(code)} at byte {_at - 1}; it has no place among weights and is not run.");
        }
    }

    private void CheckProtocol(byte version)
    {
        if (version is < 2 or > 5)
            throw Bad($"holds protocol {version}; expected 2 to 5.");
    }

    private ReadOnlySpan<byte> Take(long count)
    {
        if (count > _data.Length - _at)
            throw Bad("ends early; it is truncated.");
        _at += (int)count;
        return _data.AsSpan(_at - (int)count, (int)count);
    }

    private string Text(long length) => Encoding.UTF8.GetString(Take(length));

    private string Line()
    {
        var length = _data.AsSpan(_at).IndexOf((byte)'\n');
        if (length < 0)
            throw Bad("ends early; it is truncated.");
        var line = Text(length);
        _at++;
        return line;
    }

    private long LongOf(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > 8)
            throw Bad($"holds a whole number of {bytes.Length} bytes; expected at most 8.");
        long value = bytes.Length > 0 && (bytes[^1] & 0x80) != 0 ? -1 : 0;
        for (var i = bytes.Length - 1; i >= 0; i--)
            value = (value << 8) | bytes[i];
        return value;
    }

    private void Push(object? value) => _stack.Add(value);

    private object? Peek() => _stack.Count > 0 && _stack[^1] != MarkOnStack ? _stack[^1] : throw Bad("takes a value that is not there; it is damaged.");

    private object? Pop()
    {
        var value = Peek();
        _stack.RemoveAt(_stack.Count - 1);
        return value;
    }

    private List<object?> PopToMark()
    {
        var mark = _stack.LastIndexOf(MarkOnStack);
        if (mark < 0)
            throw Bad("takes a value that is not there; it is damaged.");
        var values = _stack.GetRange(mark + 1, _stack.Count - mark - 1);
        _stack.RemoveRange(mark, _stack.Count - mark);
        return values;
    }

    private PickleTuple TupleOf(int count)
    {
        var items = new object?[count];
        for (var i = count - 1; i >= 0; i--)
            items[i] = Pop();
        return new PickleTuple(items);
    }

    private void AppendTo(List<object?> values)
    {
        if (Peek() is not PickleList list)
            throw Bad("appends to what is not a list; it is damaged.");
        list.Items.AddRange(values);
    }

    private void SetIn(List<object?> values)
    {
        if (Peek() is not PickleDict dict || values.Count % 2 != 0)
            throw Bad("sets an item of what is not a dict; it is damaged.");
        for (var i = 0; i < values.Count; i += 2)
            dict.Items.Add((values[i], values[i + 1]));
    }

    private object? Recall(uint key) => _memo.TryGetValue(key, out var value) ? value : throw Bad($"recalls entry {key}, which it never kept; it is damaged.");

    private PickleGlobal FindOnStack() => TupleOf(2).Items is [string module, string name]
        ? Find(module, name)
        : throw Bad("holds opcode STACK_GLOBAL without two texts; it is damaged.");

    private PickleGlobal Find(string module, string name) => PickleGlobal.Find(module, name)
        ?? throw Bad($"holds global '{module}.{name}'; it has no place among weights and is not called. Save the weights alone: torch.save(model.state_dict(), …).");

    private void Call()
    {
        var arguments = Pop();
        Push(PickleCalls.Call(Pop(), arguments, _file));
    }

    /// <summary>A state dict keeps versions of modules as an attribute; no weights are among them.</summary>
    private void SetAttributes()
    {
        Pop();
        if (Peek() is not PickleDict)
            throw Bad("holds opcode BUILD on what is not a dict; it has no place among weights and is not run.");
    }

    private MambaCheckpointException Bad(string what) => new($"{_file}: the pickle {what}");
}
