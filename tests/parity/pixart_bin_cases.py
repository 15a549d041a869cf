"""PixArt-Σ with the pipeline's binning of sizes: one picture of pixart_a's weights as a model of 256 pixels, and bins of many sizes."""

import json
import random
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch
from diffusers.image_processor import PixArtImageProcessor
from diffusers.pipelines.pixart_alpha import pipeline_pixart_alpha, pipeline_pixart_sigma
from safetensors.torch import save_file

from transformer_cases import load, run

BINS = {32: pipeline_pixart_alpha.ASPECT_RATIO_256_BIN, 64: pipeline_pixart_alpha.ASPECT_RATIO_512_BIN, 128: pipeline_pixart_alpha.ASPECT_RATIO_1024_BIN,
        256: pipeline_pixart_sigma.ASPECT_RATIO_2048_BIN}
SIZE = (120, 72)   # width, height


def bins() -> list:
    rng = random.Random(5)
    sizes = [(8 * rng.randint(2, 512), 8 * rng.randint(2, 512)) for _ in range(150)] + [(1024, 1024), (512, 2048), (1360, 768), (1600, 904), (16, 4096)]
    return [[sample, width, height, *reversed(PixArtImageProcessor.classify_height_width_bin(height, width, ratios=table))]
            for sample, table in BINS.items() for width, height in sizes]


@torch.no_grad()
def make(golden: Path) -> None:
    recipe = json.loads((golden / "pixart_a" / "case.json").read_text(encoding="utf-8"))
    recipe |= dict(prompts=recipe["prompts"][:1], seeds=recipe["seeds"][:1], steps=2, width=SIZE[0], height=SIZE[1], use_resolution_binning=True)
    with tempfile.TemporaryDirectory() as folder:
        pipeline = Path(folder) / "pipeline"
        shutil.copytree(golden / "pixart_a" / "pipeline", pipeline)
        config = json.loads((pipeline / "transformer" / "config.json").read_text())
        (pipeline / "transformer" / "config.json").write_text(json.dumps(config | {"sample_size": 32}))
        latents, picture = run(load(pipeline, torch.float32), recipe)
    folder = golden / "pixart_bins"
    folder.mkdir(exist_ok=True)
    save_file({"latents": latents.contiguous(), "image_u8": torch.from_numpy(np.ascontiguousarray(picture))}, folder / "expected.safetensors")
    (folder / "expected.safetensors").chmod(0o644)
    (folder / "bins.json").write_text(json.dumps(bins(), separators=(",", ":")) + "\n")
    print(f"pixart_bins: latents {tuple(latents.shape)}, picture {picture.shape}")
