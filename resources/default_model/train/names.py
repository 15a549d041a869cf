"""Teaches T5 what the emoji look like before FLUX sees it: from a caption's pieces it tells a short code of every named picture.

What a thousand names look like is most of what the pipeline has to remember. Learnt here it costs a hundredth of what it costs through noise
and pictures, and FLUX is left to draw codes: where, how large, on what.
"""
import argparse
import random
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from PIL import Image
from transformers import T5EncoderModel, T5Tokenizer

import captions
import emoji
import pictures
import stages
import words
from flux import new_t5
from optimizer import MasterOptimizer, is_muon
from scenes import Scene, training_scene
from vocabulary import TOKENS
from workplace import Clock, Log, chunk_rng, device, load_checkpoint, save_checkpoint, work_dir

SIDE, CODE = 96, 128  # pixels of the pictures that are coded; numbers in a code
GREY = 128


def principal(rows: torch.Tensor, count: int) -> torch.Tensor:
    """(n, count) principal components of (n, channels). Each is divided by the root of its standard deviation, so that small ones count, too;
    all together have a variance of 1."""
    centred = rows - rows.mean(0)
    components = centred @ torch.linalg.svd(centred, full_matrices=False).Vh[:count].T
    components = components / components.std(0).sqrt().clamp(min=1e-6)
    return components / components.std()


@torch.no_grad()
def codes(pipeline: Path) -> torch.Tensor:
    """(names, CODE): components of the autoencoder's latents of every emoji on grey."""
    vae = AutoencoderTiny.from_pretrained(pipeline / "vae", torch_dtype=torch.float32).eval().to(device())
    ground, latents = Image.new("RGBA", (SIDE, SIDE), (GREY,) * 3 + (255,)), []
    for name in emoji.table():
        picture = Image.fromarray(emoji.picture(name, SIDE), "RGBa").convert("RGBA")
        pixels = torch.from_numpy(np.asarray(Image.alpha_composite(ground, picture).convert("RGB")).copy()).permute(2, 0, 1)[None]
        latents.append(vae.encode(pictures.to_unit(pixels).to(device())).latents.flatten(1).cpu())
    return principal(torch.cat(latents), min(CODE, len(latents) - 1))


def ends(text: str, scene: Scene) -> list[tuple[int, str]]:
    """Where in the caption each named subject ends (behind its last letter), in reading order; a count names its subject once, in the plural."""
    names = [subject.name for subject in scene.subjects]
    written = [(words.plural(names[0]), names[0])] if scene.kind == "count" else [(name, name) for name in names]
    found, place = [], 0
    for spelling, name in written:
        place = text.index(spelling, place) + len(spelling)
        found.append((place, name))
    return found


def example(tokenizer: T5Tokenizer, rng: random.Random) -> tuple[list[int], list[tuple[int, int]]]:
    """The ids of a training caption, and for each named subject its last piece and its row in the table. A name whose pieces run on beyond it
    is left out."""
    scene = training_scene(rng)
    text = captions.random_caption(scene, rng)
    ids, named = tokenizer(text).input_ids, []
    for end, name in ends(text, scene):
        head = tokenizer(text[:end]).input_ids[:-1]  # without the end mark
        if ids[:len(head)] == head and len(head) <= TOKENS:
            named.append((len(head) - 1, emoji.row(name)))
    return ids[:TOKENS], named


def chunk(tokenizer: T5Tokenizer, index: int, seed: int, batch: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(batch, TOKENS) ids, padded with 0, and (names, 3) of caption, piece, row."""
    rng = chunk_rng("names", seed, index)
    ids, named = torch.zeros(batch, TOKENS, dtype=torch.long), []
    for caption in range(batch):
        pieces, subjects = example(tokenizer, rng)
        ids[caption, :len(pieces)] = torch.tensor(pieces)
        named += [(caption, piece, row) for piece, row in subjects]
    return ids, torch.tensor(named)


class Trainer:
    def __init__(self, args: argparse.Namespace):
        torch.manual_seed(args.seed)
        self.args, self.checkpoint = args, work_dir() / "names.pt"
        self.tokenizer = T5Tokenizer.from_pretrained(args.pipeline / "tokenizer_2")
        self.codes = codes(args.pipeline).to(device())
        self.t5 = new_t5(args.start).to(device(), torch.bfloat16)
        self.head = torch.nn.Linear(self.t5.config.d_model, self.codes.shape[1]).to(device(), torch.bfloat16)
        if args.compile:
            self.t5.encoder.compile(dynamic=True)
        self.optimizer = MasterOptimizer([*self.t5.named_parameters(), *self.head.named_parameters()], is_muon, ema_decay=0.99)
        stored = load_checkpoint(self.checkpoint) or dict(seconds=0.0)
        if "optimizer" in stored:
            self.optimizer.restore(stored["optimizer"])
        self.clock = Clock(args.minutes, args.slice_end, stored["seconds"])

    def step(self, ids: torch.Tensor, named: torch.Tensor) -> float:
        """One update; the share of the codes' variance that is not told."""
        length = int((ids != 0).any(0).sum())
        caption, piece, row = named.to(device()).T
        told = self.head(self.t5(ids[:, :length].to(device())).last_hidden_state[caption, piece])
        loss = (told.float() - self.codes[row]).pow(2).mean()
        loss.backward()
        rate = min(1.0, (self.optimizer.steps + 1) / 40) * max(0.02, 1 - self.clock.done)
        self.optimizer.step(self.args.adam_lr * rate, self.args.muon_lr * rate)
        return loss.item()

    def run(self) -> None:
        log, losses = Log(work_dir() / "names.csv", "steps", "minutes", "untold"), []
        chunks = pictures.stream(lambda index: chunk(self.tokenizer, index, self.args.seed, self.args.batch), self.optimizer.steps, self.args.workers)
        saved = self.clock.seconds
        while self.clock.runs():
            losses.append(self.step(*next(chunks)))
            if len(losses) >= self.args.log_every:
                log.row(self.optimizer.steps, round(self.clock.seconds / 60, 2), round(sum(losses) / len(losses), 4))
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
        ids, named = chunk(self.tokenizer, 0, self.args.seed + 1, 1024)
        caption, piece, row = named.T
        with torch.no_grad():
            told = self.head(self.t5(ids.to(device())).last_hidden_state[caption, piece]).float()
        nearest = torch.cdist(told, self.codes).argmin(1).cpu()
        figures = dict(told=round(1 - (told - self.codes[row]).pow(2).mean().item(), 3), nearest=round((nearest == row).float().mean().item(), 3),
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
