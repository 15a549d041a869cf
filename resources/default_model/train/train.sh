#!/bin/bash
# Makes the default model: data, tokenizers, autoencoder, small CLIP, FLUX, export, figures. Safe to run again: finished parts are kept and
# FLUX goes on from its checkpoint. Starts from the committed weights; `train.sh --fresh` starts from nothing.
#   MINUTES=110 resources/default_model/train/train.sh            # time for FLUX, earlier runs counted in
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
model=$(dirname "$here")
work=${QUANTSPOT_TRAIN_DIR:-$here/../../../build/default_model}
mkdir -p "$work" && work=$(cd "$work" && pwd)
export QUANTSPOT_TRAIN_DIR=$work OMP_WAIT_POLICY=PASSIVE

if [ ! -x "$work/venv/bin/python" ]; then
  python3 -m venv "$work/venv"
  "$work/venv/bin/pip" install --quiet -r "$here/requirements.txt"
fi
python="$work/venv/bin/python"

start=$work/start
if [ ! -d "$start" ]; then
  mkdir "$start"
  cp "$model/model_index.json" "$start"
  if [ "${1:-}" = --fresh ]; then
    "$python" "$here/vocabulary.py" --pipeline "$start"
    "$python" "$here/autoencoder.py" --pipeline "$start"
    "$python" "$here/clip.py" --pipeline "$start"
  else
    cp -r "$model"/{vae,text_encoder,text_encoder_2,tokenizer,tokenizer_2,transformer,clip_score} "$start"
  fi
fi
"$python" "$here/flux.py" --pipeline "$start" --work "$work" --minutes "${MINUTES:-110}"
"$python" "$here/export.py" --pipeline "$start" --work "$work" --target "$model"
"$python" "$here/evaluate.py" --pipeline "$model" --out "$model/evaluation.json" --sheet "$model/samples.png"
cp "$work/loss.csv" "$model/loss.csv"
