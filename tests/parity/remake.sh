#!/bin/sh
# Remakes all golden data, or the groups named as arguments, in a private environment. CPU only.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
venv=${QUANTSPOT_PARITY_VENV:-$here/../../build/parity-venv}
if [ ! -x "$venv/bin/python" ]; then
  python3 -m venv "$venv"
  # The packages of metrics ask for a torchvision, which needs another torch; the script does without.
  "$venv/bin/pip" install --quiet --no-deps lpips==0.1.4 clean-fid==0.1.35 torch-fidelity==0.4.0 torchmetrics==1.9.0 lightning-utilities piq==0.8.0
  "$venv/bin/pip" install --quiet -r "$here/requirements.txt" ${QUANTSPOT_TORCH_INDEX:+--extra-index-url "$QUANTSPOT_TORCH_INDEX"}
fi
exec "$venv/bin/python" "$here/make_golden.py" "$@"
