"""Trains the tiny autoencoder (AutoencoderTiny, 8 x smaller, 16 channels) on 64 x 64 crops of scenes."""
import argparse
import random
import time
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny

import data

WIDTHS = (32, 32, 32, 32)
CROP, BATCH, POOL = 64, 16, 4000


def pixels(scenes) -> torch.Tensor:
    """(n, 3, 128, 128) uint8."""
    return torch.from_numpy(np.stack([data.draw(s) for s in scenes])).permute(0, 3, 1, 2).contiguous()


def scene_pool(count: int, seed: int) -> list[data.Scene]:
    rng = random.Random(seed)
    repeats = -(-count // (len(data.SUBJECTS) * len(data.COLOURS)))
    singles, pairs = data.scenes(rng, repeats, count // 4)
    return rng.sample(singles, count - len(pairs)) + pairs


def gradients(x: torch.Tensor) -> torch.Tensor:
    return (x[..., 1:, :] - x[..., :-1, :]).abs().mean() + (x[..., 1:] - x[..., :-1]).abs().mean()


def loss_of(vae: AutoencoderTiny, x: torch.Tensor) -> torch.Tensor:
    """L1 + edges + a little L2; noise on the latents makes them smooth for the diffusion model."""
    z = vae.encoder(x)
    error = vae.decoder(z + 0.03 * torch.randn_like(z)) - x
    return error.abs().mean() + 0.5 * gradients(error) + 0.5 * error.pow(2).mean() + 1e-3 * z.pow(2).mean()


@torch.no_grad()
def psnr(vae: AutoencoderTiny, scenes) -> float:
    """Mean over whole pictures, in dB."""
    x = pixels(scenes).float() / 127.5 - 1
    error = (vae.decode(vae.encode(x).latents).sample.clamp(-1, 1) - x).pow(2).mean((1, 2, 3))
    return (10 * torch.log10(4 / error)).mean().item()


def train(folder: Path, minutes: float, seed: int) -> None:
    torch.manual_seed(seed)
    vae = AutoencoderTiny(encoder_block_out_channels=WIDTHS, decoder_block_out_channels=WIDTHS, latent_channels=16,
                          num_encoder_blocks=(1, 1, 2, 2), num_decoder_blocks=(2, 2, 1, 1), force_upcast=False)
    optimizer = torch.optim.AdamW(vae.parameters(), lr=2e-3, betas=(0.9, 0.99), weight_decay=0)
    pool, begun, step = pixels(scene_pool(POOL, seed)), time.time(), 0
    while (done := (time.time() - begun) / (minutes * 60)) < 1:
        optimizer.param_groups[0]["lr"] = 2e-3 * min(1, (step + 1) / 100) * max(0.02, 1 - done)
        top, left = torch.randint(0, data.SIZE - CROP, (2,)).tolist()
        crop = pool[torch.randint(0, POOL, (BATCH,)), :, top:top + CROP, left:left + CROP].float() / 127.5 - 1
        loss = loss_of(vae, crop)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        step += 1
        if step % 500 == 0:
            print(f"autoencoder steps {step} minutes {done * minutes:.1f} loss {loss.item():.4f}", flush=True)
    with torch.no_grad():  # unit variance, as the transformer expects
        deviation = vae.encode(pool[:512].float() / 127.5 - 1).latents.std().item()
    vae.register_to_config(scaling_factor=1 / deviation, shift_factor=0.0)
    print(f"autoencoder PSNR {psnr(vae, scene_pool(64, seed + 1)):.2f} dB")
    vae.save_pretrained(folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipeline", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=24)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    train(arguments.pipeline / "vae", arguments.minutes, arguments.seed)
