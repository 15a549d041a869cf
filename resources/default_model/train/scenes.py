"""Random scenes: which emoji where, on which background, with which sign; and which of them training never sees."""
import dataclasses
import hashlib
import random

import emoji

SIZES = ((128, 128), (192, 128), (128, 192), (256, 256))  # width, height
SIZE_SHARES = (0.6, 0.16, 0.1, 0.14)
COLOURS = {
    "red": (225, 70, 70), "orange": (240, 150, 60), "yellow": (245, 215, 90), "green": (95, 185, 105),
    "teal": (60, 170, 170), "blue": (80, 130, 225), "purple": (150, 95, 205), "pink": (245, 160, 195),
    "brown": (140, 100, 75), "gray": (150, 150, 155), "white": (248, 248, 248), "black": (30, 30, 34),
}
TINT = 6  # the exact colour is off by at most this much in each channel
WORDS = """ABC ART BAND BEST BOOK BUS CAFE CAKE CLUB COLD COOL DAY EAST EXIT FISH FOOD FREE FUN GAME GIFT GO GOLD GOOD HELLO HELP HI HOME HOT JAM JOY
KEY KIND LIFE LOVE LUCK MAGIC MAP MILK MOON NEW NEXT NICE NO NORTH OK OPEN OUT PARK PLAY QUIZ RAIN READ RUN SALE SEA SHOP SLOW SNOW SOUTH STAR
STOP SUN TAXI TEA THANK TODAY TOP WAIT WELL WEST WIN WORLD WOW YES ZERO ZOO""".split()
PLACES = {  # words of the caption, to shares of the free way across and down
    "in the top left corner of": (0.0, 0.0), "in the top right corner of": (1.0, 0.0), "in the bottom left corner of": (0.0, 1.0),
    "in the bottom right corner of": (1.0, 1.0), "on the left of": (0.0, 0.5), "on the right of": (1.0, 0.5),
    "at the top of": (0.5, 0.0), "at the bottom of": (0.5, 1.0),
}
PATCH = 16  # pixels of a token of FLUX. Subjects have three sizes in pixels, in pictures of every size, and lie alike in the tokens, so that a
# subject's tokens are the same ones everywhere: with places and sizes at random, a small network spends itself on them and draws blurs.
SMALL, MIDDLE, BIG = 56, 96, 124
SIGN_UNIT = 3  # pixels of a font pixel, in pictures of every size
ARRANGEMENTS = {  # where cells begin, from the middle of the picture and in cells
    "2": ((-1, -0.5), (0, -0.5)), "above": ((-0.5, -1), (-0.5, 0)), "3": ((-1, -1), (0, -1), (-0.5, 0)), "4": ((-1, -1), (0, -1), (-1, 0), (0, 0)),
}
RELATIONS = ("and", "to the left of", "above")
KINDS = {"one": 0.34, "pair": 0.24, "count": 0.12, "many": 0.18, "sign": 0.12}
TWO_TONE = 0.15
HELD_OUT = 8  # of 256: combinations that are kept for evaluation


@dataclasses.dataclass(frozen=True)
class Placed:
    """One emoji and the square it fills, in pixels from the top left."""
    name: str
    left: int
    top: int
    side: int

    @property
    def box(self) -> tuple[int, int, int, int]:
        """left, top, width, height"""
        return self.left, self.top, self.side, self.side


@dataclasses.dataclass(frozen=True)
class Background:
    """One colour, or two of which the first is left of ("beside") or above the second; with the exact RGB of each."""
    colours: tuple[str, ...]
    split: str
    rgb: tuple[tuple[int, int, int], ...]


@dataclasses.dataclass(frozen=True)
class Sign:
    """A white board with a word; unit is the side of one font pixel."""
    word: str
    left: int
    top: int
    unit: int

    @property
    def width(self) -> int:
        return (6 * len(self.word) + 3) * self.unit

    @property
    def height(self) -> int:
        return 11 * self.unit

    @property
    def box(self) -> tuple[int, int, int, int]:
        """left, top, width, height"""
        return self.left, self.top, self.width, self.height


@dataclasses.dataclass(frozen=True)
class Scene:
    """What a picture shows. `size` and `place` are words for one subject, `relation` for two, else empty."""
    kind: str
    width: int
    height: int
    background: Background
    subjects: tuple[Placed, ...] = ()
    sign: Sign | None = None
    size: str = ""
    place: str = ""
    relation: str = ""


def to_json(scene: Scene) -> dict:
    return dataclasses.asdict(scene)


def from_json(entry: dict) -> Scene:
    """The inverse of to_json; lists become tuples."""
    background = entry["background"]
    return Scene(**entry | dict(
        background=Background(tuple(background["colours"]), background["split"], tuple(map(tuple, background["rgb"]))),
        subjects=tuple(Placed(**subject) for subject in entry["subjects"]),
        sign=Sign(**entry["sign"]) if entry["sign"] else None))


