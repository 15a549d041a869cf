"""Trains the small CLIP on scenes and close-ups with captions; its text half becomes the pipeline's frozen first text encoder."""
import argparse
import random
from pathlib import Path
from typing import Iterable

import numpy as np
import torch
from diffusers import AutoencoderTiny
from PIL import Image
from transformers import CLIPConfig, CLIPModel, CLIPTextConfig, CLIPTextModel, CLIPTokenizer, CLIPVisionConfig

import captions
import emoji
import pictures
import render
import stages
import words
from optimizer import MasterOptimizer
from scenes import COLOURS, Placed, Scene, draw_scene, evaluation_scene, training_scene
from workplace import Clock, Log, chunk_rng, device, load_checkpoint, save_checkpoint, work_dir

SIDE, ADAM_RATE, MUON_RATE = 128, 1e-3, 3e-3
MOST_SCALE = 4.6052  # log 100, as CLIP bounds it
MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(1, 3, 1, 1)  # CLIP's own normalization
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(1, 3, 1, 1)
CLOSE_UPS = 0.55  # share of training pictures that show one subject cut out, as the judge of evaluate.py looks at it
CODED = 0.25  # share that the autoencoder has encoded and decoded first, as every generated picture comes out of it


def build(tokenizer: CLIPTokenizer) -> CLIPModel:
    special = dict(bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)
    text = CLIPTextConfig(vocab_size=len(tokenizer), num_hidden_layers=3, max_position_embeddings=77, hidden_size=128, intermediate_size=384,
                          num_attention_heads=4, projection_dim=128, **special)
    vision = CLIPVisionConfig(num_hidden_layers=5, image_size=SIDE, patch_size=16, hidden_size=192, intermediate_size=512,
                              num_attention_heads=4, projection_dim=128)
    return CLIPModel(CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=128))


def squared(pixels: np.ndarray) -> np.ndarray:
    """(128, 128, 3): the shorter edge resized, the middle cut out, as CLIP's image processor does."""
    height, width = pixels.shape[:2]
    if height == width == SIDE:
        return pixels
    scale = SIDE / min(height, width)
    image = Image.fromarray(pixels).resize((max(SIDE, int(width * scale)), max(SIDE, int(height * scale))), Image.BICUBIC)
    left, top = (image.width - SIDE) // 2, (image.height - SIDE) // 2
    return np.asarray(image)[top:top + SIDE, left:left + SIDE]


def close_up(pixels: np.ndarray, left: float, top: float, side: float) -> np.ndarray:
    """(128, 128, 3): a square of the picture with a twentieth of margin all around, enlarged; moved inside where it would leave it."""
    height, width = pixels.shape[:2]
    full = round(min(side * 1.1, width, height))
    x = min(max(0, round(left - 0.05 * side)), width - full)
    y = min(max(0, round(top - 0.05 * side)), height - full)
    return np.asarray(Image.fromarray(pixels[y:y + full, x:x + full]).resize((SIDE, SIDE), Image.BICUBIC))


def softened(pixels: np.ndarray, rng: random.Random) -> np.ndarray:
    """Now and then as blurred as a generated picture may be."""
    if rng.random() > 0.3:
        return pixels
    small = Image.fromarray(pixels).resize((rng.randint(40, 100),) * 2, Image.BILINEAR)
    return np.asarray(small.resize((SIDE, SIDE), Image.BICUBIC))


