"""Writes a diffusers folder with the real shapes of DiT-XL/2 (675 million parameters, 256 × 256) and of its autoencoder, and random weights.

    python make_dit_stand_in.py tests/parity/golden/dit_a/pipeline /somewhere/dit
    quantspot-cli compare --preset dit --model /somewhere/dit --prompts classes.txt --seeds 0 --steps 4 --out table

Needs diffusers (the version of tests/parity), which is asked for the names and shapes only; classes and scheduler are the small pipeline's. Time,
memory and operations are those of the real model, pictures and their scores are not.
"""

import json
import shutil
import sys
from pathlib import Path

import diffusers
import torch
from make_flux_stand_in import write

TRANSFORMER = {"num_attention_heads": 16, "attention_head_dim": 72, "num_layers": 28, "patch_size": 2, "sample_size": 32, "in_channels": 4, "out_channels": 8,
               "num_embeds_ada_norm": 1000, "norm_type": "ada_norm_zero", "norm_elementwise_affine": False, "activation_fn": "gelu-approximate",
               "attention_bias": True}
VAE = {"block_out_channels": [128, 256, 512, 512], "layers_per_block": 2, "norm_num_groups": 32, "sample_size": 256, "latent_channels": 4,
       "down_block_types": ["DownEncoderBlock2D"] * 4, "up_block_types": ["UpDecoderBlock2D"] * 4, "scaling_factor": 0.18215}


def main():
    source, out = map(Path, sys.argv[1:3])
    shutil.copytree(source, out, ignore=lambda folder, names: names if Path(folder).name in ("transformer", "vae") else [])
    for part, cls, config in (("transformer", diffusers.DiTTransformer2DModel, TRANSFORMER), ("vae", diffusers.AutoencoderKL, VAE)):
        with torch.device("meta"):
            model = cls(**config)
        (out / part).mkdir(exist_ok=True)
        model.save_config(out / part)
        size = write(out / part / "diffusion_pytorch_model.safetensors", {name: tuple(weight.shape) for name, weight in model.state_dict().items()})
        print(f"{part}: {size / 2e6:.0f} million parameters")


if __name__ == "__main__":
    main()
