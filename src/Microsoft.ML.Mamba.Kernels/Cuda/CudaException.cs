namespace Microsoft.ML.Mamba.Kernels.Cuda;

/// <summary>A CUDA operation failed: the message says which one, what CUDA calls the error, and what helps where that is known.</summary>
public sealed class CudaException : Exception
{
    private const int OutOfMemory = 2;

    internal CudaException(string operation, string message, int code = 0, string errorName = "", Exception? inner = null)
        : base($"{operation}: {message}", inner)
    {
        Operation = operation;
        Code = code;
        ErrorName = errorName;
    }

    /// <summary>What was tried, e.g. <c>launch of selective_scan_forward</c>.</summary>
    public string Operation { get; }

    /// <summary>CUDA's number of the error; 0 where the driver was not asked or did not answer.</summary>
    public int Code { get; }

    /// <summary>CUDA's name of the error, e.g. <c>CUDA_ERROR_OUT_OF_MEMORY</c>; empty where <see cref="Code"/> is 0.</summary>
    public string ErrorName { get; }

    /// <summary>Whether the device's memory did not suffice.</summary>
    public bool IsOutOfMemory => Code == OutOfMemory;
}
