#!/bin/sh
# Remakes all golden data, or the groups named as arguments, in a private environment. CPU only.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=${QUANTSPOT_PARITY_VENV:-$here/../../build/parity-venv}
if [ ! -x "$venv/bin/python" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet -r "$here/requirements.txt" ${QUANTSPOT_TORCH_INDEX:+--extra-index-url "$QUANTSPOT_TORCH_INDEX"}
fi
exec "$venv/bin/python" "$here/make_golden.py" "$@"
