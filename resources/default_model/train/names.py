"""Teaches T5 what emoji and colours look like before FLUX sees it, and where in the picture each thing lies that a caption names: from the last
piece of a thing it tells a short code of its picture and the part of the frame that is covered; and every piece tells which one it is, so that
no word is lost that has no picture.

What a thousand names look like is most of what the pipeline has to remember, and learnt here it costs a hundredth of what it costs through noise
and pictures. That it is the first of two that lies on the left FLUX could learn only from T5: for FLUX itself pieces of text have no order.
"""
import argparse
import functools
import random
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from transformers import T5EncoderModel, T5Tokenizer

import captions
import emoji
import pictures
import stages
import words
from flux import new_t5
from optimizer import MasterOptimizer, is_muon
from scenes import COLOURS, Background, Scene, training_scene
from vocabulary import T5_PIECES, TOKENS
from workplace import Clock, Log, chunk_rng, device, load_checkpoint, save_checkpoint, work_dir

SIDE, CODE = 96, 128  # pixels of the pictures that are coded; numbers in a code
GREY = 128
WEIGHT_DECAY = 0.05  # with a fifth of it the MLPs grew until what attention adds was a hundredth beside them, and no piece knew its neighbours
GRID = 8  # what is covered is told for so many parts of the picture's width and height
NO_CODE = -1  # row of signs
SPELLING, SPELLED = 0.2, 100  # weight of what pieces tell of themselves, and how many captions of a batch are asked


