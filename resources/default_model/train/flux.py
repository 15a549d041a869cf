"""Trains the FLUX transformer together with its T5 encoder on precomputed latents; resumes from its own checkpoint.

python flux.py --pipeline FOLDER (vae, text_encoder, tokenizers and start weights) --work FOLDER --minutes 110
"""
import argparse
import csv
import os
import random
import signal
import time
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny, FluxPipeline, FluxTransformer2DModel
from PIL import Image
from transformers import CLIPTextModel, CLIPTokenizer, T5Config, T5EncoderModel, T5Tokenizer

import data
from optimizer import MasterOptimizer

TOKENS = 24  # T5 sequence length: the longest caption fits; best sampled with max_sequence_length=24
LONG = 512  # FluxPipeline's default, nearly all padding (FLUX has no text mask): a few steps see it, so that it does no harm
STEPS = 20
SHAPE = dict(in_channels=64, num_layers=2, num_single_layers=3, attention_head_dim=32, num_attention_heads=8, joint_attention_dim=192,
             pooled_projection_dim=192, guidance_embeds=False, axes_dims_rope=(8, 12, 12))
T5_SHAPE = dict(vocab_size=1408, d_model=192, d_ff=512, d_kv=48, num_heads=4, num_layers=3, feed_forward_proj="gated-gelu",
                is_encoder_decoder=False, use_cache=False, dropout_rate=0.0, pad_token_id=0, eos_token_id=1, decoder_start_token_id=0)
GRID = ("a fox on a yellow background", "a panda on a pink background", "a red apple on a blue background", "an owl on a purple background",
        "a castle on a teal background", "a rocket on a black background", "a cat on a green background", "a pizza on a gray background",
        "a robot on an orange background", "a dog and a soccer ball on a white background", "a pizza and a rocket on a green background",
        "a penguin and a crown on a blue background")


