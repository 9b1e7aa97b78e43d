#!/usr/bin/env bash
# Puts NVRTC, NVIDIA's runtime compiler, into artifacts/nvrtc, so that the CUDA kernels can be compiled where neither a GPU nor
# CUDA is installed: the libraries of Debian 12's packages libnvrtc11.2 and libnvrtc-builtins11.8 (component non-free).
# Works as any user and changes nothing outside that folder. Prints the folder when it is there. Where it cannot be had, says why
# on the error stream and still exits with 0: who needs it skips.
set -u
cd "$(dirname "$0")/.."
folder=$PWD/artifacts/nvrtc
packages=(libnvrtc11.2 libnvrtc-builtins11.8)

have() { compgen -G "$folder/libnvrtc.so.*" >/dev/null && compgen -G "$folder/libnvrtc-builtins.so*" >/dev/null; }
without() { echo "NVRTC is not at hand, its tests are skipped: $1" >&2; exit 0; }

if have; then echo "$folder"; exit 0; fi
[ "$(uname -sm)" = "Linux x86_64" ] || without "the packages are for Linux on x86_64"
for tool in apt-get dpkg; do command -v "$tool" >/dev/null || without "there is no $tool"; done
# shellcheck source=/dev/null
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
[ "$codename" = bookworm ] || without "these packages are Debian 12's, this is ${codename:-another system}"

mkdir -p "$PWD/artifacts" || without "artifacts cannot be written"
work=$(mktemp -d "$PWD/artifacts/nvrtc.XXXXXX") || without "artifacts cannot be written"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{state/lists/partial,cache/archives/partial,sources,root}

# The machine's own sources of this release, with the component non-free beside main; both formats.
shopt -s nullglob
for list in /etc/apt/sources.list.d/*.sources; do
  awk -v RS= -v ORS='\n\n' -v suite="$codename" '
    $0 ~ "(^|\n)Suites:[^\n]*[ \t]" suite "([ \t\n]|$)" && $0 ~ "(^|\n)Components:[^\n]*main" && $0 !~ "(^|\n)Enabled: *no" {
      sub(/Components:[^\n]*/, "Components: main non-free"); print }' "$list" > "$work/sources/$(basename "$list")"
done
cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
  sed -nE "s/^(deb +(\[[^]]*\] +)?[^ ]+ +$codename) +main\b.*/\1 main non-free/p" > "$work/sources/one-line.list"
find "$work/sources" -empty -delete
[ -d "$work/sources" ] || without "no package source of $codename was found"

apt=(apt-get -qq -o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$work/sources" -o "Dir::State=$work/state"
  -o Dir::State::status=/var/lib/dpkg/status -o "Dir::Cache=$work/cache" -o "APT::Sandbox::User=$(id -un)"
  -o Acquire::Languages=none -o Acquire::Retries=2 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30)
limited=(); command -v timeout >/dev/null && limited=(timeout 300)
"${limited[@]}" "${apt[@]}" update >/dev/null 2>&1 || without "the package lists could not be read"
(cd "$work" && "${limited[@]}" "${apt[@]}" download "${packages[@]}") >/dev/null 2>&1 || without "${packages[*]} could not be downloaded"
for package in "$work"/*.deb; do
  dpkg -x "$package" "$work/root" || without "$(basename "$package") could not be unpacked"
done

# Complete or not at all, also when two runs meet.
mkdir "$work/nvrtc"
find "$work/root" -name 'libnvrtc*.so*' -exec cp -a {} "$work/nvrtc/" \;
find "$work/root" -path '*/doc/*' -name copyright -exec sh -c 'cp "$1" "$2/$(basename "$(dirname "$1")").copyright"' _ {} "$work/nvrtc" \;
have || { rm -rf "$folder"; mv -T "$work/nvrtc" "$folder" 2>/dev/null; }
have || without "the packages did not hold what was expected"
echo "$folder"
