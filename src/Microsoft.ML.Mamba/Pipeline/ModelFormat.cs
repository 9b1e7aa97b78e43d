using System.Text;
using Microsoft.ML.Mamba.Training;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Mamba.Pipeline;

/// <summary>
/// A model in its folder of an ML.NET zip: a versioned binary header (Model.key) with what only the pipeline knows, and
/// beside it config.json, model.safetensors and, for text, tokenizer.json, which other tools can read.
/// </summary>
internal static class ModelFormat
{
    private const string ConfigFile = "config.json";
    private const string TokenizerFile = SequenceTokenizer.FileName;
    private const string WeightsFile = "model.safetensors";

    /// <summary>Settings are small; a longer file is not ours.</summary>
    private const long MostJsonBytes = 64 << 20;

    /// <summary>The format's version, as ML.NET writes it into the header.</summary>
    /// <param name="modelSignature">8 letters, one kind of model.</param>
    /// <param name="loaderSignature">The name that the transformer is registered under, at most 24 letters.</param>
    public static VersionInfo Version(string modelSignature, string loaderSignature) => new(
        modelSignature,
        verWrittenCur: 0x00010001, // Initial
        verReadableCur: 0x00010001,
        verWeCanReadBack: 0x00010001,
        loaderSignature: loaderSignature,
        // Without a version: an older library should answer that the model is too new, and not be passed over by the runtime.
        loaderAssemblyName: typeof(ModelFormat).Assembly.GetName().Name);

    public static void Save(SequenceScorer scorer, ModelSaveContext context, VersionInfo version)
    {
        scorer.Host.CheckValue(context, nameof(context));
        context.CheckAtModel();
        var tokenizer = scorer.Encoding.Tokenizer?.ToJson(); // before anything is written: not every tokenizer can be
        context.SetVersionInfo(version);

        // *** Binary format *** as in Load.
        context.SaveNonEmptyString(scorer.SequenceColumnName);
        context.Writer.Write((byte)scorer.Encoding.Kind);
        context.Writer.Write(scorer.BatchSize);
        scorer.Outputs.Save(context);

        using var config = new MemoryStream();
        context.SaveBinaryStream(WeightsFile, writer => scorer.Predictor.Save(config, writer.BaseStream));
        context.SaveBinaryStream(ConfigFile, writer => writer.Write(config.GetBuffer().AsSpan(0, (int)config.Length)));
        if (tokenizer is not null)
            context.SaveBinaryStream(TokenizerFile, writer => writer.Write(Encoding.UTF8.GetBytes(tokenizer)));
    }

    /// <exception cref="FormatException">The header is damaged or from a newer version.</exception>
    /// <exception cref="MambaCheckpointException">One of the files is damaged or from a newer version.</exception>
    public static SequenceScorer Load(IHostEnvironment env, string name, ModelLoadContext context, VersionInfo version, Func<IHost, ModelLoadContext, ITaskOutputs> loadOutputs)
    {
        Contracts.CheckValue(env, nameof(env));
        var host = env.Register(name);
        host.CheckValue(context, nameof(context));
        context.CheckAtModel(version);

        // *** Binary format ***
        // string: sequence column
        // byte: kind of the sequence column
        // int: most rows per batch
        // what the task's outputs wrote
        var sequenceColumn = context.LoadNonEmptyString();
        var kind = (SequenceColumnKind)context.Reader.ReadByte();
        host.CheckDecode(Enum.IsDefined(kind), $"The model claims a sequence column of the unknown kind {(int)kind}.");
        var batchSize = context.Reader.ReadInt32();
        host.CheckDecode(batchSize >= 1, $"The model claims batches of {batchSize} rows; expected at least 1.");
        var outputs = loadOutputs(host, context);

        var tokenizer = kind == SequenceColumnKind.Text ? SequenceTokenizer.FromJson(Encoding.UTF8.GetString(ReadJson(host, context, TokenizerFile))) : null;
        var predictor = LoadPredictor(host, context, tokenizer);
        try
        {
            var config = predictor.Description.Config;
            host.CheckDecode(predictor.OutputCount == outputs.OutputCount, $"{ConfigFile} has {predictor.OutputCount} outputs, the header of the model {outputs.OutputCount}.");
            host.CheckDecode(predictor.Description.Objective.PerPosition == outputs.PerPosition, $"{ConfigFile} and the header of the model disagree on whether each position has values.");
            host.CheckDecode(config.FrameWidth > 0 == (kind == SequenceColumnKind.Frames), $"{ConfigFile} and the header of the model disagree on whether sequences are frames.");
            return new SequenceScorer(host, predictor, new SequenceEncoding(kind, tokenizer, config.VocabSize, config.FrameWidth), outputs, sequenceColumn, batchSize);
        }
        catch
        {
            predictor.Dispose();
            throw;
        }
    }

    private static SequencePredictor LoadPredictor(IHost host, ModelLoadContext context, SequenceTokenizer? tokenizer)
    {
        var config = ReadJson(host, context, ConfigFile);
        SequencePredictor? predictor = null;
        var device = ScoringDevice.ForLoading(host);
        var found = context.TryLoadBinaryStream(WeightsFile, reader =>
            predictor = SequencePredictor.Load(new MemoryStream(config), reader.BaseStream, reader.BaseStream.Length, tokenizer, device));
        host.CheckDecode(found, $"The model has no {WeightsFile}.");
        return predictor!;
    }

    private static byte[] ReadJson(IHost host, ModelLoadContext context, string file)
    {
        byte[]? bytes = null;
        var found = context.TryLoadBinaryStream(file, reader =>
        {
            var length = reader.BaseStream.Length;
            host.CheckDecode(length <= MostJsonBytes, $"{file} of the model has {length} bytes; expected at most {MostJsonBytes}.");
            bytes = reader.ReadBytes((int)length);
        });
        host.CheckDecode(found, $"The model has no {file}.");
        return bytes!;
    }
}
