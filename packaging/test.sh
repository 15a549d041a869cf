#!/usr/bin/env bash
# Builds QuantSpot and its tests and runs every test. Arguments go to ctest, e.g. -L unit or -R safetensors.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
mkdir -p "$root/build"

install_packages "$root/packaging/debian-packages.txt" "$root/packaging/debian-packages-test.txt"
provide_libtorch
build_programs -DQUANTSPOT_TESTS=ON

cd "$root"
exec ctest --preset "$preset" "$@"