def combination(scene: Scene) -> str:
    """What makes two scenes the same question: kind, subjects in order, colours, word, and how they are arranged."""
    names = [subject.name for subject in scene.subjects]
    word = scene.sign.word if scene.sign else ""
    return "|".join([scene.kind, *names, *scene.background.colours, scene.background.split, word, scene.size, scene.place, scene.relation])


def held_out(scene: Scene) -> bool:
    """Whether the combination is kept from training; decided by its hash, so that it holds for every seed."""
    return hashlib.sha256(combination(scene).encode()).digest()[0] < HELD_OUT


def _background(rng: random.Random) -> Background:
    split = rng.choice(("beside", "above")) if rng.random() < TWO_TONE else ""
    colours = tuple(rng.sample(list(COLOURS), 2 if split else 1))
    rgb = tuple(tuple(min(255, max(0, v + rng.randint(-TINT, TINT))) for v in COLOURS[c]) for c in colours)
    return Background(colours, split, rgb)


def _cell(name: str, left: float, top: float, cell: int) -> Placed:
    """A subject in the middle of a square cell of 64 or 128 pixels."""
    side = SMALL if cell == 64 else MIDDLE
    return Placed(name, int(left) + (cell - side) // 2, int(top) + (cell - side) // 2, side)


def _one(frame, rng) -> dict:
    """One subject: most in the middle; some big or small, some at an edge or in a corner. In large pictures all are of the largest size or small."""
    (width, height), name = frame, rng.choice(list(emoji.table()))
    cell, large, manner = min(frame) // 2, min(frame) > 128, rng.random()
    if manner < 0.3:
        place = rng.choice(list(PLACES))
        across, down = PLACES[place]
        return dict(subjects=(_cell(name, across * (width - cell), down * (height - cell), cell),), place=place)
    size = "small" if manner < 0.38 else "big" if manner < 0.44 and not large else ""
    side = SMALL if size == "small" else BIG if size or large else MIDDLE
    return dict(subjects=(Placed(name, (width - side) // 2, (height - side) // 2, side),), size=size)


def _together(names: list[str], frame, arrangement: str) -> tuple[Placed, ...]:
    """Names in reading order, in cells around the middle of the picture."""
    cell = min(frame) // 2
    return tuple(_cell(name, frame[0] / 2 + across * cell, frame[1] / 2 + down * cell, cell)
                 for name, (across, down) in zip(names, ARRANGEMENTS[arrangement], strict=True))


def _pair(frame, rng) -> dict:
    relation = rng.choice(RELATIONS)
    return dict(subjects=_together(rng.sample(list(emoji.table()), 2), frame, "above" if relation == "above" else "2"), relation=relation)


def _count(frame, rng) -> dict:
    number = rng.choice((2, 3, 4))
    return dict(subjects=_together([rng.choice(emoji.countable())] * number, frame, str(number)))


def _many(frame, rng) -> dict:
    number = rng.choice((3, 4))
    return dict(subjects=_together(rng.sample(list(emoji.table()), number), frame, str(number)))


def _sign(frame, rng) -> dict:
    """A board alone in the middle, or below a subject."""
    (width, height), word, unit = frame, rng.choice(WORDS), SIGN_UNIT
    board = Sign(word, 0, 0, unit)
    alone = rng.random() < 0.3
    left, top = (width - board.width) // 2, (height - board.height) // 2 if alone else height - board.height - 2 * unit
    board = dataclasses.replace(board, left=left, top=top)
    if alone:
        return dict(sign=board)
    cell = min(frame) // 2
    above = round((top - cell) / 2 / PATCH) * PATCH
    return dict(sign=board, subjects=(_cell(rng.choice(list(emoji.table())), (width - cell) / 2, above, cell),))


_MAKERS = {"one": _one, "pair": _pair, "count": _count, "many": _many, "sign": _sign}


def draw_scene(rng: random.Random, frame: tuple[int, int] | None = None, kind: str | None = None) -> Scene:
    """A random scene, held out or not; width × height and kind may be given."""
    frame = frame or rng.choices(SIZES, SIZE_SHARES)[0]
    kind = kind or rng.choices(list(KINDS), list(KINDS.values()))[0]
    return Scene(kind, *frame, background=_background(rng), **_MAKERS[kind](frame, rng))


def training_scene(rng: random.Random, frame: tuple[int, int] | None = None, kind: str | None = None) -> Scene:
    while held_out(scene := draw_scene(rng, frame, kind)):
        pass
    return scene


def evaluation_scene(rng: random.Random, frame: tuple[int, int] | None = None, kind: str | None = None) -> Scene:
    while not held_out(scene := draw_scene(rng, frame, kind)):
        pass
    return scene
