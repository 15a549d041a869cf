"""Runs quantspot-cli and diffusers on random pipelines of the families beside FLUX and prints how far apart they are.

    compare_families.py --cli build/release/bin/quantspot-cli [--families sd,sdxl,sd3,pixart,dit] --count 10 [--first 0] [--keep DIR] [--precisions bnb-nf4,…]

Folder number K of a family is the same for everyone. Exit 1 when an fp32 image differs by more than one level of 255, fp32 latents by more than
1e-4 relative, the noise by a bit, or quantspot-cli fails where diffusers does not. What diffusers refuses is printed and not counted.
--precisions draws in bf16 and in these, with the denoiser quantized by the reference libraries (reference_precisions.py), from the same noise:
how far ours lies from the reference's latents, and how far those lie from the reference's bf16. `vae.decoder=quanto-int8` (Stable Diffusion and SDXL)
compares pictures whose decoder alone is packed.
"""

import argparse
import hashlib
import json
import logging
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import diffusers
import numpy as np
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file

import sd_cases
import transformer_cases
from random_families import FAMILIES, draw_case
from reference_precisions import PRECISIONS

LATENT_LIMIT, LEVEL_LIMIT = 1e-4, 1


def build(family: str, spec, folder: Path, recipe: dict) -> None:
    if family in ("sd", "sdxl"):
        sd_cases.build(spec, folder, recipe)
    else:
        transformer_cases.RECIPES[folder.name] = recipe
        transformer_cases.build(folder.name, spec, folder)


@torch.no_grad()
def half(family: str, folder: Path, recipe: dict, noise: torch.Tensor, change=None) -> torch.Tensor:
    """Latents of the reference in bf16 from this noise, the denoiser changed."""
    module = sd_cases if family in ("sd", "sdxl") else transformer_cases
    pipe = module.load(folder, torch.bfloat16)
    if change is not None:
        change(pipe.unet if hasattr(pipe, "unet") else pipe.transformer)
    if module is transformer_cases:
        return module.run(pipe, recipe, noise.bfloat16())[0].float()
    call = recipe | dict(clip_skip=recipe.get("clip_skip") or None)
    return pipe(output_type="latent", latents=noise.bfloat16(), **sd_cases.reference_call(call)).images.float()


def distance(value: torch.Tensor, wanted: torch.Tensor) -> float:
    return ((value.reshape(wanted.shape) - wanted).norm() / wanted.norm()).item()


@torch.no_grad()
def decoded(folder: Path, recipe: dict, noise: torch.Tensor, precision: str) -> np.ndarray:
    """The reference's bf16 picture (Stable Diffusion, SDXL) with the autoencoder's decoder in this precision."""
    pipe = sd_cases.load(folder, torch.bfloat16)
    PRECISIONS[precision](pipe.vae.decoder)
    call = sd_cases.reference_call(recipe | dict(clip_skip=recipe.get("clip_skip") or None))
    return np.asarray(pipe(output_type="pil", latents=noise.bfloat16(), **call).images[0])


def quantized(family: str, folder: Path, recipe: dict, cli: Path, scratch: Path, noise: torch.Tensor, precisions: list[str]) -> None:
    plain = half(family, folder, recipe, noise)
    save_file({"latents": noise.contiguous()}, scratch / "noise.safetensors")
    for precision in ["bf16", *precisions]:
        try:
            if precision.startswith("vae.decoder="):
                ours, wanted = generate(cli, folder, recipe, scratch, f"bf16?{precision}", scratch / "noise.safetensors")[1], decoded(folder, recipe, noise, precision[12:])
                print(f"    {precision:40} pictures at most {np.abs(ours.astype(int) - wanted).max()} levels apart", flush=True)
                continue
            wanted = plain if precision == "bf16" else half(family, folder, recipe, noise, PRECISIONS[precision])
            ours = generate(cli, folder, recipe, scratch, precision, scratch / "noise.safetensors")[0]
            print(f"    {precision:40} {distance(ours, wanted):.1e} from the reference, which is {distance(wanted, plain):.1e} from its bf16", flush=True)
        except Exception as error:  # noqa: BLE001: whatever a reference cannot do with such a shape
            print(f"    {precision:40} {type(error).__name__}: {str(error).splitlines()[0][:120]}", flush=True)


