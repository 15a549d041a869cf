"""A picture of pictures: a row for every precision, with its name, and a column for every caption."""
import numpy as np
from PIL import Image, ImageDraw, ImageFont

SIDE, COLUMNS = 128, 8  # the smallest pictures are shown
NAME, GAP = 172, 4  # pixels left of the pictures, and between them


def columns(entries: list[dict]) -> list[dict]:
    """Captions evenly from the list, among those of square pictures of SIDE: chosen by nobody."""
    square = [e for e in entries if (e["scene"].width, e["scene"].height) == (SIDE, SIDE)]
    count = min(COLUMNS, len(square))
    return [square[i * len(square) // count] for i in range(count)]


def grid(entries: list[dict], drawn: dict[str, dict[str, np.ndarray]]) -> Image.Image:
    """`drawn`: pictures by precision and caption."""
    shown, step = columns(entries), SIDE + GAP
    sheet = Image.new("RGB", (NAME + len(shown) * step, len(drawn) * step), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    for row, (precision, kept) in enumerate(drawn.items()):
        pen.text((8, row * step + SIDE // 2), precision, "black", font, anchor="lm")
        for column, entry in enumerate(shown):
            sheet.paste(Image.fromarray(kept[entry["caption"]]), (NAME + column * step, row * step))
    return sheet
