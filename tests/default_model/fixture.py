"""A working folder with two tiny packages in place of the downloaded ones. Import this before any module of the trainer."""
import json
import os
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw

TRAIN = Path(__file__).resolve().parents[2] / "resources/default_model/train"
sys.path.insert(0, str(TRAIN))
_FOLDER = tempfile.TemporaryDirectory(prefix="quantspot-train-test-")
WORK = Path(_FOLDER.name)
os.environ["QUANTSPOT_TRAIN_DIR"] = str(WORK)
os.environ.pop("QUANTSPOT_TRAIN_NAMES", None)

# label, hexcode, file, group, colour, shape; one has no picture, two are written with the variation selector on one side only
ENTRIES = [
    ("fox", "1F98A", "1f98a", 3, (240, 120, 40), "ellipse"), ("owl", "1F989", "1f989", 3, (120, 80, 60), "rectangle"),
    ("lemon", "1F34B", "1f34b", 4, (250, 230, 40), "ellipse"), ("grapes", "1F347", "1f347", 4, (130, 60, 170), "ellipse"),
    ("rocket", "1F680", "1f680", 5, (230, 230, 240), "rectangle"), ("snowman", "2603", "2603-fe0f", 5, (180, 220, 250), "ellipse"),
    ("key", "1F511-FE0F", "1f511", 7, (220, 180, 40), "rectangle"), ("flag: Brazil", "1F1E7-1F1F7", "1f1e7-1f1f7", 9, (20, 150, 60), "rectangle"),
    ("phoenix", "1F426-200D-1F525", None, 3, (0, 0, 0), "ellipse"),
]


def make_packages() -> None:
    assets = WORK / "data/fluent-emoji-3d/package/assets"
    names = WORK / "data/emojibase-data/package/en"
    for folder in (assets, names):
        folder.mkdir(parents=True)
    for label, _, stem, _, colour, shape in ENTRIES:
        if stem:
            image = Image.new("RGBA", (256, 256))
            getattr(ImageDraw.Draw(image), shape)((20, 20, 236, 236), fill=(*colour, 255))
            image.save(assets / f"{stem}.webp", lossless=True)
    Image.new("RGBA", (256, 256)).save(assets / "1f98a-1f3fb.webp")  # a skin tone, which no entry asks for
    rows = [dict(label=label, hexcode=code, group=group, order=i, tags=[label, f"tag {i}"]) for i, (label, code, _, group, _, _) in enumerate(ENTRIES)]
    (names / "data.json").write_text(json.dumps([dict(label="regional indicator A", hexcode="1F1E6"), *rows]))


make_packages()
