"""Exports a pipeline at every precision, runs each export's run.py with the reference packages, and compares with quantspot-cli's own picture.

check_export.py --cli PATH/quantspot-cli --model FOLDER [--precisions ID,…] [--prompt P] [--width W] [--height H] [--steps N] [--keep DIR]
For a CPU: what the references refuse there although their arithmetic runs (bitsandbytes in diffusers, torchao's dynamic fp8) is let through.
Exits with 1 when a picture's PSNR against ours is below --psnr, or an export cannot be loaded.
"""

import argparse
import json
import logging
import runpy
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import bitsandbytes
import diffusers
import numpy as np
import torch
import torchao.quantization.quant_api as torchao_api
import transformers
from diffusers.quantizers.bitsandbytes import bnb_quantizer
from PIL import Image

from quant_cases import dequantize

PRECISIONS = ("fp32,bf16,fp16,fp8-layerwise,fp8-layerwise-e5m2,bnb-int8,bnb-nf4,bnb-nf4-dq,bnb-fp4,bnb-fp4-dq,torchao-int8wo,torchao-int8dq,"
              "torchao-fp8wo,torchao-fp8dq,quanto-int8,quanto-int8a8,quanto-int4,quanto-int2,quanto-fp8,int8-dynamic,int8-dynamic?weights=per-channel,"
              "gguf-q8_0,gguf-q6_k,gguf-q5_k,gguf-q4_k,gguf-q3_k,gguf-q2_k,gguf-q5_1,gguf-q5_0,gguf-q4_1,gguf-q4_0")


def let_a_cpu_through() -> None:
    torchao_api._check_hardware_support = lambda granularity: None
    # its fused kernel takes only some shapes, and scales in bf16; the other takes wrong scales where rows are no multiple of 64
    bitsandbytes.nn.modules.has_avx512bf16 = lambda: False
    bitsandbytes.matmul_4bit = lambda x, weight, quant_state, bias=None: torch.nn.functional.linear(x, dequantize(weight.data, quant_state).to(x.dtype), bias)
    for quantizer in (bnb_quantizer.BnB4BitDiffusersQuantizer, bnb_quantizer.BnB8BitDiffusersQuantizer):
        quantizer.validate_environment = lambda self, *args, **kwargs: None
        quantizer.update_device_map = lambda self, device_map: {"": "cpu"}


def quieten() -> None:
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()


def run(cli: str, *arguments: str) -> None:
    done = subprocess.run([cli, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit code {done.returncode}")


def compare(options: argparse.Namespace, precision: str, folder: Path) -> str:
    name = "".join(c if c.isalnum() or c in "-." else "+" for c in precision)
    picture, export = folder / f"{name}.png", folder / name
    recipe = ["--model", options.model, "--precision", precision, "--prompt", options.prompt, "--seed", "7", "--steps", str(options.steps),
              "--width", str(options.width), "--height", str(options.height)]
    if precision == "quanto-int8a8":
        prompts = folder / "calibration.txt"
        prompts.write_text(options.prompt + "\na panda\n")
        recipe += ["--calibrate", str(prompts)]
    run(options.cli, "generate", *recipe, "--threads", "2", "--no-cache", "--out", str(picture), "--report", str(picture.with_suffix(".json")))
    run(options.cli, "export", "--model", options.model, "--precision", precision, "--images", str(picture), "--out", str(export), "--force")
    sys.argv = ["run.py", str(folder / f"{name}-reference.png"), "cpu"]
    sys.path.insert(0, str(export))   # as a program that is started finds the modules beside it
    try:
        globals_ = runpy.run_path(str(export / "run.py"))
    finally:
        sys.path.remove(str(export))
        sys.modules.pop("load_gguf", None)
    ours = np.asarray(Image.open(picture).convert("RGB")).astype(float)
    theirs = np.asarray(globals_["image"].convert("RGB")).astype(float)
    error = float(((ours - theirs) ** 2).mean())
    psnr = 99.0 if error == 0 else 10 * float(np.log10(255 ** 2 / error))
    files = json.loads((export / "manifest.json").read_text())["files"]
    line = f"{precision:28} PSNR {psnr:5.1f} dB, largest difference {int(np.abs(ours - theirs).max()):3}, {sum(f['bytes'] for f in files) / 1e6:.2f} MB"
    return line if psnr >= options.psnr else line + "  TOO FAR"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cli", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--precisions", default=PRECISIONS)
    parser.add_argument("--prompt", default="a fox on a yellow background")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--height", type=int, default=128)
    parser.add_argument("--psnr", type=float, default=30)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    quieten()
    let_a_cpu_through()
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(exist_ok=True)
        for precision in options.precisions.split(","):
            try:
                with torch.no_grad():
                    line = compare(options, precision, folder)
            except Exception as error:
                line = f"{precision:28} FAILED: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            failed += "FAILED" in line or "TOO FAR" in line
            print(line, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
