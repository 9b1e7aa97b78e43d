#!/usr/bin/env bash
# Runs what eng/gpu/pack.sh packed, on a machine with PyTorch (with CUDA) and no .NET: run.sh ARCHIVE WHAT…
#   test [PART…]      tests whose Namespace.Class.Method contains one of the parts; none: all that compute something
#   bench ARGUMENT…   a benchmark, e.g. bench cuda-scan --json out.json
#   sanitize [PART…]  compute-sanitizer's memcheck and racecheck over the tests of the CUDA kernels (or those named)
#   diagnose          what the library finds on the machine
# Closing line of test and sanitize: "N passed, N failed, N skipped". Unpacked once per archive, into MAMBA_GPU_FOLDER (default: /tmp).
# MAMBA_LIBTORCH names libtorch's folder; unset: that of python3's torch.
set -uo pipefail
[ $# -ge 2 ] || { sed -n '2,8p' "$0"; exit 2; }
archive=$1 what=$2
shift 2

folder=${MAMBA_GPU_FOLDER:-/tmp}/mamba-$(sha256sum "$archive" | cut -c1-16)
if [ ! -d "$folder" ]; then
  rm -rf "$folder.new" && mkdir -p "$folder.new" && tar -C "$folder.new" -xJf "$archive" && mv "$folder.new" "$folder" || exit 1
fi
bin=$folder/Microsoft.ML.Mamba/bin

if [ -z "${MAMBA_LIBTORCH:-}" ]; then
  MAMBA_LIBTORCH=$(python3 -c 'import importlib.util, os; print(os.path.join(os.path.dirname(importlib.util.find_spec("torch").origin), "lib"))') \
    || { echo "run.sh: python3 has no torch; set MAMBA_LIBTORCH to a folder with libtorch.so" >&2; exit 1; }
fi
export MAMBA_LIBTORCH
# These compile kernels for the processor from the repository's sources, or compare with its approved files.
unwanted=(--not OnHostTests --not StateDictTests --not Weights_are_the_same_on_every_machine)
if ! ldconfig -p 2> /dev/null | grep -q libicuuc; then
  export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
  unwanted+=(--not CheckpointEncoderTests) # tokenizers that normalize text need ICU
fi
# NVRTC and its neighbours, which PyTorch keeps in packages of their own (nvidia/cu13/lib, nvidia/cuda_nvrtc/lib, …).
for libraries in "$MAMBA_LIBTORCH"/../../nvidia/*/lib; do
  [ -d "$libraries" ] && LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$(realpath "$libraries")
done
export LD_LIBRARY_PATH=${LD_LIBRARY_PATH:-}

run_tests() { "$@" "$bin/Microsoft.ML.Mamba.TestRunner" Microsoft.ML.Mamba.Kernels.Tests.dll Microsoft.ML.Mamba.Tests.dll "${options[@]}"; }

case $what in
  test)
    options=()
    if [ $# -eq 0 ]; then
      set -- Kernels.Tests. Tests.Ops. Tests.Modules. Tests.Training. Tests.Pipeline. Tests.Generation. Tests.Gpu.
      options=("${unwanted[@]}")
    fi
    for part; do options+=(--filter "$part"); done
    run_tests
    ;;
  sanitize)
    command -v compute-sanitizer > /dev/null || { echo "run.sh: compute-sanitizer is not on PATH" >&2; exit 1; }
    [ $# -gt 0 ] || set -- Kernels.Tests.Cuda.CudaDevice Tests.Ops.CudaBackend Tests.Ops.BackendAgreement
    options=(--serial "${unwanted[@]}")
    for part; do options+=(--filter "$part"); done
    status=0
    for tool in memcheck racecheck; do
      echo "compute-sanitizer --tool $tool"
      # racecheck understands barriers of the whole block only.
      if [ $tool = racecheck ]; then export MAMBA_CUDA_DEFINES=WHOLE_BARRIERS; fi
      run_tests compute-sanitizer --tool "$tool" --error-exitcode 3 --target-processes all --print-limit 20 || status=$?
    done
    exit $status
    ;;
  bench) cd "${OUT:-$PWD}" && exec "$bin/Microsoft.ML.Mamba.Benchmarks" "$@" ;;
  diagnose) exec "$bin/Microsoft.ML.Mamba.Benchmarks" diagnose ;;
  *) echo "run.sh: unknown command '$what'" >&2; exit 2 ;;
esac
