"""Trains the FLUX transformer on precomputed latents, with the T5 that names.py has taught; goes on from its own checkpoint."""
import argparse
import math
from pathlib import Path

import torch
from diffusers import FluxPipeline, FluxTransformer2DModel
from transformers import T5Config, T5EncoderModel

import blocks
import stages
from latents import SHORT, Dataset
from optimizer import MasterOptimizer, is_muon
from sampler import preview
from scenes import SIZE_SHARES, SIZES
from vocabulary import T5_PIECES, TOKENS
from workplace import Clock, Log, device, load_checkpoint, save_checkpoint, work_dir

LONG = 512  # FluxPipeline's default length, nearly all padding (FLUX has no text mask): a few steps see it, so that it does no harm
RENEW = 6  # passes through a training set; of 40,000 scenes much was learnt by heart after some 20: the loss at σ = 0.8 was 39 % higher on fresh ones
SHAPE = dict(in_channels=64, num_layers=1, num_single_layers=6, attention_head_dim=32, num_attention_heads=8, joint_attention_dim=192,
             pooled_projection_dim=128, guidance_embeds=False, axes_dims_rope=(8, 12, 12))
T5_SHAPE = dict(vocab_size=T5_PIECES, d_model=192, d_ff=512, d_kv=48, num_heads=4, num_layers=3, feed_forward_proj="gated-gelu",
                is_encoder_decoder=False, use_cache=False, dropout_rate=0.0, pad_token_id=0, eos_token_id=1, decoder_start_token_id=0)


def noise_levels(count: int, generator: torch.Generator) -> torch.Tensor:
    """Logit-normal σ, shifted to the noisy side, where the caption decides what is drawn; one in eight uniform, so that both ends are seen. As
    bfloat16 holds it."""
    place = dict(generator=generator, device=generator.device)
    sigma = torch.sigmoid(torch.randn(count, **place))
    sigma = 2 * sigma / (1 + sigma)
    uniform = torch.rand(count, **place)
    return torch.where(torch.rand(count, **place) < 0.125, uniform, sigma).bfloat16().float()


@torch.no_grad()
def look_around(t5: T5EncoderModel) -> None:
    """Sets the bias by relative position: the four heads look far behind, far ahead, around and closely behind, less with every piece of distance
    (as ALiBi does: Press et al., 2022). From T5's own small random start it stayed small, and the text encoder a bag of words."""
    bias = t5.encoder.block[0].layer[0].SelfAttention.relative_attention_bias.weight  # (32 buckets, heads): same and behind, then ahead
    near = torch.arange(8.0)
    distance = torch.cat([near, 8 * 16 ** (near / 8)])  # T5's buckets: each of the first eight pieces, then ever more up to 128
    slopes = [(0.15, None), (None, 0.15), (0.7, 0.7), (1.0, None)]
    for head, pair in enumerate(slopes):
        bias[:, head] = torch.cat([torch.full((16,), -8.0) if slope is None else -slope * distance for slope in pair])
    bias[0] = 0  # a piece itself


def new_t5(start: Path | None) -> T5EncoderModel:
    """The text encoder with random weights, or with those of a pipeline folder where shapes fit."""
    t5 = T5EncoderModel(T5Config(**T5_SHAPE))
    look_around(t5)
    if start:
        stages.load_matching(t5, start / "text_encoder_2/model.safetensors")
    return t5


