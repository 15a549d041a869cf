"""Trains the tiny autoencoder (AutoencoderTiny, 8 x smaller, 16 channels) on 64 x 64 crops of scenes."""
import argparse

import torch
from diffusers import AutoencoderTiny

import pictures
import stages
from scenes import SIZES, draw_scene, training_scene
from workplace import Clock, Log, chunk_rng, device, load_checkpoint, save_checkpoint, work_dir

CROP, FULL_RATE = 64, 2e-3


def build(width: int) -> AutoencoderTiny:
    widths = (width,) * 4
    return AutoencoderTiny(encoder_block_out_channels=widths, decoder_block_out_channels=widths, latent_channels=16,
                           num_encoder_blocks=(1, 1, 2, 2), num_decoder_blocks=(2, 2, 1, 1), force_upcast=False)


def crops(index: int, seed: int, batch: int) -> torch.Tensor:
    """(batch, 3, 64, 64) uint8: one random place of each of `batch` training scenes."""
    rng, cut = chunk_rng("autoencoder", seed, index), []
    for _ in range(batch):
        scene = training_scene(rng)
        left, top = rng.randint(0, scene.width - CROP), rng.randint(0, scene.height - CROP)
        cut.append(pictures.tensor([scene])[:, :, top:top + CROP, left:left + CROP])
    return torch.cat(cut)


def loss_of(vae: AutoencoderTiny, x: torch.Tensor) -> torch.Tensor:
    """L1 + edges + a little L2; noise on the latents makes them smooth for the diffusion model."""
    z = vae.encoder(x)
    error = (vae.decoder(z + 0.03 * torch.randn_like(z)) - x).float()
    edges = (error[..., 1:, :] - error[..., :-1, :]).abs().mean() + (error[..., 1:] - error[..., :-1]).abs().mean()
    return error.abs().mean() + 0.5 * edges + 0.5 * error.pow(2).mean() + 1e-3 * z.float().pow(2).mean()


@torch.no_grad()
def psnr(vae: AutoencoderTiny, seed: int, each: int) -> float:
    """Mean over whole pictures in dB, `each` of every size, drawn with another purpose than training's."""
    rng, values = chunk_rng("autoencoder-psnr", seed, 0), []
    for frame in SIZES:
        for _ in range(each):
            x = pictures.to_unit(pictures.tensor([draw_scene(rng, frame)])).to(vae.device)
            error = (vae.decode(vae.encode(x).latents).sample.clamp(-1, 1) - x).pow(2).mean()
            values.append(10 * torch.log10(4 / error))
    return torch.stack(values).mean().item()


@torch.no_grad()
def deviation(vae: AutoencoderTiny, seed: int, count: int) -> float:
    """Standard deviation of the latents of `count` pictures, by which the pipeline divides them."""
    rng = chunk_rng("autoencoder-deviation", seed, 0)
    return torch.cat([vae.encode(pictures.to_unit(pictures.tensor([draw_scene(rng)])).to(vae.device)).latents.flatten()
                      for _ in range(count)]).std().item()


class Trainer:
    def __init__(self, args: argparse.Namespace):
        torch.manual_seed(args.seed)
        self.args, self.checkpoint = args, work_dir() / "autoencoder.pt"
        stored = load_checkpoint(self.checkpoint) or dict(steps=0, seconds=0.0, width=args.width)
        self.vae = build(stored["width"]).to(device(), memory_format=torch.channels_last)
        self.optimizer = torch.optim.AdamW(self.vae.parameters(), lr=FULL_RATE, betas=(0.9, 0.99), weight_decay=0)
        if "vae" not in stored and args.start:
            stages.load_matching(self.vae, args.start / "vae/diffusion_pytorch_model.safetensors")
        elif "vae" in stored:
            self.vae.load_state_dict(stored["vae"])
            self.optimizer.load_state_dict(stored["optimizer"])
        self.steps, self.width = stored["steps"], stored["width"]
        self.clock = Clock(args.minutes, args.slice_end, stored["seconds"])

    def step(self, chunk: torch.Tensor) -> torch.Tensor:
        self.optimizer.param_groups[0]["lr"] = FULL_RATE * min(1, (self.steps + 1) / 100) * max(0.02, 1 - self.clock.done)
        x = pictures.to_unit(chunk.to(device(), non_blocking=True)).contiguous(memory_format=torch.channels_last)
        with torch.autocast(device().type, torch.bfloat16, enabled=self.args.bf16):
            loss = loss_of(self.vae, x)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.vae.parameters(), 1.0)
        self.optimizer.step()
        self.steps += 1
        return loss.detach()

    def run(self) -> None:
        log = Log(work_dir() / "autoencoder.csv", "steps", "minutes", "loss")
        chunks = pictures.stream(lambda index: crops(index, self.args.seed, self.args.batch), self.steps, self.args.workers)
        saved = self.clock.seconds
        while self.clock.runs():
            loss = self.step(next(chunks))
            if self.steps % self.args.log_every == 0:
                log.row(self.steps, round(self.clock.seconds / 60, 2), round(loss.item(), 4))
            if self.clock.seconds - saved > 120:
                self.save()
                saved = self.clock.seconds
        self.save()

    def save(self) -> None:
        save_checkpoint(dict(vae=self.vae.state_dict(), optimizer=self.optimizer.state_dict(), steps=self.steps,
                             seconds=self.clock.seconds, width=self.width), self.checkpoint)

    def finish(self) -> None:
        """Writes vae/ and the stage's figures."""
        vae = self.vae.float().eval()
        vae.register_to_config(scaling_factor=1 / deviation(vae, self.args.seed, self.args.check), shift_factor=0.0)
        figures = dict(psnr_db=round(psnr(vae, self.args.seed, self.args.check // 4), 2), steps=self.steps,
                       pictures=self.steps * self.args.batch, minutes=round(self.clock.seconds / 60, 1), device=stages.hardware())
        print("autoencoder", figures)
        vae.to(memory_format=torch.contiguous_format).save_pretrained(self.args.pipeline / "vae")
        stages.finish("autoencoder", figures)


def parse() -> argparse.Namespace:
    parser = stages.parser(__doc__)
    stages.add_bf16(parser)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--check", type=int, default=128, help="pictures for PSNR and the latents' deviation")
    parser.add_argument("--batch", type=int, default=stages.pick(gpu=128, cpu=32))
    return stages.parsed(parser)


if __name__ == "__main__":
    stages.carry_out(Trainer(parse()))
