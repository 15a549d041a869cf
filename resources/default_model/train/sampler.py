"""Draws pictures with the networks in training, as FluxPipeline would: 20 Euler steps, no guidance."""
from pathlib import Path
from typing import Callable

import numpy as np
import torch
from diffusers import AutoencoderTiny
from PIL import Image

import pictures
from latents import Texts, unpack
from workplace import device

STEPS = 20
PREVIEW = {  # size, and captions to look at while training goes on
    (128, 128): ("a fox on a yellow background", "a panda on a pink background", "a small owl on a purple background",
                 "three lemons on a blue background",
                 "a castle in the top left corner of a teal background",
                 "a dog to the left of a soccer ball on a white background",
                 "a penguin above a crown on a background of blue beside orange", "a robot above a sign that says HELLO on a green background"),
    (192, 128): ("a rocket on a black background", "a fox, an owl and a cactus on a gray background", "two red apples on a white background",
                 "a sign that says OPEN on a pink background"),
}


@torch.no_grad()
def sample(velocity: Callable, vae: AutoencoderTiny, ids: torch.Tensor, pooled: torch.Tensor, frame: tuple[int, int], seed: int) -> np.ndarray:
    """(b, height, width, 3) uint8; velocity(x, sigma, ids, pooled, frame) is the transformer."""
    width, height = frame
    noise = torch.randn(len(ids), width * height // 256, 64, generator=torch.Generator().manual_seed(seed))
    x, sigmas = noise.to(device()), torch.linspace(1, 1 / STEPS, STEPS).tolist() + [0.0]
    for now, after in zip(sigmas, sigmas[1:]):
        x = x + (after - now) * velocity(x, torch.full((len(ids),), now, device=device()), ids, pooled, frame)
    return pictures.to_bytes(vae.decode(unpack(x, width, height) / vae.config.scaling_factor).sample)


def preview(velocity: Callable, pipeline: Path, file: Path) -> None:
    """Writes PREVIEW as one PNG, four captions to a row."""
    texts, rows = Texts(pipeline), []
    vae = pictures.autoencoder(pipeline).to(device())
    for frame, captions in PREVIEW.items():
        drawn = sample(velocity, vae, *texts.encode(list(captions)), frame, seed=1)
        rows += [np.concatenate(list(drawn[i:i + 4]), axis=1) for i in range(0, len(drawn), 4)]
    wide = max(row.shape[1] for row in rows)
    Image.fromarray(np.concatenate([np.pad(row, ((0, 0), (0, wide - row.shape[1]), (0, 0))) for row in rows])).save(file)