def mixed(clean: torch.Tensor, noise: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """What stands at noise level σ on the straight line from picture to noise (rectified flow): (b, tokens, channels), σ (b)."""
    blend = sigma.view(-1, 1, 1)
    return (1 - blend) * clean + blend * noise


class Networks:
    """Transformer and frozen T5 in bfloat16 on the device, and their velocity prediction. Trained along, at the transformer's rate, T5 forgot
    in 230 steps which picture three quarters of the names mean."""

    def __init__(self, start: Path | None, compiled: bool, pipeline: Path | None):
        """start: a pipeline whose transformer is taken where shapes fit; pipeline: the one whose T5 names.py has written (None: random)."""
        self.net, self.t5 = FluxTransformer2DModel(**SHAPE), new_t5(pipeline)
        if start:
            stages.load_matching(self.net, start / "transformer/diffusion_pytorch_model.safetensors")
        for module in (self.net, self.t5):
            module.to(device(), torch.bfloat16).train()
        self.t5.requires_grad_(False)
        if compiled:  # block by block: one compilation for every kind of block serves all sizes
            if device().type == "cpu":
                blocks.use_products(self.net)
            self.net.compile_repeated_blocks(dynamic=True)
            self.t5.encoder = torch.compile(self.t5.encoder, dynamic=True)
        self.image_ids = {frame: FluxPipeline._prepare_latent_image_ids(1, frame[1] // 16, frame[0] // 16, device(), torch.bfloat16)
                          for frame in SIZES}

    def named(self) -> list[tuple[str, torch.nn.Parameter]]:
        """What is trained; the order is that of the optimizer's state, which export.py relies on."""
        return list(self.net.named_parameters())

    def velocity(self, x: torch.Tensor, sigma: torch.Tensor, ids: torch.Tensor, pooled: torch.Tensor, frame: tuple[int, int]) -> torch.Tensor:
        text = self.t5(ids).last_hidden_state
        return self.net(hidden_states=x.bfloat16(), timestep=sigma.bfloat16(), encoder_hidden_states=text, pooled_projections=pooled.bfloat16(),
                        img_ids=self.image_ids[frame], txt_ids=torch.zeros(ids.shape[1], 3, device=x.device), return_dict=False)[0].float()


def guided(target: torch.Tensor, predicted: torch.Tensor, uncaptioned: torch.Tensor, scale: float) -> torch.Tensor:
    """The velocity to learn so that one pass draws as classifier-free guidance of this scale does in two. Its fixed point is uncaptioned +
    scale · (target − uncaptioned), from the network's own predictions with and without the caption (model guidance: Tang et al., 2025)."""
    return target + (1 - 1 / scale) * (predicted.detach() - uncaptioned)


def finite(loss: float, step: int) -> float:
    """The loss, or the end: the checkpoint on disk is then still the last good one."""
    if not math.isfinite(loss):
        raise SystemExit(f"flux: the loss is {loss} at step {step}; run again with a lower --muon-lr and --adam-lr (flux.py --help)")
    return loss


class Trainer:
    def __init__(self, args: argparse.Namespace):
        torch.manual_seed(args.seed)
        self.args, self.checkpoint = args, work_dir() / "flux.pt"
        stored = load_checkpoint(self.checkpoint) or dict(samples=0, seconds=0.0)
        self.networks = Networks(None if "optimizer" in stored else args.start, args.compile, args.pipeline)
        self.optimizer = MasterOptimizer(self.networks.named(), is_muon, ema_decay=args.ema, compiled=args.compile)
        self.generator = torch.Generator(device()).manual_seed(args.seed)
        if "optimizer" in stored:
            self.optimizer.restore(stored["optimizer"])
            self.generator.manual_seed(args.seed + self.optimizer.steps)  # a generator's state does not move between devices
        self.dice = torch.Generator().manual_seed(args.seed + self.optimizer.steps)  # decides without waiting for the device
        self.samples, self.part = stored["samples"], -1
        self.draw_scenes()
        self.clock = Clock(args.minutes, args.slice_end, stored["seconds"])

    def draw_scenes(self) -> None:
        """Another training set after RENEW passes through one."""
        part = self.samples // (RENEW * self.args.scenes)
        if part != self.part:
            self.part, self.dataset = part, None  # both at once would be twice the memory
            self.dataset = Dataset(self.args.pipeline, work_dir(), part, self.args)

    def choose_size(self) -> int:
        """A size by its share, among those that the training set has; only the smallest at first."""
        if self.clock.done < self.args.squares:
            return self.dataset.sizes[0]
        shares = torch.tensor([SIZE_SHARES[size] for size in self.dataset.sizes])
        return self.dataset.sizes[torch.multinomial(shares, 1, generator=self.dice).item()]

    def step(self) -> torch.Tensor | None:
        """One update; its loss, or None where the long text was used (not comparable). Every size has about as many tokens in a batch."""
        args, size = self.args, self.choose_size()
        kind = torch.rand(1, generator=self.dice).item()
        long, short = kind < args.long_share, kind >= 1 - args.short_share
        width, height = SIZES[size]
        tokens = width * height // 256 + (LONG if long else TOKENS)
        count = max(1, args.batch * (64 + TOKENS) // tokens)
        clean, ids, pooled = self.dataset.batch(size, count, 0.05, short, self.generator)
        ids = torch.nn.functional.pad(ids, (0, LONG - TOKENS)) if long else ids
        noise = torch.randn(clean.shape, generator=self.generator, device=clean.device)
        sigma = noise_levels(count, self.generator)
        noisy, target = mixed(clean, noise, sigma), noise - clean
        predicted = self.networks.velocity(noisy, sigma, ids, pooled, SIZES[size])
        if args.guidance > 1 and self.clock.done >= args.flat:
            target = self.guided(target, predicted, noisy, sigma, ids, SIZES[size])
        loss = (predicted - target).pow(2).mean()
        loss.backward()
        rate = self.rate()
        self.optimizer.step(args.adam_lr * rate, args.muon_lr * rate)
        self.samples += count
        return None if long else loss.detach()

    def guided(self, target, predicted, noisy, sigma, ids, frame) -> torch.Tensor:
        """guided() for the pictures of a batch that have a caption."""
        empty_ids, empty_pooled = self.dataset.empty(*ids.shape)
        with torch.no_grad():
            uncaptioned = self.networks.velocity(noisy, sigma, empty_ids, empty_pooled, frame)
        captioned = (ids != empty_ids).any(1)[:, None, None]
        return torch.where(captioned, guided(target, predicted, uncaptioned, self.args.guidance), target)

    def rate(self) -> float:
        """Share of the full learning rate: warm-up, flat, then linear to 1 % at the end of the planned time."""
        warm = min(1.0, (self.optimizer.steps + 1) / 40)
        return warm * min(1.0, max(0.01, (1 - self.clock.done) / (1 - self.args.flat)))

    def run(self) -> None:
        log, losses = Log(work_dir() / "loss.csv", "steps", "samples", "minutes", "loss", "rate"), []
        saved = drawn = self.clock.seconds
        while self.clock.runs():
            self.draw_scenes()
            loss = self.step()
            losses += [] if loss is None else [loss]
            if len(losses) >= self.args.log_every:
                mean = finite(torch.stack(losses).mean().item(), self.optimizer.steps)
                log.row(self.optimizer.steps, self.samples, round(self.clock.seconds / 60, 2), round(mean, 4), round(self.rate(), 3))
                losses = []
            if self.clock.seconds - saved > 240:
                self.save()
                saved = self.clock.seconds
            if self.clock.seconds - drawn > self.args.preview_minutes * 60:
                self.draw()
                drawn = self.clock.seconds
        self.save()

    def save(self) -> None:
        save_checkpoint(dict(optimizer=self.optimizer.state(), samples=self.samples, seconds=self.clock.seconds), self.checkpoint)

    @torch.no_grad()
    def check(self, seen: bool) -> float:
        """Mean loss on scenes that are trained on, or on as many that never are; with the same noise every time."""
        generator = torch.Generator(device()).manual_seed(0)
        clean, ids, pooled = self.dataset.check(seen)
        noise, sigma = torch.randn(clean.shape, generator=generator, device=clean.device), noise_levels(len(clean), generator)
        parts = zip(*(value.split(self.args.batch) for value in (mixed(clean, noise, sigma), sigma, ids, pooled)))
        predicted = torch.cat([self.networks.velocity(*part, SIZES[self.dataset.sizes[0]]) for part in parts])
        return (predicted - (noise - clean)).pow(2).mean().item()

    def draw(self) -> None:
        """Previews the averaged weights and logs their loss on scenes seen and unseen."""
        self.optimizer.load_ema()
        Log(work_dir() / "check.csv", "samples", "seen", "unseen").row(self.samples, *(round(self.check(seen), 4) for seen in (True, False)))
        preview(self.networks.velocity, self.args.pipeline, work_dir() / f"preview-{self.samples // 1000:06d}k.png")
        self.optimizer.load_master()

    def finish(self) -> None:
        self.draw()
        figures = dict(steps=self.optimizer.steps, samples=self.samples, scenes=len(self.dataset),
                       minutes=round(self.clock.seconds / 60, 1), device=stages.hardware())
        print("flux", figures)
        stages.finish("flux", figures)


def parse() -> argparse.Namespace:
    parser = stages.parser(__doc__)
    stages.add_bf16(parser)
    parser.add_argument("--batch", type=int, default=stages.pick(gpu=512, cpu=96), help="pictures of 128 × 128; fewer of larger ones")
    parser.add_argument("--scenes", type=int, default=stages.pick(gpu=300_000, cpu=60_000), help="size of the training set")
    parser.add_argument("--adam-lr", type=float, default=1e-3)
    parser.add_argument("--muon-lr", type=float, default=3e-3)
    parser.add_argument("--ema", type=float, default=0.9995)
    parser.add_argument("--flat", type=float, default=0.5, help="share of the time at the full learning rate")
    parser.add_argument("--guidance", type=float, default=1.5,
                        help="scale of classifier-free guidance that is learnt while the rate falls, at a third more time a step; 1: none")
    parser.add_argument("--squares", type=float, default=stages.pick(gpu=0.0, cpu=0.5), help="share of the time with pictures of 128 × 128 alone")
    parser.add_argument("--long-share", type=float, default=0.03, help="share of steps with 512 text tokens")
    parser.add_argument("--short-share", type=float, default=stages.pick(gpu=0.0, cpu=0.7), help=f"share of steps with captions of at most {SHORT} pieces, without padding beyond")
    parser.add_argument("--preview-minutes", type=float, default=stages.pick(gpu=4, cpu=20))
    stages.add_compile(parser)
    return stages.parsed(parser)


if __name__ == "__main__":
    stages.carry_out(Trainer(parse()))