def principal(rows: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and (channels, count) map to the principal components of (n, channels). Each is divided by the root of its standard deviation, so that
    small ones count, too; all together have a variance of 1."""
    mean = rows.mean(0)
    basis = torch.linalg.svd(rows - mean, full_matrices=False).Vh[:count].T
    basis = basis / ((rows - mean) @ basis).std(0).sqrt().clamp(min=1e-6)
    return mean, basis / ((rows - mean) @ basis).std()


@functools.cache
def table() -> dict[str, int]:
    """Everything that has a code, to its row: the emoji, then the backgrounds by ground_name()."""
    return {name: row for row, name in enumerate([*emoji.table(), *map(ground_name, COLOURS)])}


def ground_name(colour: str) -> str:
    return f"{colour} background"


@torch.no_grad()
def codes(pipeline: Path) -> torch.Tensor:
    """(len(table()), CODE): what the autoencoder's latents of every emoji on grey, and of every plain colour, have of the emoji's components."""
    vae = pictures.autoencoder(pipeline).to(device())

    def latents(picture: Image.Image) -> torch.Tensor:
        pixels = torch.from_numpy(np.asarray(picture.convert("RGB")).copy()).permute(2, 0, 1)[None]
        return vae.encode(pictures.to_unit(pixels).to(device())).latents.flatten(1).cpu()

    grey = Image.new("RGBA", (SIDE, SIDE), (GREY,) * 3 + (255,))
    on_grey = lambda name: Image.alpha_composite(grey, Image.fromarray(emoji.picture(name, SIDE), "RGBa").convert("RGBA"))
    shown = torch.cat([latents(on_grey(name)) for name in emoji.table()])
    plain = torch.cat([latents(Image.new("RGB", (SIDE, SIDE), colour)) for colour in COLOURS.values()])
    mean, basis = principal(shown, min(CODE, len(shown) - 1))
    return (torch.cat([shown, plain]) - mean) @ basis


def covered(scene: Scene, boxes: list[tuple[float, float, float, float]]) -> np.ndarray:
    """(GRID · GRID): the share of each part of the picture that boxes (left, top, width, height; none over another) fill."""
    def overlap(whole, start, length):
        edges = np.linspace(0, whole, GRID + 1)
        return np.clip(np.minimum(edges[1:], start + length) - np.maximum(edges[:-1], start), 0, None) * GRID / whole
    return sum(np.outer(overlap(scene.height, top, height), overlap(scene.width, left, width)) for left, top, width, height in boxes).ravel()


def grounds(scene: Scene) -> list[tuple[float, float, float, float]]:
    """The box of each background colour."""
    width, height = scene.width, scene.height
    if scene.background.split == "beside":
        return [(0, 0, width / 2, height), (width / 2, 0, width / 2, height)]
    if scene.background.split == "above":
        return [(0, 0, width, height / 2), (0, height / 2, width, height / 2)]
    return [(0, 0, width, height)]


def _colour_ends(text: str, background: Background) -> list[int]:
    """All captions end with the background."""
    if background.split:
        second = background.colours[1]
        return [len(text) - len(f" {background.split} {second}"), len(text)]
    return [len(text) - len(" background")]


def things(text: str, scene: Scene) -> list[tuple[int, str | None, np.ndarray]]:
    """What the caption names: where the words end (behind their last letter), its name in table() (None: a sign), what it covers. Subjects in
    reading order, a count once, in the plural; then the sign's word and the colours of the background."""
    if scene.kind == "count":
        name = scene.subjects[0].name
        written = [(words.plural(name), name, [subject.box for subject in scene.subjects])]
    else:
        written = [(subject.name, subject.name, [subject.box]) for subject in scene.subjects]
    if scene.sign:
        written.append((f"says {scene.sign.word}", None, [scene.sign.box]))
    found, place = [], 0
    for spelling, name, filled in written:
        place = text.index(spelling, place) + len(spelling)
        found.append((place, name, covered(scene, filled)))
    ends = _colour_ends(text, scene.background)
    return found + [(end, ground_name(colour), covered(scene, [box])) for end, colour, box in zip(ends, scene.background.colours, grounds(scene))]


def example(tokenizer: T5Tokenizer, rng: random.Random) -> tuple[list[int], list[tuple[int, int, np.ndarray]]]:
    """The ids of a training caption, and of each thing its last piece, its row in the table and what it covers. One whose pieces run on beyond
    it is left out."""
    scene = training_scene(rng)
    text = captions.random_caption(scene, rng)
    ids, named = tokenizer(text).input_ids, []
    for end, name, cover in things(text, scene):
        head = tokenizer(text[:end]).input_ids[:-1]  # without the end mark
        if ids[:len(head)] == head and len(head) <= TOKENS:
            named.append((len(head) - 1, table()[name] if name else NO_CODE, cover))
    return ids[:TOKENS], named


def chunk(tokenizer: T5Tokenizer, index: int, seed: int, batch: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(batch, TOKENS) ids, padded with 0; (things, 3) of caption, piece, row; (things, GRID · GRID) of what they cover."""
    rng = chunk_rng("names", seed, index)
    ids, named, covers = torch.zeros(batch, TOKENS, dtype=torch.long), [], []
    for caption in range(batch):
        pieces, found = example(tokenizer, rng)
        ids[caption, :len(pieces)] = torch.tensor(pieces)
        named += [(caption, piece, row) for piece, row, _ in found]
        covers += [cover for _, _, cover in found]
    return ids, torch.tensor(named), torch.from_numpy(np.stack(covers)).float()


def unplaced(told: torch.Tensor, covers: torch.Tensor) -> torch.Tensor:
    """The share of the variance of what is covered that is not told."""
    return (told - covers).pow(2).mean() / covers.var(0).mean()


class Trainer:
    def __init__(self, args: argparse.Namespace):
        torch.manual_seed(args.seed)
        self.args, self.checkpoint = args, work_dir() / "names.pt"
        self.tokenizer = T5Tokenizer.from_pretrained(args.pipeline / "tokenizer_2")
        self.codes = codes(args.pipeline).to(device())
        self.t5 = new_t5(args.start).to(device(), torch.bfloat16)
        self.head = torch.nn.Linear(self.t5.config.d_model, self.codes.shape[1] + GRID * GRID).to(device(), torch.bfloat16)
        self.spelling = torch.nn.Linear(self.t5.config.d_model, T5_PIECES).to(device(), torch.bfloat16)
        if args.compile:
            self.t5.encoder.compile(dynamic=True)
        heads = [*self.head.named_parameters(), *self.spelling.named_parameters()]
        self.optimizer = MasterOptimizer([*self.t5.named_parameters(), *heads], is_muon, ema_decay=0.99, weight_decay=WEIGHT_DECAY)
        stored = load_checkpoint(self.checkpoint) or dict(seconds=0.0)
        if "optimizer" in stored:
            self.optimizer.restore(stored["optimizer"])
        self.clock = Clock(args.minutes, args.slice_end, stored["seconds"])

    def tell(self, ids: torch.Tensor, named: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(things, code) and (things, GRID · GRID) that T5 and the head tell of each thing's last piece; and for the pieces of the first SPELLED
        captions the cross-entropy of what they tell of themselves, in nats."""
        ids = ids[:, :int((ids != 0).any(0).sum())].to(device())
        caption, piece, _ = named.to(device()).T
        seen = self.t5(ids).last_hidden_state
        codes, places = self.head(seen[caption, piece]).float().split((self.codes.shape[1], GRID * GRID), dim=1)
        asked = ids[:SPELLED] != 0
        return codes, places, torch.nn.functional.cross_entropy(self.spelling(seen[:SPELLED][asked]).float(), ids[:SPELLED][asked])

    def step(self, ids: torch.Tensor, named: torch.Tensor, covers: torch.Tensor) -> tuple[float, float, float]:
        """One update; the share of the codes' variance that is not told, that of what is covered, and tell()'s cross-entropy."""
        codes, places, unspelled = self.tell(ids, named)
        row, covers = named[:, 2].to(device()), covers.to(device())
        untold = (codes - self.codes[row])[row != NO_CODE].pow(2).mean()
        missed = unplaced(places, covers)
        (untold + missed + SPELLING * unspelled).backward()
        rate = min(1.0, (self.optimizer.steps + 1) / 40) * max(0.02, 1 - self.clock.done)
        self.optimizer.step(self.args.adam_lr * rate, self.args.muon_lr * rate)
        return untold.item(), missed.item(), unspelled.item()

    def run(self) -> None:
        log, losses = Log(work_dir() / "names.csv", "steps", "minutes", "untold", "unplaced", "unspelled"), []
        chunks = pictures.stream(lambda index: chunk(self.tokenizer, index, self.args.seed, self.args.batch), self.optimizer.steps, self.args.workers)
        saved = self.clock.seconds
        while self.clock.runs():
            losses.append(self.step(*next(chunks)))
            if len(losses) >= self.args.log_every:
                log.row(self.optimizer.steps, round(self.clock.seconds / 60, 2), *np.mean(losses, 0).round(4).tolist())
                losses = []
            if self.clock.seconds - saved > 120:
                self.save()
                saved = self.clock.seconds
        self.save()

    def save(self) -> None:
        save_checkpoint(dict(optimizer=self.optimizer.state(), seconds=self.clock.seconds), self.checkpoint)

    def finish(self) -> None:
        """Writes text_encoder_2/, from which flux.py starts, and the stage's figures."""
        self.optimizer.load_ema()
        ids, named, covers = (part.to(device()) for part in chunk(self.tokenizer, 0, self.args.seed + 1, 1024))
        with torch.no_grad():
            codes, places, unspelled = self.tell(ids, named)
        is_emoji = (named[:, 2] != NO_CODE) & (named[:, 2] < len(emoji.table()))
        codes, row = codes[is_emoji], named[is_emoji, 2]
        nearest = torch.cdist(codes, self.codes).argmin(1)
        figures = dict(told=round(1 - (codes - self.codes[row]).pow(2).mean().item(), 3), nearest=round((nearest == row).float().mean().item(), 3),
                       placed=round(1 - unplaced(places, covers).item(), 3), unspelled=round(unspelled.item(), 4),
                       of=len(self.codes), steps=self.optimizer.steps, captions=self.optimizer.steps * self.args.batch,
                       minutes=round(self.clock.seconds / 60, 1), device=stages.hardware())
        print("names", figures)
        self.t5.save_pretrained(self.args.pipeline / "text_encoder_2")
        stages.finish("names", figures)


def parse() -> argparse.Namespace:
    parser = stages.parser(__doc__)
    parser.add_argument("--batch", type=int, default=stages.pick(gpu=2048, cpu=512), help="captions")
    parser.add_argument("--adam-lr", type=float, default=2e-3)
    parser.add_argument("--muon-lr", type=float, default=5e-3)
    stages.add_compile(parser)
    return stages.parsed(parser)


if __name__ == "__main__":
    stages.carry_out(Trainer(parse()))
