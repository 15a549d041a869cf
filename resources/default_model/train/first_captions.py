"""Writes first_captions.jsonl: what the committed weights are asked, which were trained on 44 emoji at fixed places before scenes.py.

384 of their 528 single scenes and 128 pairs, all 128 × 128. To be deleted together with those weights.
"""
import random
from pathlib import Path

import captions
import heldout
from scenes import COLOURS, Background, Placed, Scene, to_json

FILE = Path(__file__).with_name("first_captions.jsonl")
WORDS = {name: name for name in """fox|lion|panda|frog|penguin|owl|unicorn|octopus|crab|turtle|butterfly|lady beetle|rose|sunflower|cactus
palm tree|mushroom|red apple|banana|watermelon|strawberry|pineapple|avocado|hamburger|pizza|doughnut|birthday cake|castle|volcano
sailboat|rocket|automobile|soccer ball|balloon|guitar|crown|light bulb|star|robot|ghost|jack-o-lantern""".replace("\n", "|").split("|")}
WORDS |= {"dog face": "dog", "cat face": "cat", "pig face": "pig"}


def scene(kind: str, colour: str, *subjects: Placed) -> Scene:
    return Scene(kind, 128, 128, Background((colour,), "", (COLOURS[colour],)), subjects, relation="and" if kind == "pair" else "")


def choose(rng: random.Random, singles: int, pairs: int) -> list[Scene]:
    chosen = [scene("one", colour, Placed(name, 12, 12, 104)) for name, colour in rng.sample([(n, c) for n in WORDS for c in COLOURS], singles)]
    seen = set()
    while len(seen) < pairs:
        seen.add((*rng.sample(list(WORDS), 2), rng.choice(list(COLOURS))))
    return chosen + [scene("pair", colour, Placed(left, 2, 34, 60), Placed(right, 66, 34, 60)) for left, right, colour in sorted(seen)]


def in_words(made: Scene) -> str:
    text = captions.caption(made)
    for name, word in WORDS.items():
        text = text.replace(name, word)
    return text


if __name__ == "__main__":
    asked = choose(random.Random(99), 384, 128)
    entries = [dict(caption=in_words(made), seed=i % heldout.SEEDS, scene=to_json(made)) for i, made in enumerate(asked)]
    random.Random(0).shuffle(entries)
    heldout.write(FILE, entries, WORDS)
