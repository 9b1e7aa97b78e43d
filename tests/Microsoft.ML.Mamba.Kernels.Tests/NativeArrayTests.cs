namespace Microsoft.ML.Mamba.Kernels.Tests;

public class NativeArrayTests
{
    [Fact]
    public void Memory_is_zeroed_and_aligned()
    {
        using var array = new NativeArray<float>(1000);
        Assert.Equal(0, array.Address % 64);
        Assert.All(array.ToArray(), value => Assert.Equal(0f, value));
    }

    [Fact]
    public void Rows_start_at_the_offset_and_lie_the_stride_apart()
    {
        using var array = new NativeArray<float>([0, 1, 2, 3, 4, 5, 6]);
        var rows = array.AsRows(2, 2, 4, offset: 1);
        Assert.Equal((array.Address + 4, 2L, 2L, 4L), (rows.Address, rows.Count, rows.Width, rows.Stride));
    }

    [Fact]
    public void Rows_that_need_more_memory_are_refused()
    {
        using var array = new NativeArray<float>(7);
        var error = Assert.Throws<ArgumentException>(() => array.AsRows(3, 2, 3));
        Assert.Equal("NativeArray: 3 rows of 2 elements, 3 apart, from element 0 need 8 elements; got 7. (Parameter 'count')", error.Message);
    }

    [Fact]
    public void Index_outside_is_refused()
    {
        using var array = new NativeArray<double>(3);
        Assert.Throws<ArgumentOutOfRangeException>(() => array[3]);
        Assert.Throws<ArgumentOutOfRangeException>(() => array[-1]);
    }

    [Fact]
    public void Use_after_disposal_is_refused()
    {
        var array = new NativeArray<float>(3);
        array.Dispose();
        Assert.Throws<ObjectDisposedException>(() => array[0]);
    }
}
