"""Scenes in pixels."""
import numpy as np

import emoji
import pixelfont
from scenes import Background, Placed, Scene, Sign

BOARD, INK = (250, 250, 250), (35, 35, 40)


def ground(background: Background, width: int, height: int) -> np.ndarray:
    """(height, width, 3) uint8."""
    canvas = np.empty((height, width, 3), np.uint8)
    canvas[:] = background.rgb[0]
    if background.split == "beside":
        canvas[:, width // 2:] = background.rgb[1]
    elif background.split == "above":
        canvas[height // 2:] = background.rgb[1]
    return canvas


def paste(canvas: np.ndarray, subject: Placed) -> None:
    """Draws over the canvas; what lies outside is cut off."""
    height, width = canvas.shape[:2]
    top, left = max(0, subject.top), max(0, subject.left)
    bottom, right = min(height, subject.top + subject.side), min(width, subject.left + subject.side)
    pixels = emoji.picture(subject.name, subject.side)[top - subject.top:bottom - subject.top, left - subject.left:right - subject.left]
    under = canvas[top:bottom, left:right].astype(np.uint16)
    over = pixels[..., :3] + (under * (255 - pixels[..., 3:].astype(np.uint16)) + 127) // 255
    canvas[top:bottom, left:right] = np.minimum(over, 255)


def board(canvas: np.ndarray, sign: Sign) -> None:
    """A white board with a dark edge of half a unit and the word, one and a half units of margin."""
    area = canvas[sign.top:sign.top + sign.height, sign.left:sign.left + sign.width]
    edge = max(1, sign.unit // 2)
    area[:] = INK
    area[edge:-edge, edge:-edge] = BOARD
    mask = np.kron(pixelfont.word_mask(sign.word), np.ones((sign.unit, sign.unit), bool))
    area[2 * sign.unit:2 * sign.unit + mask.shape[0], 2 * sign.unit:2 * sign.unit + mask.shape[1]][mask] = INK


def render(scene: Scene) -> np.ndarray:
    """(height, width, 3) uint8."""
    canvas = ground(scene.background, scene.width, scene.height)
    for subject in scene.subjects:
        paste(canvas, subject)
    if scene.sign:
        board(canvas, scene.sign)
    return canvas
