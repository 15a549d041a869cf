"""Loads our GGUF exports in stable-diffusion.cpp, renders the same seed there, and compares with quantspot-cli's picture.

check_sdcpp.py --cli PATH/quantspot-cli --sd-cli PATH/sd-cli [--models sd,sd2,sdxl,flux] [--precisions gguf-q8_0,gguf-q4_k] [--keep DIR] [--size 128]

sd-cli is the program of the sources in the package stable-diffusion-cpp-python (0.4.7 was used), which its CMakeLists.txt builds. The pipelines are
random ones in the real shapes (sdcpp_models.py): SD 1.5 and SD 2.1 take 2 GB of disk and 8 GB of memory to make, SDXL 8 and 2, FLUX 2 and 6. Exit 1
when a tensor is unknown or missing there, or its picture is neither as near to ours as --psnr nor as near to our fp32 picture as ours is: it computes in
fp32 with activations rounded to 8 bits, we in bf16 without, and random weights magnify what bf16 rounds. FLUX is drawn with a guidance and at times
that bf16 holds a thousandfold, for diffusers rounds them so, and 3.5 would be 3.504 for us alone. SDXL has no fp32 picture (10 GB).
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from sdcpp_models import PROMPT, build

COMPLAINTS = re.compile(r"unknown tensor|not in model file|missing|wrong shape|\[(?:WARN|ERROR)", re.IGNORECASE)


def run(*command: object) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name}: exit code {done.returncode}: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout + done.stderr


def parts(export: Path, model: str) -> list[object]:
    """What goes to sd-cli beside the denoiser's file."""
    if model != "flux":   # what SD 2 predicts that program tells by the output, which takes real weights
        return ["-m", export / "text-encoders-and-vae.safetensors", "--scheduler", "discrete", *(["--prediction", "v"] if model == "sd2" else [])]
    return ["--clip_l", export / "pipeline" / "text_encoder" / "model.safetensors", "--guidance", 4, "--scheduler", "simple", "--flow-shift", 0,
            "--vae", export / "pipeline" / "vae" / "diffusion_pytorch_model.safetensors"]


def psnr(one: Path, other: Path) -> float:
    a, b = (np.asarray(Image.open(path).convert("RGB")).astype(float) for path in (one, other))
    error = float(((a - b) ** 2).mean())
    return 99.0 if error == 0 else 10 * float(np.log10(255 ** 2 / error))


def compare(options: argparse.Namespace, model: str, precision: str, folder: Path) -> str:
    pipeline, export, size = folder / model, folder / f"{model}-{precision}", options.size
    ours, theirs = folder / f"{model}-{precision}.png", folder / f"{model}-{precision}-sdcpp.png"
    steps, guidance = (2, 4) if model == "flux" else (4, 1)    # of FLUX such as bf16 holds a thousandfold
    recipe = ["--model", pipeline, "--prompt", PROMPT, "--seed", 7, "--steps", steps, "--width", size, "--height", size,
              "--guidance", guidance] + (["--max-sequence-length", 256] if model == "flux" else [])
    exact = folder / f"{model}-fp32.png"
    if model != "sdxl" and not exact.exists():
        run(options.cli, "generate", *recipe, "--precision", "fp32", "--no-cache", "--out", exact)
    recipe += ["--precision", precision]
    run(options.cli, "generate", *recipe, "--no-cache", "--out", ours)
    run(options.cli, "export", *recipe, "--out", export, "--force")
    (denoiser,) = export.glob("*.gguf")
    log = run(options.sd_cli, "--diffusion-model", denoiser, *parts(export, model), "-p", PROMPT, "--steps", steps, "--seed", 7,
              "-W", size, "-H", size, "--cfg-scale", 1, "--sampling-method", "euler", "--rng", "cpu", "-v", "-o", theirs)
    for line in log.splitlines():
        if COMPLAINTS.search(line) and not re.search(options.allow, line):
            return f"{model:5} {precision:12} FAILED: {line.strip()}"
    kinds = re.search(r"Diffusion model weight type stat: *(.*)", log)
    near, far = psnr(theirs, ours), (psnr(theirs, exact), psnr(ours, exact)) if exact.exists() else (0.0, 99.0)
    line = f"{model:5} {precision:12} PSNR to ours {near:.1f} dB" + (f", to our fp32 {far[0]:.1f} (ours: {far[1]:.1f})" if exact.exists() else "")
    line += f", tensors {' '.join(kinds[1].split()) if kinds else '?'}"
    return line if near >= options.psnr or far[0] >= far[1] else line + "  TOO FAR"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cli", required=True)
    parser.add_argument("--sd-cli", required=True)
    parser.add_argument("--models", default="sd,sd2,sdxl,flux")
    parser.add_argument("--precisions", default="gguf-q8_0,gguf-q4_k")
    parser.add_argument("--keep", type=Path, help="where the pipelines stay")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--psnr", type=float, default=30)
    parser.add_argument("--allow", default=r"t5xxl text encoder not found|No valid VAE specified with --vae", help="complaints that mean nothing")
    options = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        for model in options.models.split(","):
            if not (folder / model / "model_index.json").exists():
                build(model, folder / model, options.size)
            for precision in options.precisions.split(","):
                try:
                    line = compare(options, model, precision, folder)
                except (RuntimeError, ValueError) as error:
                    line = f"{model:5} {precision:12} FAILED: {error}"
                failed += "FAILED" in line or "TOO FAR" in line
                print(line, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
