"""Endless training pictures: chunks of rendered scenes, each made from its own number, in this process or in workers beside it."""
import itertools
from typing import Callable, Iterator

import numpy as np
import torch

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
