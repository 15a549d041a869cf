"""Runs quantspot-cli and diffusers on pipelines that no golden file holds and prints how far apart they are.

    compare_with_diffusers.py --cli build/dev/app/quantspot-cli --count 10 [--first 0] [--model FOLDER …] [--keep DIR]

Folder number K is the same for everyone. Exit 1 when an fp32 image differs by more than one level of 255, fp32 latents by
more than 1e-4 relative, the noise by a bit, or quantspot-cli fails. bf16 is compared with diffusers in bf16 from the same
noise; its column stands beside the distance between the reference's own bf16 and fp32.
"""

import argparse
import hashlib
import json
import logging
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import diffusers
import numpy as np
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file

import flux_cases
from random_pipeline import build
from random_specs import draw_recipe, draw_spec, large_recipe, large_spec
from reference_precisions import PRECISIONS

LATENT_LIMIT, LEVEL_LIMIT = 1e-4, 1


@dataclass
class Result:
    name: str
    levels: int = 255             # largest difference of the 8-bit images, fp32
    latents: float = float("inf")  # relative, fp32
    bf16: float = float("inf")     # relative, bf16 against the reference's bf16
    bf16_reference: float = 0      # relative, the reference's bf16 against its fp32
    bf16_levels: int = 255
    quantized: dict[str, tuple[float, float]] = field(default_factory=dict)  # id -> distances: ours, its own
    problems: list[str] = field(default_factory=list)


def generate(cli: Path, folder: Path, recipe: dict, precision: str, scratch: Path, noise: Path | None) -> tuple:
    """(latents, image, report) of quantspot-cli; RuntimeError with its last line when it fails."""
    out = scratch / precision
    command = [cli, "generate", "--model", folder, "--precision", precision, "--prompt", recipe["prompts"][0],
               "--seed", recipe["seed"], "--steps", recipe["steps"], "--width", recipe["width"], "--height",
               recipe["height"], "--guidance", recipe["guidance"], "--max-sequence-length",
               recipe["max_sequence_length"], "--out", f"{out}.png", "--report", f"{out}.json", "--latents-out",
               f"{out}.safetensors"]
    if recipe["negative_prompt"] is not None:
        command += ["--true-cfg", recipe["true_cfg"], "--negative-prompt", recipe["negative_prompt"]]
    if noise is not None:
        command += ["--latents-in", noise]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, errors="replace", timeout=600)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise RuntimeError(f"{precision}: exit {done.returncode}: {last}")
    (latents,) = load_file(f"{out}.safetensors").values()
    return latents.float(), np.asarray(Image.open(f"{out}.png").convert("RGB")), json.loads(Path(f"{out}.json").read_text())


def reference(folder: Path, recipe: dict, dtype: torch.dtype, change: Callable | None = None) -> tuple:
    """(latents, image, noise, packed noise) of diffusers; the noise is always drawn in fp32 and cast."""
    pipe = flux_cases.load(folder, dtype)
    if change is not None:
        change(pipe.transformer)
    noise, packed = flux_cases.draw_noise(pipe, recipe)
    with torch.no_grad():
        latents = pipe(output_type="latent", latents=packed.to(dtype), **flux_cases.reference_call(recipe)).images
        _, image = flux_cases.decode(pipe, latents, recipe)
    return latents.float(), image[0].numpy(), noise, packed


def distance(value: torch.Tensor, wanted: torch.Tensor) -> float:
    if value.numel() != wanted.numel():
        return float("inf")
    return ((value.reshape(wanted.shape) - wanted).norm() / wanted.norm()).item()


def levels(image: np.ndarray, wanted: np.ndarray) -> int:
    return int(np.abs(image.astype(int) - wanted).max()) if image.shape == wanted.shape else 255


def compare(name: str, cli: Path, folder: Path, recipe: dict, scratch: Path, precisions: list[str]) -> Result:
    result = Result(name)
    wanted, wanted_image, noise, packed = reference(folder, recipe, torch.float32)
    half, half_image, _, _ = reference(folder, recipe, torch.bfloat16)
    result.bf16_reference = distance(half, wanted)
    save_file({"latents": packed.contiguous()}, scratch / "noise.safetensors")
    try:
        latents, image, report = generate(cli, folder, recipe, "fp32", scratch, None)
        result.latents, result.levels = distance(latents, wanted), levels(image, wanted_image)
        if report["noise_sha256"] != hashlib.sha256(noise.numpy().tobytes()).hexdigest():
            result.problems.append("noise_sha256")
        latents, image, _ = generate(cli, folder, recipe, "bf16", scratch, scratch / "noise.safetensors")
        result.bf16, result.bf16_levels = distance(latents, half), levels(image, half_image)
        for precision in precisions:
            quantized = reference(folder, recipe, torch.bfloat16, PRECISIONS[precision])[0]
            latents = generate(cli, folder, recipe, precision, scratch, scratch / "noise.safetensors")[0]
            result.quantized[precision] = distance(latents, quantized), distance(quantized, half)
    except (RuntimeError, KeyError, subprocess.TimeoutExpired) as error:
        result.problems.append(str(error))
    if result.levels > LEVEL_LIMIT or not result.latents <= LATENT_LIMIT:
        result.problems.append("over the fp32 limits")
    return result


def cases(options: argparse.Namespace, scratch: Path):
    """Yields (name, folder, recipe)."""
    for seed in range(options.first, options.first + options.count):
        folder = (options.keep or scratch) / f"random_{seed}"
        recipe = draw_recipe(seed)
        if not folder.exists():
            build(draw_spec(seed), folder, (recipe["width"], recipe["height"]))
        yield folder.name, folder, recipe
    if options.large:
        folder, recipe = (options.keep or scratch) / "large", large_recipe()
        if not folder.exists():
            build(large_spec(), folder, (recipe["width"], recipe["height"]))
        yield folder.name, folder, recipe
    for index, folder in enumerate(options.model):
        recipe = dict(prompts=["a fox on a yellow background"], seed=3 + index, steps=4, width=128, height=96, guidance=3.5,
                      true_cfg=1.0, negative_prompt=None, max_sequence_length=64)
        yield folder.name, folder, recipe


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cli", type=Path, required=True)
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--first", type=int, default=0, help="number of the first random folder")
    parser.add_argument("--model", type=Path, action="append", default=[], help="an existing folder, as well")
    parser.add_argument("--keep", type=Path, help="where the random folders stay")
    parser.add_argument("--large", action="store_true", help="also one of 80 million weights, in FLUX.1's proportions")
    parser.add_argument("--precisions", default="", help=f"also these, separated by commas: {', '.join(PRECISIONS)}")
    options = parser.parse_args()
    precisions = [precision for precision in options.precisions.split(",") if precision]
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
    failed = 0
    print(f"{'folder':16} {'fp32 levels':>11} {'fp32 latents':>13} {'bf16 latents':>13} {'(its own)':>10} {'bf16 levels':>11}")
    with tempfile.TemporaryDirectory() as temporary:
        for name, folder, recipe in cases(options, Path(temporary)):
            row = compare(name, options.cli, folder, recipe, Path(temporary), precisions)
            failed += bool(row.problems)
            print(f"{row.name:16} {row.levels:11} {row.latents:13.2e} {row.bf16:13.2e} {row.bf16_reference:10.2e} "
                  f"{row.bf16_levels:11}  {'; '.join(row.problems)}", flush=True)
            for precision, (ours, own) in row.quantized.items():
                print(f"    {precision:18} latents {ours:.2e} from the reference, which is {own:.2e} from its bf16")
    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