@torch.no_grad()
def reference(family: str, folder: Path, recipe: dict) -> tuple[torch.Tensor, np.ndarray]:
    if family not in ("sd", "sdxl"):
        return transformer_cases.run(transformer_cases.load(folder, torch.float32), recipe)
    pipe = sd_cases.load(folder, torch.float32)
    call = recipe | dict(clip_skip=recipe.get("clip_skip") or None)
    latents = pipe(output_type="latent", **sd_cases.reference_call(call)).images
    images = pipe(output_type="pil", **sd_cases.reference_call(call)).images
    return latents, np.stack([np.asarray(image) for image in images])


def generate(cli: Path, folder: Path, recipe: dict, scratch: Path, precision: str = "fp32", noise: Path | None = None) -> tuple[torch.Tensor, np.ndarray, dict]:
    out = scratch / "ours"
    command = [cli, "generate", "--model", folder, "--precision", precision, "--prompt", recipe["prompts"][0], "--seed", recipe["seeds"][0], "--steps", recipe["steps"],
               "--width", recipe["width"], "--height", recipe["height"], "--guidance", recipe["guidance"], "--no-cache", "--out", f"{out}.png", "--report", f"{out}.json",
               "--latents-out", f"{out}.safetensors"]
    if noise is not None:
        command += ["--latents-in", noise]
    if recipe["negative_prompt"] is not None:
        command += ["--negative-prompt", recipe["negative_prompt"]]
    for key, option in (("max_sequence_length", "--max-sequence-length"), ("guidance_rescale", "--guidance-rescale"), ("clip_skip", "--clip-skip")):
        if recipe.get(key):
            command += [option, recipe[key]]
    if recipe.get("use_resolution_binning"):
        command += ["--bin-size"]
    for key, option, mark in (("original_size", "--original-size", "x"), ("target_size", "--target-size", "x"), ("crop", "--crop", ",")):
        if key in recipe:
            command += [option, mark.join(map(str, recipe[key]))]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, errors="replace", timeout=600)
    if done.returncode != 0:
        raise RuntimeError(f"exit {done.returncode}: {done.stderr.strip()[:200] or 'no message'}")
    (latents,) = load_file(f"{out}.safetensors").values()
    return latents.float(), np.asarray(Image.open(f"{out}.png").convert("RGB")), json.loads(Path(f"{out}.json").read_text())


def compare(family: str, number: int, cli: Path, keep: Path, scratch: Path, precisions: list[str]) -> str | None:
    """The problem, or None; prints a line."""
    spec, recipe = draw_case(family, number)
    folder = keep / f"{family}_{number}"
    label = f"{folder.name:12} {spec.scheduler[:-9]:26} steps {recipe['steps']:2} {recipe['width']}x{recipe['height']} guidance {recipe['guidance']}"
    try:
        if not (folder / "model_index.json").exists():
            build(family, spec, folder, recipe)
        wanted, picture = reference(family, folder, recipe)
    except Exception as error:  # noqa: BLE001: whatever the reference cannot do
        print(f"{label}  diffusers: {type(error).__name__}: {str(error).splitlines()[0][:110]}", flush=True)
        return None
    problem = None
    try:
        latents, image, report = generate(cli, folder, recipe, scratch)
        far = distance(latents, wanted) if latents.numel() == wanted.numel() else float("inf")
        off = int(np.abs(image.astype(int) - picture[0]).max()) if image.shape == picture[0].shape else 255
        noise = torch.randn(wanted[:1].shape, generator=torch.Generator().manual_seed(recipe["seeds"][0]))
        if report["noise_sha256"] != hashlib.sha256(noise.numpy().tobytes()).hexdigest():
            problem = "noise"
        if not far <= LATENT_LIMIT or off > LEVEL_LIMIT:
            problem = "over the limits"
        print(f"{label}  levels {off:3} latents {far:.1e}  {problem or ''}", flush=True)
        if precisions:
            quantized(family, folder, recipe, cli, scratch, noise, precisions)
    except (RuntimeError, KeyError, subprocess.TimeoutExpired) as error:
        problem = str(error)
        print(f"{label}  {problem}", flush=True)
    return problem


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cli", type=Path, required=True)
    parser.add_argument("--families", default=",".join(FAMILIES))
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="number of the first random folder")
    parser.add_argument("--keep", type=Path, help="where the random folders stay")
    parser.add_argument("--precisions", default="", help=f"also these, separated by commas: {', '.join(PRECISIONS)}")
    options = parser.parse_args()
    precisions = [precision for precision in options.precisions.split(",") if precision]
    warnings.filterwarnings("ignore")
    logging.disable(logging.ERROR)
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
    failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        for family in options.families.split(","):
            for number in range(options.first, options.first + options.count):
                failed += compare(family, number, options.cli, options.keep or Path(temporary), Path(temporary), precisions) is not None
    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
