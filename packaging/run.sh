#!/usr/bin/env bash
# Builds QuantSpot where needed and starts it.
#   packaging/run.sh                  the desktop program, on the embedded default model
#   packaging/run.sh cli generate …   quantspot-cli with these arguments
#   packaging/run.sh engine           the engine on stdin and stdout
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
mkdir -p "$root/build"

install_packages "$root/packaging/debian-packages.txt"
provide_libtorch
build_programs -DQUANTSPOT_TESTS="${QUANTSPOT_TESTS:-ON}"

case "${1:-}" in
  cli) shift; exec "$build/bin/quantspot-cli" "$@" ;;
  engine) shift; exec "$build/bin/quantspot-engine" "$@" ;;
  *) exec "$build/bin/quantspot" "$@" ;;
esac
