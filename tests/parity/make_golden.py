"""Remakes the golden data: make_golden.py [GROUP …]; all groups when none is named."""

import importlib
import logging
import sys
import warnings
from pathlib import Path

import diffusers
import transformers

GROUPS = {name: f"{name.removesuffix('s')}_cases"
          for name in ("flux", "sd", "single", "quant", "gguf", "torchao", "quanto", "dynamic", "checkpoints", "export", "lora", "sd_lora",
                       "tokenizers", "metrics", "scores", "set_pairs", "schedulers", "transformers", "manifest", "image_to_image", "guided_unets", "flops", "softmax", "dit_schedulers", "pixart_bins")}


def main() -> int:
    here = Path(__file__).parent
    names = sys.argv[1:] or list(GROUPS)
    if unknown := set(names) - set(GROUPS):
        print(f"make_golden.py: no group {', '.join(unknown)}; there are {', '.join(GROUPS)}", file=sys.stderr)
        return 2
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
    for name in names:
        importlib.import_module(GROUPS[name]).make(here / "golden")
    size = sum(file.stat().st_size for file in (here / "golden").rglob("*") if file.is_file())
    print(f"golden data: {size / 1e6:.2f} MB")
    return 0 if size < 12e6 else 1


if __name__ == "__main__":
    sys.exit(main())
