#!/usr/bin/env bash
# Makes the default model: data, tokenizers, autoencoder, small CLIP, T5 of names, FLUX, export, figures. Safe to run again: finished stages
# are skipped, an unfinished one goes on from its checkpoint, so that `train.sh --hours 2` after `train.sh` trains FLUX for longer.
usage() {
  cat <<'TEXT'
train.sh [--hours H] [--slice MINUTES] [--data ARCHIVE] [--fresh] [--install] [--smoke]
  --hours H         training time, earlier runs counted in (default 2): 10 % autoencoder, 20 % small CLIP, 10 % names, 60 % FLUX
  --slice MINUTES   this run ends after so long with a checkpoint and exit code 75; run again to go on
  --data ARCHIVE    what is otherwise downloaded, packed by pack.py on a machine with a network
  --fresh           random first weights (else the committed ones, where shapes fit)
  --install         puts the finished model into the source tree; golden data of the tests must then be remade (tests/parity/remake.sh)
  --smoke           tries every stage in seconds, in a folder of its own; the model is of no use
Environment: QUANTSPOT_TRAIN_DIR (working folder, default build/default_model), QUANTSPOT_TRAIN_PYTHON (an interpreter that has
requirements.txt, in place of a new environment), QUANTSPOT_CLI (default build/release/bin/quantspot-cli), QUANTSPOT_TRAIN_THREADS.
TEXT
}
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tree=$(dirname "$here")
hours=2 slice= archive= fresh= install= smoke=
while [ $# -gt 0 ]; do
  case $1 in
    --hours) hours=$2; shift ;;
    --slice) slice=$2; shift ;;
    --data) archive=$(realpath "$2"); shift ;;
    --fresh) fresh=yes ;;
    --install) install=yes ;;
    --smoke) smoke=yes ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done

work=${QUANTSPOT_TRAIN_DIR:-$here/../../../build/default_model}
mkdir -p "$work" && work=$(cd "$work" && pwd)
python=${QUANTSPOT_TRAIN_PYTHON:-$work/venv/bin/python}
if [ ! -x "$(command -v "$python")" ]; then
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet -r "$here/requirements.txt"
fi
if [ -n "$archive" ] && [ ! -e "$work/data/emojibase-data" ]; then
  tar -xf "$archive" -C "$work"
fi

small_vocabulary=() small_heldout=() small_autoencoder=() small_clip=() small_names=() small_flux=() small_evaluate=(--captions "$here/heldout.jsonl")
if [ -n "$smoke" ]; then
  mkdir -p "$work/data" "$work/smoke"
  rm -rf "$work/smoke"/*
  ln -sfn "$work/data" "$work/smoke/data"
  [ -d "$work/bpe" ] && ln -sfn "$work/bpe" "$work/smoke/bpe"
  work=$work/smoke hours=0.005
  export QUANTSPOT_TRAIN_NAMES=30
  small_vocabulary=(--captions 300) small_autoencoder=(--batch 2 --check 8 --log-every 1 --workers 0)
  small_clip=(--no-compile --batch 4 --check 8 --log-every 1 --workers 0) small_names=(--no-compile --batch 16 --log-every 1 --workers 0)
  small_flux=(--no-compile --scenes 500 --batch 2 --log-every 1 --workers 0)
  small_evaluate=(--captions "$work/heldout.jsonl" --precisions "bf16,bnb-nf4")
fi
export QUANTSPOT_TRAIN_DIR=$work OMP_WAIT_POLICY=PASSIVE TORCHINDUCTOR_CACHE_DIR=$work/inductor PYTHONUNBUFFERED=1
start=$work/pipeline
mkdir -p "$start"
shared=(--pipeline "$start" --threads "${QUANTSPOT_TRAIN_THREADS:-$(nproc)}")
[ -n "$slice" ] && shared+=(--until "$("$python" -c "import time, sys; print(time.time() + 60 * float(sys.argv[1]))" "$slice")")
[ -z "$fresh" ] && shared+=(--start "$tree")

finished() { # finished STAGE MINUTES: whether stages.json has it with at least that much training time
  "$python" - "$work/stages.json" "$1" "$2" <<'CODE'
import json, pathlib, sys
file, stage, minutes = pathlib.Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
record = json.loads(file.read_text()).get(stage) if file.exists() else None
sys.exit(0 if record is not None and (stage != "flux" or record["minutes"] >= 0.99 * minutes) else 1)
CODE
}
train() { # train STAGE SHARE options…
  local stage=$1 minutes
  minutes=$("$python" -c "import sys; print(60 * float(sys.argv[1]) * float(sys.argv[2]))" "$hours" "$2")
  finished "$stage" "$minutes" || "$python" "$here/$stage.py" "${shared[@]}" --minutes "$minutes" "${@:3}"
}

[ -e "$start/tokenizer_2/spiece.model" ] || "$python" "$here/vocabulary.py" --pipeline "$start" "${small_vocabulary[@]}"
train autoencoder 0.10 "${small_autoencoder[@]}"
train clip 0.20 "${small_clip[@]}"
train names 0.10 "${small_names[@]}"
train flux 0.60 "${small_flux[@]}"

model=$work/model
"$python" "$here/export.py" --pipeline "$start" --target "$model"
cp "$work/loss.csv" "$work/check.csv" "$work/autoencoder.csv" "$work/clip.csv" "$work/stages.json" "$model"
cli=${QUANTSPOT_CLI:-$tree/../../build/release/bin/quantspot-cli}
[ -n "$smoke" ] && "$python" "$here/heldout.py" --out "$work/heldout.jsonl" --each 1
if [ -x "$cli" ]; then
  rm -rf "$work/evaluation"
  "$python" "$here/evaluate.py" --model "$model" --cli "$cli" "${small_evaluate[@]}" --grid "$work/precisions.webp" --out "$model/evaluation.json"
else
  echo "$cli: not built, so there are no figures yet; build quantspot-cli and run this again" >&2
fi
if [ -n "$install" ]; then
  for part in transformer text_encoder text_encoder_2 tokenizer tokenizer_2 vae clip_score scheduler; do rm -rf "${tree:?}/$part"; done
  cp -r "$model"/. "$tree"
  [ -e "$work/precisions.webp" ] && cp "$work/precisions.webp" "$tree/../../docs/images"
  echo "installed into $tree; now remake the golden data (tests/parity/remake.sh tokenizers metrics) and rewrite MODEL_CARD.md"
fi
