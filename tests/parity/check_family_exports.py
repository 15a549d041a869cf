"""Exports random pipelines of the families beside FLUX, loads them with diffusers as they lie there, and compares the latents with ours.

    check_family_exports.py --cli PATH/quantspot-cli [--families sd,sdxl,sd3,pixart,dit] [--precisions bnb-nf4,bnb-int8] [--count 2] [--keep DIR] [--wide]

Folder number K of a family is that of compare_families.py; --wide takes one SDXL of real widths in their place. diffusers refuses bitsandbytes on a CPU, whose arithmetic runs there: let through. Both
draw in bf16 from the same noise. Exit 1 when an export cannot be made or loaded, or lies further from ours than bf16 lies from fp32 there and than
three times what our bf16 lies from diffusers' bf16 (sums of attention are rounded in another order there; int8 magnifies it).
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import save_file

from check_export import let_a_cpu_through, quieten
from compare_families import build, distance, generate, half, reference
from random_families import draw_case, wide_sdxl


def export(cli: Path, folder: Path, recipe: dict, precision: str, out: Path) -> None:
    done = subprocess.run([cli, "export", "--model", folder, "--precision", precision, "--out", out, "--force", "--prompt", recipe["prompts"][0], "--seed",
                           str(recipe["seeds"][0]), "--steps", str(recipe["steps"]), "--width", str(recipe["width"]), "--height", str(recipe["height"])],
                          capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit code {done.returncode}")


def compare(family: str, number: int | str, options: argparse.Namespace, keep: Path, scratch: Path) -> int:
    spec, recipe = wide_sdxl() if number == "wide" else draw_case(family, number)
    folder, failed = keep / f"{family}_{number}", 0
    try:
        if not (folder / "model_index.json").exists():
            build(family, spec, folder, recipe)
        wanted, _ = reference(family, folder, recipe)
    except Exception as error:  # noqa: BLE001: whatever the reference cannot do, as in compare_families.py
        print(f"{folder.name:10} diffusers: {type(error).__name__}: {str(error).splitlines()[0][:110]}", flush=True)
        return 0
    noise = torch.randn(wanted[:1].shape, generator=torch.Generator().manual_seed(recipe["seeds"][0]))
    save_file({"latents": noise.contiguous()}, scratch / "noise.safetensors")
    plain = half(family, folder, recipe, noise)
    coarse = distance(plain, wanted)
    apart = distance(generate(options.cli, folder, recipe, scratch, "bf16", scratch / "noise.safetensors")[0], plain)
    for precision in options.precisions.split(","):
        out = scratch / f"{family}_{number}_{precision}"
        try:
            export(options.cli, folder, recipe, precision, out)
            part = out / "pipeline" / ("unet" if (out / "pipeline" / "unet").exists() else "transformer")
            method = json.loads((part / "config.json").read_text())["quantization_config"]["quant_method"]
            theirs = half(family, out / "pipeline", recipe, noise)
            ours, _, _ = generate(options.cli, folder, recipe, scratch, precision, scratch / "noise.safetensors")
            far = distance(ours, theirs)
            problem = "" if far <= max(coarse, 3 * apart) else "  TOO FAR"
            line = (f"{method}: ours from the loaded export {far:.1e} (in bf16 {apart:.1e}), the export from bf16 {distance(theirs, plain):.1e}, "
                    f"bf16 from fp32 {coarse:.1e}")
        except Exception as error:  # noqa: BLE001: whatever cannot load it
            problem, line = "  FAILED", f"{type(error).__name__}: {str(error).splitlines()[0][:160] if str(error) else ''}"
        failed += bool(problem)
        print(f"{folder.name:10} {precision:11} {line}{problem}", flush=True)
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cli", type=Path, required=True)
    parser.add_argument("--families", default="sd,sdxl,sd3,pixart,dit")
    parser.add_argument("--precisions", default="bnb-nf4,bnb-int8")
    parser.add_argument("--count", type=int, default=2)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--wide", action="store_true")
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    quieten()
    let_a_cpu_through()
    failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        for family in ["sdxl"] if options.wide else options.families.split(","):
            for number in ["wide"] if options.wide else range(options.first, options.first + options.count):
                failed += compare(family, number, options, options.keep or Path(temporary), Path(temporary))
    print(f"{failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
