"""Endless training pictures: chunks of rendered scenes, each made from its own number, in this process or in workers beside it."""
import itertools
from pathlib import Path
from typing import Callable, Iterator

import numpy as np
import torch
from diffusers import AutoencoderTiny

import emoji
import render
from scenes import Scene


class _Numbered(torch.utils.data.Dataset):
    def __init__(self, make: Callable[[int], object]):
        self.make = make

    def __getitem__(self, index: int):
        return self.make(index)


def stream(make: Callable[[int], object], first: int, workers: int) -> Iterator:
    """make(first), make(first + 1), …: in order and the same for any number of workers."""
    for side in emoji.SIDES:
        emoji.pictures(side)  # written before the workers look for it
    ahead = dict(prefetch_factor=4, persistent_workers=True, multiprocessing_context="fork") if workers else {}
    loader = torch.utils.data.DataLoader(_Numbered(make), batch_size=None, sampler=itertools.count(first), num_workers=workers, **ahead)
    return iter(loader)


def tensor(scenes: list[Scene]) -> torch.Tensor:
    """(n, 3, height, width) uint8; all scenes have one size."""
    return torch.from_numpy(np.stack([render.render(scene) for scene in scenes])).permute(0, 3, 1, 2).contiguous()


def to_unit(pixels: torch.Tensor) -> torch.Tensor:
    """uint8 to float, black −1 and white 1."""
    return pixels.float() / 127.5 - 1


def to_bytes(pixels: torch.Tensor) -> np.ndarray:
    """(n, 3, h, w) float of −1 to 1, to (n, h, w, 3) uint8."""
    return ((pixels.float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def autoencoder(pipeline: Path) -> AutoencoderTiny:
    """The pipeline's, in float32, on the CPU, where pictures are drawn."""
    return AutoencoderTiny.from_pretrained(pipeline / "vae", torch_dtype=torch.float32).eval().to(memory_format=torch.channels_last)


@torch.no_grad()
def decoded(vae: AutoencoderTiny, picture: np.ndarray, bf16: bool = True) -> np.ndarray:
    """(height, width, 3) uint8: the picture encoded and decoded again; its sides are multiples of 8."""
    x = to_unit(torch.from_numpy(picture.copy()).permute(2, 0, 1)[None])
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        return to_bytes(vae.decode(vae.encode(x).latents).sample)[0]
