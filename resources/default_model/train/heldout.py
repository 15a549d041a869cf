"""Chooses the held-out captions that evaluate.py asks for, and writes them with their structure to heldout.jsonl beside this script."""
import argparse
import json
import random
from pathlib import Path

import captions
import scenes

FILE = Path(__file__).with_name("heldout.jsonl")
COUNTS = {"one": 256, "pair": 80, "count": 64, "many": 40, "sign": 72}
SEEDS = 4  # starting noises: a caption's own seed is its number modulo this


def choose(counts: dict[str, int], seed: int) -> list[dict]:
    """One entry per caption: caption, seed, scene; no caption twice."""
    rng, found = random.Random(f"heldout/{seed}"), {}
    for kind, count in counts.items():
        wanted = len(found) + count
        while len(found) < wanted:
            scene = scenes.evaluation_scene(rng, kind=kind)
            found.setdefault(captions.caption(scene), scene)
    return [dict(caption=text, seed=i % SEEDS, scene=scenes.to_json(scene)) for i, (text, scene) in enumerate(found.items())]


def write(file: Path, entries: list[dict]) -> None:
    file.write_text("\n".join(json.dumps(line, separators=(",", ":")) for line in entries) + "\n")


def read(file: Path) -> list[dict]:
    """The entries, scenes as Scene."""
    lines = map(json.loads, file.read_text().splitlines())
    return [line | dict(scene=scenes.from_json(line["scene"])) for line in lines]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=FILE)
    parser.add_argument("--each", type=int, help="so many of every kind")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    counts = {kind: args.each for kind in COUNTS} if args.each else COUNTS
    write(args.out, choose(counts, args.seed))


if __name__ == "__main__":
    main()
