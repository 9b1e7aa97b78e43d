#!/usr/bin/env bash
# Builds everything and runs all tests, then all that compute once more with vector instructions switched off; the last line is
# "N passed, N failed[, N skipped]", all runs together. Exit code 0 only when nothing failed.
set -u
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# The CUDA kernels are compiled on machines without a GPU too, where the compiler can be had.
nvrtc=$(bash eng/nvrtc.sh)
if [ -n "$nvrtc" ]; then export MAMBA_NVRTC="${MAMBA_NVRTC:-$nvrtc}"; fi

dotnet build -c Release --nologo -v q || { echo "0 passed, 1 failed"; exit 1; }
dotnet test -c Release --no-build --nologo 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
# Not again: what reads sources and documents, mutated files, and what compiles for GPUs, where no number depends on a vector.
vectors='FullyQualifiedName!~Tests.Repository&FullyQualifiedName!~Fuzz&FullyQualifiedName!~Kernels.Tests.Cuda'
echo "Once more with vector instructions switched off:"
DOTNET_EnableHWIntrinsic=0 dotnet test -c Release --no-build --nologo --filter "$vectors" 2>&1 | tee -a "$log"
scalar=${PIPESTATUS[0]}

sum() { grep -oE "$1: +[0-9]+" "$log" | grep -oE '[0-9]+' | awk '{s += $1} END {print s + 0}'; }
passed=$(sum Passed) failed=$(sum Failed) skipped=$(sum Skipped)
if [ $((status + scalar)) -ne 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
