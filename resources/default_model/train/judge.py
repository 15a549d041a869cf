"""Measures a picture against the scene that was asked for: subject, background colours, number of things, word on the sign.

Every measure looks where the scene says that things are. How often each is right on real composed pictures is printed by evaluate.py.
"""
import functools
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage
from transformers import CLIPModel, CLIPTokenizer

import clip
import pixelfont
from scenes import COLOURS, Scene, Sign
from workplace import device

DIFFERENT = 45  # largest channel difference from the background at which a pixel is taken for a thing
SMALLEST = 0.004  # of the picture: fewer pixels are no thing


def regions(scene: Scene) -> list[np.ndarray]:
    """One (height, width) bool mask for each background colour."""
    mask = np.zeros((scene.height, scene.width), bool)
    if scene.background.split == "beside":
        mask[:, scene.width // 2:] = True
    elif scene.background.split == "above":
        mask[scene.height // 2:] = True
    else:
        return [~mask]
    return [~mask, mask]


def empty_ground(scene: Scene) -> np.ndarray:
    """(height, width) bool: where neither a subject nor a sign is asked for, a twentieth of margin left; never nothing."""
    free = np.ones((scene.height, scene.width), bool)
    for left, top, width, height in [thing.box for thing in (*scene.subjects, scene.sign) if thing]:
        gap = max(2, round(0.05 * min(width, height)))
        free[max(0, top - gap):top + height + gap, max(0, left - gap):left + width + gap] = False
    edge = np.ones_like(free)
    edge[2:-2, 2:-2] = False
    return free | edge


def ground_colours(picture: np.ndarray, scene: Scene) -> list[np.ndarray]:
    """The median RGB of every background region."""
    free = empty_ground(scene)
    return [np.median(picture[region & free], axis=0) for region in regions(scene)]


def named_colour(rgb: np.ndarray) -> str:
    return min(COLOURS, key=lambda name: np.abs(rgb - np.array(COLOURS[name])).sum())


def background_right(picture: np.ndarray, scene: Scene) -> bool:
    return tuple(map(named_colour, ground_colours(picture, scene))) == scene.background.colours


def count_things(picture: np.ndarray, scene: Scene) -> int:
    """Connected pieces that differ from the background; gaps of up to a thirtieth of the shorter side are bridged."""
    things = np.zeros((scene.height, scene.width), bool)
    for region, colour in zip(regions(scene), ground_colours(picture, scene)):
        things |= region & (np.abs(picture - colour).max(-1) > DIFFERENT)
    if scene.background.split:  # the soft line between two colours is no thing
        seam = ndimage.binary_dilation(regions(scene)[1], iterations=2) & ndimage.binary_dilation(regions(scene)[0], iterations=2)
        bridged = ndimage.binary_closing(things & ~seam, iterations=3)
        things = (things & ~seam) | (bridged & seam)
    reach = max(1, round(min(scene.width, scene.height) / 60))
    labels, found = ndimage.label(ndimage.binary_dilation(things, np.ones((3, 3)), iterations=reach))
    sizes = ndimage.sum_labels(things, labels, range(1, found + 1))
    return int((np.asarray(sizes) > SMALLEST * things.size).sum())


@functools.cache
def _letters() -> np.ndarray:
    """(26, 35): every letter as a unit vector of mean zero."""
    flat = np.stack([pixelfont.glyph(letter).ravel() for letter in pixelfont.LETTERS]).astype(float)
    flat -= flat.mean(1, keepdims=True)
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)


def _read_at(dark: np.ndarray, sign: Sign, x: int, y: int) -> tuple[float, str]:
    """Mean correlation and word when the text's first pixel is at (x, y)."""
    unit, word, score = sign.unit, "", 0.0
    for place in range(len(sign.word)):
        left = x + place * 6 * unit
        cell = dark[y:y + 7 * unit, left:left + 5 * unit]
        if cell.shape != (7 * unit, 5 * unit):
            return -1.0, ""
        dots = cell.reshape(7, unit, 5, unit).mean((1, 3)).ravel()
        dots = dots - dots.mean()
        match = _letters() @ dots / (np.linalg.norm(dots) + 1e-6)
        word += pixelfont.LETTERS[int(match.argmax())]
        score += match.max() / len(sign.word)
    return score, word


def read_sign(picture: np.ndarray, scene: Scene) -> str:
    """The word on the board: per letter the best of 26 templates, at the best shift of up to one font pixel and a half."""
    sign, dark = scene.sign, 255.0 - picture.mean(-1)
    reach = range(-3 * sign.unit // 2, 3 * sign.unit // 2 + 1)
    places = [(sign.left + 2 * sign.unit + dx, sign.top + 2 * sign.unit + dy) for dy in reach for dx in reach]
    return max(_read_at(dark, sign, x, y) for x, y in places if x >= 0 and y >= 0)[1]


class Judge:
    """The small CLIP as a zero-shot classifier of close-ups among `names`."""

    def __init__(self, folder: Path, names: list[str]):
        self.model = CLIPModel.from_pretrained(folder, dtype=torch.float32).eval().to(device())
        self.tokenizer = CLIPTokenizer.from_pretrained(folder)
        self.names = names

    def _images(self, views: list[np.ndarray]) -> torch.Tensor:
        return clip.image_features(self.model, clip.stacked(views).to(device()))

    @functools.lru_cache(maxsize=None)
    @torch.no_grad()
    def _choices(self, colour: str) -> torch.Tensor:
        return clip.choices(self.model, self.tokenizer, self.names, colour)

    @torch.no_grad()
    def ranks(self, picture: np.ndarray, scene: Scene) -> list[int]:
        """For every subject of the scene: how many names fit its place better than its own."""
        if not scene.subjects:
            return []
        views = [clip.close_up(picture, s.left, s.top, s.side) for s in scene.subjects]
        result = []
        for subject, image in zip(scene.subjects, self._images(views)):
            scores = self._choices(clip.colour_behind(scene, subject)) @ image
            result.append(int((scores > scores[self.names.index(subject.name)]).sum()))
        return result

    @torch.no_grad()
    def retrieval(self, texts: list[str], pictures: list[np.ndarray]) -> float:
        """Share of pictures whose own text is the best of all."""
        scores = self._images([clip.squared(picture) for picture in pictures]) @ clip.text_features(self.model, self.tokenizer, texts).T
        return float((scores.argmax(1).cpu() == torch.arange(len(texts))).float().mean())
