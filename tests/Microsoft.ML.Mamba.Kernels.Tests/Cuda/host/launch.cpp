// Compiled behind a kernel's source, with MAMBA_KERNEL its name: one library per kernel and variant.
extern "C" void launch(const void* arguments, long long x, int y, int z, int threads)
{
    cuda_host::launch(MAMBA_KERNEL, arguments, x, y, z, threads);
}