def colour_behind(scene: Scene, subject: Placed) -> str:
    """The background's colour under the middle of a subject."""
    ground = scene.background
    second = (subject.left + subject.side / 2 >= scene.width // 2 if ground.split == "beside" else
              subject.top + subject.side / 2 >= scene.height // 2 if ground.split == "above" else False)
    return ground.colours[1 if second else 0]


def close_up_text(name: str, colour: str) -> str:
    """What the judge compares a close-up with."""
    return f"{words.with_article(name)} on {words.with_article(colour)} background"


def drawn(scene: Scene, rng: random.Random, vae: AutoencoderTiny) -> np.ndarray:
    """(height, width, 3): the scene, now and then as it comes out of the autoencoder."""
    picture = render.render(scene)
    return pictures.decoded(vae, picture) if rng.random() < CODED else picture


def example(rng: random.Random, vae: AutoencoderTiny) -> tuple[np.ndarray, str, tuple[int, int]]:
    """A (128, 128, 3) picture, what it shows, and of a close-up the numbers of its name and colour, else −1."""
    if rng.random() >= CLOSE_UPS:
        scene = training_scene(rng)
        return squared(drawn(scene, rng, vae)), captions.random_caption(scene, rng), (-1, -1)
    while not (scene := training_scene(rng)).subjects:
        pass
    subject = rng.choice(scene.subjects)
    shift = lambda: rng.uniform(-0.07, 0.07) * subject.side
    view = close_up(drawn(scene, rng, vae), subject.left + shift(), subject.top + shift(), subject.side * rng.uniform(0.9, 1.15))
    colour = colour_behind(scene, subject)
    text = words.with_article(subject.name) if rng.random() < 0.3 else close_up_text(subject.name, colour)
    return softened(view, rng), text, (emoji.row(subject.name), list(COLOURS).index(colour))


def chunk(index: int, seed: int, batch: int, vae: AutoencoderTiny) -> tuple[torch.Tensor, list[str], torch.Tensor]:
    rng = chunk_rng("clip", seed, index)
    views, texts, shown = zip(*(example(rng, vae) for _ in range(batch)))
    return stacked(views), list(texts), torch.tensor(shown)


def contrastive(logits: torch.Tensor, texts: list[str]) -> torch.Tensor:
    """Symmetric cross-entropy in which equal captions are all right answers."""
    number = {text: i for i, text in enumerate(texts)}
    ids = torch.tensor([number[text] for text in texts], device=logits.device)
    same = (ids[:, None] == ids).float()
    target = same / same.sum(1, keepdim=True)
    return -(target * logits.log_softmax(1)).sum(1).mean() / 2 - (target * logits.t().log_softmax(1)).sum(1).mean() / 2


def normalize(images: torch.Tensor) -> torch.Tensor:
    return (images.float() / 255 - MEAN.to(images.device)) / STD.to(images.device)


def unit(features) -> torch.Tensor:
    """(n, 128) of length 1 in float32, from what transformers' get_…_features returns (newer ones wrap it)."""
    return torch.nn.functional.normalize(getattr(features, "pooler_output", features).float(), dim=-1)


def text_features(model: CLIPModel, tokenizer: CLIPTokenizer, texts: list[str]) -> torch.Tensor:
    """(texts, 128) of length 1."""
    encode = lambda part: unit(model.get_text_features(**tokenizer(part, padding=True, return_tensors="pt").to(device())))
    return torch.cat([encode(texts[i:i + 512]) for i in range(0, len(texts), 512)])


def image_features(model: CLIPModel, images: torch.Tensor) -> torch.Tensor:
    """(images, 128) of length 1, of (images, 3, 128, 128) uint8."""
    return torch.cat([unit(model.get_image_features(pixel_values=normalize(part))) for part in images.split(512)])


def stacked(views: Iterable[np.ndarray]) -> torch.Tensor:
    """(views, 3, 128, 128) of (128, 128, 3) ones."""
    return torch.from_numpy(np.stack(list(views))).permute(0, 3, 1, 2).contiguous()


def choices(model: CLIPModel, tokenizer: CLIPTokenizer, names: Iterable[str], colour: str) -> torch.Tensor:
    """(names, 128): what the judge chooses from for a close-up on this colour."""
    return text_features(model, tokenizer, [close_up_text(name, colour) for name in names])


@torch.no_grad()
def retrieval(model: CLIPModel, tokenizer: CLIPTokenizer, seed: int, count: int) -> float:
    """Share of held-out square scenes whose own caption is the best of all `count`."""
    rng, found = chunk_rng("clip-retrieval", seed, 0), {}
    while len(found) < count:
        scene = evaluation_scene(rng, rng.choice(((128, 128), (256, 256))))
        found.setdefault(captions.caption(scene), scene)
    views = stacked(squared(render.render(scene)) for scene in found.values())
    scores = image_features(model, views.to(device())) @ text_features(model, tokenizer, list(found)).T
    return float((scores.argmax(1).cpu() == torch.arange(count)).float().mean())


@torch.no_grad()
def zero_shot(model: CLIPModel, tokenizer: CLIPTokenizer, seed: int, count: int, vae: AutoencoderTiny | None = None) -> float:
    """Share of close-ups of subjects in held-out scenes, `vae`: after the autoencoder, that are given their name among all names."""
    rng, shown = chunk_rng("clip-zero-shot", seed, 0), []
    while len(shown) < count:
        scene = evaluation_scene(rng)
        picture = pictures.decoded(vae, render.render(scene)) if vae else render.render(scene)
        shown += [(close_up(picture, s.left, s.top, s.side), colour_behind(scene, s), emoji.row(s.name)) for s in scene.subjects]
    found = 0
    for colour in sorted({colour for _, colour, _ in shown}):
        views, _, rows = zip(*(entry for entry in shown if entry[1] == colour))
        best = (image_features(model, stacked(views).to(device())) @ choices(model, tokenizer, emoji.table(), colour).T).argmax(1)
        found += int((best.cpu() == torch.tensor(rows)).sum())
    return found / len(shown)


class Trainer:
    """Network in bfloat16 but for the scale, masters in float32."""

    def __init__(self, args: argparse.Namespace):
        torch.manual_seed(args.seed)
        self.args, self.checkpoint = args, work_dir() / "clip.pt"
        self.tokenizer = CLIPTokenizer.from_pretrained(args.pipeline / "tokenizer")
        self.model = build(self.tokenizer).to(device(), torch.bfloat16)
        self.model.logit_scale.data = self.model.logit_scale.data.float()
        self.choices, self.vae = None, pictures.autoencoder(args.pipeline)
        stored = load_checkpoint(self.checkpoint) or dict(steps=0, seconds=0.0)
        if "model" in stored:
            self.model.load_state_dict(stored["model"])
        self.optimizer = MasterOptimizer(list(self.model.named_parameters()), lambda name, p: p.ndim == 2 and ".layers." in name, ema_decay=0.998, weight_decay=0.02)
        if "optimizer" in stored:
            self.optimizer.restore(stored["optimizer"])
        if args.compile:
            for layer in self.model.vision_model.encoder.layers:
                layer.compile(dynamic=False)
        self.steps = stored["steps"]
        self.clock = Clock(args.minutes, args.slice_end, stored["seconds"])

    @torch.no_grad()
    def refresh_choices(self) -> None:
        """(colours, names, 128) of what the judge asks for; all names, which no batch holds. Old ones serve for a while."""
        if self.choices is None or self.steps % 100 == 0:
            self.choices = torch.stack([choices(self.model, self.tokenizer, emoji.table(), colour) for colour in COLOURS])

    def named(self, images: torch.Tensor, shown: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        """Mean cross-entropy of close-ups' names among all names, each on its own colour."""
        rows, colours = shown.T
        parts = [torch.nn.functional.cross_entropy(scale * images[colours == i] @ table.T, rows[colours == i], reduction="sum")
                 for i, table in enumerate(self.choices)]
        return sum(parts) / (rows >= 0).sum().clamp(min=1)

    def step(self, images: torch.Tensor, texts: list[str], shown: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """One update; its loss and (images, texts) logits."""
        self.refresh_choices()
        seen, scale = image_features(self.model, images.to(device(), non_blocking=True)), self.model.logit_scale.exp()
        logits = scale * seen @ text_features(self.model, self.tokenizer, texts).T
        loss = contrastive(logits, texts) + self.named(seen, shown.to(device()), scale)
        loss.backward()
        rate = min(1, (self.optimizer.steps + 1) / 100) * max(0.02, 1 - self.clock.done)
        self.optimizer.step(ADAM_RATE * rate, MUON_RATE * rate)
        self.optimizer.bound("logit_scale", MOST_SCALE)
        self.steps += 1
        return loss.detach(), logits.detach()

    def run(self) -> None:
        log = Log(work_dir() / "clip.csv", "steps", "minutes", "loss", "in_batch")
        chunks = pictures.stream(lambda index: chunk(index, self.args.seed, self.args.batch, self.vae), self.steps, self.args.workers)
        saved = self.clock.seconds
        while self.clock.runs():
            loss, logits = self.step(*next(chunks))
            if self.steps % self.args.log_every == 0:
                hits = (logits.argmax(1).cpu() == torch.arange(len(logits))).float().mean().item()
                log.row(self.steps, round(self.clock.seconds / 60, 2), round(loss.item(), 3), round(hits, 3))
            if self.clock.seconds - saved > 120:
                self.save()
                saved = self.clock.seconds
        self.save()

    def save(self) -> None:
        save_checkpoint(dict(model=self.model.state_dict(), optimizer=self.optimizer.state(), steps=self.steps,
                             seconds=self.clock.seconds), self.checkpoint)

    def finish(self) -> None:
        """Writes clip_score/ and, unless it is kept, text_encoder/ with the averaged weights, and the stage's figures."""
        self.optimizer.load_ema()
        model, count = self.model.float().eval(), self.args.check
        figures = dict(retrieval_of=count, retrieval=round(retrieval(model, self.tokenizer, self.args.seed, count), 3),
                       zero_shot_of=len(emoji.table()), zero_shot=round(zero_shot(model, self.tokenizer, self.args.seed, count), 3),
                       zero_shot_coded=round(zero_shot(model, self.tokenizer, self.args.seed, count, self.vae), 3),
                       steps=self.steps, pictures=self.steps * self.args.batch, minutes=round(self.clock.seconds / 60, 1),
                       device=stages.hardware())
        print("clip", figures)
        write(model.cpu(), self.tokenizer, self.args.pipeline, self.args.keep_text_encoder)
        stages.finish("clip", figures)


def write(model: CLIPModel, tokenizer: CLIPTokenizer, pipeline: Path, keep_text_encoder: bool) -> None:
    model.save_pretrained(pipeline / "clip_score")
    tokenizer.save_pretrained(pipeline / "clip_score")
    if keep_text_encoder:
        return
    text = CLIPTextModel(model.config.text_config)
    strip = lambda key: key.removeprefix("text_model.")
    own = {strip(key): key for key in text.state_dict()}
    text.load_state_dict({own[strip(k)]: v for k, v in model.state_dict().items() if k.startswith("text_model.") and strip(k) in own})
    text.save_pretrained(pipeline / "text_encoder")


def parse() -> argparse.Namespace:
    parser = stages.parser(__doc__)
    parser.add_argument("--batch", type=int, default=stages.pick(gpu=1024, cpu=256))
    parser.add_argument("--check", type=int, default=512, help="pictures for retrieval and zero-shot accuracy")
    stages.add_compile(parser)
    parser.add_argument("--keep-text-encoder", action="store_true",
                        help="leaves text_encoder/ as it is, on which FLUX may have been trained already; the judge's own text half learns on")
    return stages.parsed(parser)


if __name__ == "__main__":
    stages.carry_out(Trainer(parse()))
