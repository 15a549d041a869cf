"""The emoji: names, tags and pictures of two npm packages, downloaded once or taken from a prepared archive (see pack.py)."""
import dataclasses
import functools
import json
import os
import subprocess
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

import words
from workplace import work_dir

PACKAGES = ("@lobehub/fluent-emoji-3d@1.1.0", "emojibase-data@17.0.0")  # both MIT; pictures: Fluent Emoji, Microsoft, MIT
SIDES = (64, 128, 256)  # pictures are kept at these sizes; the packages hold 256
COUNTABLE_GROUPS = (3, 4, 5, 6, 7)  # animals, food, travel, activities, objects


@dataclasses.dataclass(frozen=True)
class Emoji:
    """One picture's name as captions say it, its tags, emojibase group, and file name without ending."""
    name: str
    tags: tuple[str, ...]
    group: int
    stem: str

    @property
    def countable(self) -> bool:
        """Whether "three …s" is plain English for it: one short noun of a countable kind."""
        return (self.group in COUNTABLE_GROUPS and words.takes_article(self.name) and len(self.name.split()) <= 2
                and "'" not in self.name and not self.name.endswith("-thirty") and words.head_noun(self.name) == self.name.split()[-1])


def code_points(stem: str) -> str:
    """A file name or hexcode without variation selectors, which the two packages write differently."""
    return stem.lower().replace("_", "-").replace("-fe0f", "")


def fetch() -> Path:
    """Downloads and unpacks the packages unless they lie there; the folder that holds them."""
    root = work_dir() / "data"
    for spec in PACKAGES:
        name = spec.rsplit("@", 1)[0].split("/")[-1]
        if (root / name / "package").is_dir():
            continue
        root.mkdir(exist_ok=True)
        packed = subprocess.run(["npm", "pack", "--silent", spec], cwd=root, capture_output=True, text=True)
        if packed.returncode != 0:
            raise SystemExit(f"{spec}: npm could not download it into {root}; without a network give --data ARCHIVE (made by pack.py)")
        with tarfile.open(root / packed.stdout.split()[-1]) as tar:
            tar.extractall(root / name, filter="data")
    return root


def read_table(entries: list[dict], stems: list[str]) -> dict[str, Emoji]:
    """Emoji by name, in emojibase order: every entry (none has a skin tone of its own) whose code points have a picture."""
    files = {code_points(stem): stem for stem in sorted(stems, reverse=True)}
    table = {}
    for entry in sorted(entries, key=lambda e: e.get("order", 0)):
        stem = files.get(code_points(entry["hexcode"]))
        if stem is None or "group" not in entry:
            continue
        name = words.spoken(entry["label"])
        if name in table:
            raise ValueError(f"emojibase-data: two entries are called {name!r} ({table[name].stem} and {stem}); make words.spoken tell them apart")
        table[name] = Emoji(name, tuple(t.lower() for t in entry.get("tags", ()) if t.lower() != name), entry["group"], stem)
    return table


@functools.cache
def table() -> dict[str, Emoji]:
    """All emoji; with $QUANTSPOT_TRAIN_NAMES=N only N, evenly chosen (for a quick trial of the scripts)."""
    root = fetch()
    entries = json.loads((root / "emojibase-data/package/en/data.json").read_text())
    every = read_table(entries, [file.stem for file in (root / "fluent-emoji-3d/package/assets").glob("*.webp")])
    wanted = int(os.environ.get("QUANTSPOT_TRAIN_NAMES", len(every)))
    return dict(list(every.items())[::max(1, len(every) // wanted)])


@functools.cache
def countable() -> tuple[str, ...]:
    return tuple(name for name, emoji in table().items() if emoji.countable)


def premultiplied(picture: Image.Image, side: int) -> np.ndarray:
    """(side, side, 4) uint8 with colour times alpha, so that sums of pixels are right."""
    return np.asarray(picture.convert("RGBA").convert("RGBa").resize((side, side), Image.LANCZOS))


@functools.cache
def pictures(side: int) -> np.ndarray:
    """(names, side, side, 4) uint8, premultiplied; memory-mapped, so that processes share them."""
    file = work_dir() / f"pictures-{side}.npy"
    if not file.exists():
        assets = fetch() / "fluent-emoji-3d/package/assets"
        part = file.with_suffix(f".part{id(file)}")
        stack = np.lib.format.open_memmap(part, mode="w+", dtype=np.uint8, shape=(len(table()), side, side, 4))
        for row, emoji in zip(stack, table().values()):
            row[:] = premultiplied(Image.open(assets / f"{emoji.stem}.webp"), side)
        stack.flush()
        part.replace(file)
    return np.load(file, mmap_mode="r")


@functools.cache
def _rows() -> dict[str, int]:
    return {name: row for row, name in enumerate(table())}


def row(name: str) -> int:
    """The place of a name in table()."""
    return _rows()[name]


def picture(name: str, side: int) -> np.ndarray:
    """(side, side, 4) uint8, premultiplied: resized from the next larger kept size."""
    if name not in _rows():
        raise ValueError(f"no picture is called {name!r}; names are emojibase labels as words.spoken writes them")
    kept = next((s for s in SIDES if s >= side), SIDES[-1])
    pixels = pictures(kept)[_rows()[name]]
    if kept == side:
        return pixels
    return np.asarray(Image.fromarray(pixels, "RGBa").resize((side, side), Image.BICUBIC))
