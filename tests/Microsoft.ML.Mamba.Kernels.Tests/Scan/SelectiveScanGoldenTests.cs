using Microsoft.ML.Mamba.Kernels.Tests.Golden;

namespace Microsoft.ML.Mamba.Kernels.Tests.Scan;

/// <summary>Both bodies against the numbers of the published references; every output and every gradient of every file.</summary>
public class SelectiveScanGoldenTests
{
    private const string NoFiles = "(none)";

    // Doubles against values that were rounded to float when stored.
    private const double ReferenceTolerance = 1e-6;

    public static TheoryData<string> Files
    {
        get
        {
            var files = GoldenFolder.Names("scan").Where(name => name != "scan/single_steps").ToArray();
            return [.. files.Length == 0 ? [NoFiles] : files];
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Files))]
    public void Reference_in_double_gives_the_stored_numbers(string file)
    {
        GoldenFolder.SkipIfMissing();
        foreach (var scan in GoldenScan.ReadAll(file))
        {
            scan.AssertMatches([.. ScanRunner.ReferenceForward(scan.Data), .. ScanRunner.ReferenceBackward(scan.Data)], ReferenceTolerance);
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Files))]
    public void Every_vector_width_gives_the_stored_numbers_within_the_tolerance_of_the_file(string file)
    {
        GoldenFolder.SkipIfMissing();
        foreach (var scan in GoldenScan.ReadAll(file))
        {
            foreach (var bits in SimdWidth.Supported)
            {
                scan.AssertMatches([.. ScanRunner.Forward(scan.Data, bits), .. ScanRunner.Backward(scan.Data, bits)], tolerance: null);
            }
        }
    }

    [SkippableFact]
    public void Chained_parts_give_the_stored_states_and_the_rest_of_y()
    {
        GoldenFolder.SkipIfMissing();
        foreach (var name in GoldenFolder.Names("scan").Where(name => name.Contains("chain")))
        {
            var scan = GoldenScan.ReadAll(name).Single();
            foreach (var split in scan.File.Options.GetProperty("splits").EnumerateArray().Select(s => s.GetInt64()))
            {
                var length = scan.Data.Dims.Length;
                var head = ScanRunner.Forward(scan.Data.Slice(0, split), SimdWidth.Bits);
                scan.File.AssertMatches($"state_after_{split}", head["last_state"]);
                var tail = ScanRunner.Forward(scan.Data.Slice(split, length) with { InitialState = head["last_state"] }, SimdWidth.Bits);
                scan.File.AssertMatches("last_state", tail["last_state"]);
                var y = GoldenTensor.SwapLastTwo(scan.File["y"].Values, scan.File["y"].Shape).Select(v => (double)v).ToArray();
                Closeness.Assert($"{name}: y from {split}", scan.Data.SliceSteps(y, split, length), tail["y"], scan.File.Tolerance("y"));
            }
        }
    }
}
