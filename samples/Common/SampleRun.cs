/// <summary>How a sample ends: a line instead of a stack trace for what the user can put right, and a clean stop on Ctrl+C.</summary>
internal static class SampleRun
{
    private const int Cancelled = 130; // as a shell has it

    /// <summary>Runs a sample. Its token is cancelled by Ctrl+C; a second Ctrl+C ends the process at once.</summary>
    /// <returns>The exit code: 0, 1 for an error, 130 when cancelled.</returns>
    public static int Run(Action<CancellationToken> sample) => RunAsync(token =>
    {
        sample(token);
        return Task.CompletedTask;
    }).GetAwaiter().GetResult();

    /// <inheritdoc cref="Run"/>
    public static async Task<int> RunAsync(Func<CancellationToken, Task> sample)
    {
        using var source = new CancellationTokenSource();
        void Cancel(object? sender, ConsoleCancelEventArgs e)
        {
            e.Cancel = !source.IsCancellationRequested;
            source.Cancel();
        }

        Console.CancelKeyPress += Cancel;
        try
        {
            await sample(source.Token);
            return 0;
        }
        catch (OperationCanceledException) when (source.IsCancellationRequested)
        {
            Console.Error.WriteLine("cancelled");
            return Cancelled;
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or InvalidDataException or FormatException or IOException
            or UnauthorizedAccessException or DllNotFoundException)
        {
            Console.Error.WriteLine($"error: {e.Message}");
            return 1;
        }
        finally
        {
            Console.CancelKeyPress -= Cancel;
        }
    }
}