def pack(latents: torch.Tensor) -> torch.Tensor:
    """(b, c, h, w) to the (b, h/2·w/2, 4c) tokens of FLUX."""
    b, c, h, w = latents.shape
    return latents.view(b, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5).reshape(b, h * w // 4, c * 4)


class Captions:
    """Caption to T5 ids and pooled CLIP features (frozen), each made once."""

    def __init__(self, pipeline: Path):
        self.clip_tokenizer = CLIPTokenizer.from_pretrained(pipeline / "tokenizer")
        self.t5_tokenizer = T5Tokenizer.from_pretrained(pipeline / "tokenizer_2")
        self.clip = CLIPTextModel.from_pretrained(pipeline / "text_encoder", dtype=torch.float32).eval()

    @torch.no_grad()
    def encode(self, captions: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        pad = dict(padding="max_length", truncation=True, return_tensors="pt")
        ids = self.t5_tokenizer(captions, max_length=TOKENS, **pad).input_ids
        pooled = [self.clip(self.clip_tokenizer(captions[i:i + 256], max_length=77, **pad).input_ids).pooler_output
                  for i in range(0, len(captions), 256)]
        return ids, torch.cat(pooled)


class Dataset:
    """Latents of every scene and their captions' features, in memory (a few hundred MB) and on disk."""

    def __init__(self, pipeline: Path, cache: Path, seed: int, repeats: int, pairs: int):
        if not cache.exists():
            self._make(pipeline, cache, seed, repeats, pairs)
        stored = torch.load(cache)
        self.latents, self.ids, self.pooled, self.singles = (stored[k] for k in ("latents", "ids", "pooled", "singles"))
        self.choices = self.ids.shape[0] // len(self.latents)  # captions per scene; the very last row is the empty caption

    @staticmethod
    @torch.no_grad()
    def _make(pipeline, cache, seed, repeats, pairs):
        rng = random.Random(seed)
        singles, twos = data.scenes(rng, repeats, pairs)
        vae = AutoencoderTiny.from_pretrained(pipeline / "vae", torch_dtype=torch.float32).eval()
        latents, captions, scenes = [], [], singles + twos
        for start in range(0, len(scenes), 64):
            pixels = torch.from_numpy(np.stack([data.draw(s) for s in scenes[start:start + 64]])).permute(0, 3, 1, 2).float() / 127.5 - 1
            latents.append(pack(vae.encode(pixels).latents * vae.config.scaling_factor).half())
        for scene in scenes:
            captions += [data.random_caption(scene, rng) for _ in range(2)]
        unique = sorted(set(captions))
        ids, pooled = Captions(pipeline).encode(unique + [""])
        row_of = {c: i for i, c in enumerate(unique + [""])}
        rows = torch.tensor([row_of[c] for c in captions + [""]])
        torch.save(dict(latents=torch.cat(latents), ids=ids[rows], pooled=pooled[rows], singles=len(singles)), cache)

    def batch(self, size: int, pair_share: float, empty_share: float, generator: torch.Generator):
        draw = lambda: torch.rand(size, generator=generator)
        pair = draw() < pair_share
        scene = torch.where(pair, self.singles + draw() * (len(self.latents) - self.singles), draw() * self.singles).long()
        row = scene * self.choices + (draw() * self.choices).long()
        row[draw() < empty_share] = len(self.ids) - 1
        return self.latents[scene].float(), self.ids[row], self.pooled[row]


def noise_levels(size: int, generator: torch.Generator) -> torch.Tensor:
    """Logit-normal σ, shifted a little to the noisy side, with one in eight uniform so that both ends are seen; as bfloat16 holds it."""
    sigma = torch.sigmoid(torch.randn(size, generator=generator))
    sigma = 1.2 * sigma / (1 + 0.2 * sigma)
    uniform = torch.rand(size, generator=generator)
    return torch.where(torch.rand(size, generator=generator) < 0.125, uniform, sigma).bfloat16().float()


def is_muon(name: str, parameter: torch.Tensor) -> bool:
    inside = "transformer_blocks." in name or ".block." in name or name.startswith("encoder.block")
    return parameter.ndim == 2 and inside and ".norm" not in name and "relative_attention_bias" not in name


def start_from_random(pipeline: Path, seed: int) -> None:
    """Writes random start weights where the pipeline has none yet."""
    torch.manual_seed(seed)
    if not (pipeline / "transformer").exists():
        FluxTransformer2DModel(**SHAPE).save_pretrained(pipeline / "transformer")
    if not (pipeline / "text_encoder_2").exists():
        T5EncoderModel(T5Config(**T5_SHAPE)).save_pretrained(pipeline / "text_encoder_2")


class Trainer:
    def __init__(self, args):
        self.args, self.work = args, args.work
        start_from_random(args.pipeline, args.seed)
        self.generator = torch.Generator().manual_seed(args.seed)
        self.net = self._load(FluxTransformer2DModel, args.pipeline / "transformer")
        self.t5 = self._load(T5EncoderModel, args.pipeline / "text_encoder_2")
        self.dataset = Dataset(args.pipeline, args.work / "dataset.pt", args.seed, args.repeats, args.pairs)
        named = [*self.net.named_parameters(), *self.t5.named_parameters()]
        self.optimizer = MasterOptimizer(named, is_muon if args.muon else lambda *_: False, weight_decay=0.01)
        self.forward = torch.compile(self.net) if args.compile else self.net
        self.image_ids = FluxPipeline._prepare_latent_image_ids(1, 8, 8, "cpu", torch.bfloat16)
        self.samples, self.seconds, self.stopped = 0, 0.0, False
        self.checkpoint = self.work / "flux.pt"
        if self.checkpoint.exists():
            self._resume()

    @staticmethod
    def _load(kind, folder):
        return kind.from_pretrained(folder, torch_dtype=torch.bfloat16).train()

    def velocity(self, x, sigma, ids, pooled, net=None):
        text = self.t5(ids).last_hidden_state
        return (net or self.forward)(hidden_states=x.bfloat16(), timestep=sigma.bfloat16(), encoder_hidden_states=text,
                                     pooled_projections=pooled.bfloat16(), img_ids=self.image_ids, txt_ids=torch.zeros(ids.shape[1], 3),
                                     return_dict=False)[0].float()

    def step(self, rate: float) -> float | None:
        """One update; its loss, or None where the long text was used (not comparable)."""
        args = self.args
        long = torch.rand(1, generator=self.generator).item() < args.long_share
        count = args.batch // 6 if long else args.batch  # about as many tokens
        clean, ids, pooled = self.dataset.batch(count, args.pair_share, 0.05, self.generator)
        ids = torch.nn.functional.pad(ids, (0, LONG - TOKENS)) if long else ids
        noise = torch.randn(clean.shape, generator=self.generator)
        sigma = noise_levels(count, self.generator)
        blend = sigma.view(-1, 1, 1)
        loss = (self.velocity((1 - blend) * clean + blend * noise, sigma, ids, pooled) - (noise - clean)).pow(2).mean()
        loss.backward()
        self.optimizer.step(args.adam_lr * rate, args.muon_lr * rate)
        self.samples += count
        return None if long else loss.item()

    def rate(self) -> float:
        """Share of the full learning rate: warm-up, flat, then linear to 1 % at the end of the planned time."""
        done = self.seconds / (self.args.minutes * 60)
        warm = min(1.0, (self.optimizer.steps + 1) / 40)
        return warm * min(1.0, max(0.01, (1 - done) / (1 - self.args.flat)))

    def run(self) -> None:
        log, begun, losses = self.work / "loss.csv", time.time() - self.seconds, []
        saved = drawn = time.time()
        signal.signal(signal.SIGTERM, self._stop)
        while self.seconds < self.args.minutes * 60 and not self.stopped:
            loss = self.step(self.rate())
            losses += [] if loss is None else [loss]
            self.seconds = time.time() - begun
            if len(losses) == 50:
                self._log(log, sum(losses) / len(losses))
                losses = []
            if time.time() - saved > 240:
                self.save()
                saved = time.time()
            if time.time() - drawn > self.args.grid_minutes * 60:
                self.grid()
                drawn = time.time()
        self.save()
        if not self.stopped:
            self.grid()

    def _stop(self, *_):
        self.stopped = True

    def _log(self, path: Path, loss: float) -> None:
        row = [self.optimizer.steps, self.samples, round(self.seconds / 60, 2), round(loss, 4), round(self.rate(), 3)]
        header = [] if path.exists() else [("steps", "samples", "minutes", "loss", "rate")]
        with path.open("a", newline="") as file:
            csv.writer(file).writerows([*header, row])
        print("steps {} samples {} minutes {} loss {} rate {}".format(*row), flush=True)

    def save(self) -> None:
        part = self.checkpoint.with_suffix(".part")
        torch.save(dict(optimizer=self.optimizer.state(), samples=self.samples, seconds=self.seconds,
                        generator=self.generator.get_state()), part)
        os.replace(part, self.checkpoint)

    def _resume(self) -> None:
        stored = torch.load(self.checkpoint)
        self.optimizer.restore(stored["optimizer"])
        self.samples, self.seconds = stored["samples"], stored["seconds"]
        self.generator.set_state(stored["generator"])
        print(f"resumed at {self.samples} samples", flush=True)

    @torch.no_grad()
    def grid(self) -> None:
        """Draws GRID with the averaged weights, as FluxPipeline would."""
        self.optimizer.load_ema()
        captions = Captions(self.args.pipeline)
        vae = AutoencoderTiny.from_pretrained(self.args.pipeline / "vae", torch_dtype=torch.float32).eval()
        pictures = sample(self, vae, *captions.encode(list(GRID)), torch.Generator().manual_seed(1))
        sheet = np.concatenate([np.concatenate(list(row), axis=1) for row in pictures.reshape(2, -1, *pictures.shape[1:])])
        Image.fromarray(sheet).save(self.work / f"grid-{self.samples // 1000:04d}k.png")
        self.optimizer.load_master()


@torch.no_grad()
def sample(trainer: Trainer, vae, ids, pooled, generator) -> np.ndarray:
    """(b, 128, 128, 3) uint8 pictures by 20 Euler steps."""
    x = pack(torch.randn(len(ids), 16, 16, 16, generator=generator))
    sigmas = torch.linspace(1, 1 / STEPS, STEPS).tolist() + [0.0]
    for now, after in zip(sigmas, sigmas[1:]):
        x = x + (after - now) * trainer.velocity(x, torch.full((len(ids),), now), ids, pooled, trainer.net)
    latents = x.view(-1, 8, 8, 16, 2, 2).permute(0, 3, 1, 4, 2, 5).reshape(-1, 16, 16, 16) / vae.config.scaling_factor
    pixels = (vae.decode(latents).sample.clamp(-1, 1) + 1) * 127.5
    return pixels.round().byte().permute(0, 2, 3, 1).numpy()


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipeline", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=data.cache_dir())
    parser.add_argument("--minutes", type=float, default=110, help="planned training time, earlier runs counted in")
    parser.add_argument("--batch", type=int, default=48)
    parser.add_argument("--adam-lr", type=float, default=1e-3)
    parser.add_argument("--muon-lr", type=float, default=3e-3)
    parser.add_argument("--flat", type=float, default=0.4, help="share of the time at the full learning rate")
    parser.add_argument("--pair-share", type=float, default=0.5)
    parser.add_argument("--long-share", type=float, default=0.1, help="share of steps with 512 text tokens")
    parser.add_argument("--repeats", type=int, default=4)
    parser.add_argument("--pairs", type=int, default=6000)
    parser.add_argument("--grid-minutes", type=float, default=12)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--muon", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--compile", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    arguments = parse()
    torch.set_num_threads(arguments.threads)
    arguments.work.mkdir(parents=True, exist_ok=True)
    Trainer(arguments).run()
