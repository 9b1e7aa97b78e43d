#!/usr/bin/env bash
# Packs tests and benchmarks for a machine that has PyTorch with CUDA but no .NET: eng/gpu/pack.sh ARCHIVE.tar.xz [--golden] [--data NAME]…
#   --golden      also ../shared/golden, the reference files that some tests compare with (3 MB packed)
#   --data NAME   also ../shared/data/NAME, for the accuracy benchmarks
# The archive holds no libtorch: eng/gpu/run.sh, which travels inside as run.sh, takes PyTorch's. docs/gpu.md says more.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# -ge 1 ] || { sed -n '2,5p' "$0"; exit 2; }
archive=$(realpath -m "$1")
shift
shared=()
while [ $# -gt 0 ]; do
  case $1 in
    --golden) shared+=(golden) ;;
    --data) shared+=("data/$2"); shift ;;
    *) echo "pack.sh: unknown argument '$1'" >&2; exit 2 ;;
  esac
  shift
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/Microsoft.ML.Mamba
# Outputs of their own, so that an ordinary build finds its own undisturbed; the next packing builds only what changed.
for project in Microsoft.ML.Mamba.Kernels.Tests Microsoft.ML.Mamba.Tests Microsoft.ML.Mamba.Benchmarks Microsoft.ML.Mamba.TestRunner; do
  dotnet publish "tests/$project" -c Release -r linux-x64 --self-contained -p:TorchBackend=none -p:SatelliteResourceLanguages=en \
    -p:ErrorOnDuplicatePublishOutputFiles=false --artifacts-path artifacts/gpu -o "$root/bin" --nologo -v q
done

# What nothing there uses: test hosts of the SDK, compilers and debuggers, native libraries of other trainers, documentation.
(cd "$root/bin" && rm -rf Microsoft.CodeAnalysis*.dll Microsoft.TestPlatform* testhost* xunit.runner.visualstudio* Microsoft.VisualStudio* \
  lib_lightgbm.so *.dbg libclrgc*.so libmscordbi.so libmscordaccore.so libcoreclrtraceptprovider.so Microsoft.VisualBasic*.dll ./*.xml createdump)

# Tests find the repository, and shared beside it, from the solution's file above them.
cp Microsoft.ML.Mamba.sln "$root/"
cp eng/gpu/run.sh "$work/"
[ -d native ] && cp -r native "$root/"
[ -d tests/golden ] && mkdir -p "$root/tests" && cp -r tests/golden "$root/tests/"
for part in ${shared[@]+"${shared[@]}"}; do
  mkdir -p "$work/shared/$(dirname "$part")"
  cp -rL "../shared/$part" "$work/shared/$part"
done

mkdir -p "$(dirname "$archive")"
tar -C "$work" -c . | xz -T0 -6 > "$archive"
bytes=$(stat -c %s "$archive")
echo "$archive: $((bytes / 1000000)) MB packed, $(du -sm "$work" | cut -f1) MB unpacked"
[ "$bytes" -lt 64000000 ] || { echo "pack.sh: larger than 64 MB" >&2; exit 1; }
