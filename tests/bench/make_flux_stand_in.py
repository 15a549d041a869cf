"""Writes a diffusers folder with a transformer of FLUX.1-dev's real shapes (12 billion parameters, 24 GB of bf16) and random weights.

The other parts are those of a small pipeline, with the text encoders' widths made FLUX's, so that what is measured is the transformer:

    python make_flux_stand_in.py tests/parity/golden/flux_a/pipeline /somewhere/stand-in
    quantspot-cli generate --model /somewhere/stand-in --precision bnb-nf4 --no-cache --steps 1 --width 256 --height 256 \\
        --prompt "a fox" --out fox.png --report report.json

Needs numpy. Weights are cut from a pool of normal numbers, each tensor at another place; deviations keep activations finite.
"""

import json
import shutil
import struct
import sys
from pathlib import Path

import numpy as np

WIDTH, HEADS, HEAD, MLP, TEXT, POOLED = 3072, 24, 128, 12288, 4096, 768
POOL = 1 << 27  # numbers


def layer(names, name, out, inputs, bias=True):
    names[f"{name}.weight"] = (out, inputs)
    if bias:
        names[f"{name}.bias"] = (out,)


def tensors(doubles=19, singles=38):
    names = {}
    for part in ("timestep_embedder", "guidance_embedder"):
        layer(names, f"time_text_embed.{part}.linear_1", WIDTH, 256)
        layer(names, f"time_text_embed.{part}.linear_2", WIDTH, WIDTH)
    layer(names, "time_text_embed.text_embedder.linear_1", WIDTH, POOLED)
    layer(names, "time_text_embed.text_embedder.linear_2", WIDTH, WIDTH)
    layer(names, "context_embedder", WIDTH, TEXT)
    layer(names, "x_embedder", WIDTH, 64)
    for i in range(doubles):
        block = f"transformer_blocks.{i}"
        for norm in ("norm1", "norm1_context"):
            layer(names, f"{block}.{norm}.linear", 6 * WIDTH, WIDTH)
        for projection in ("to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out"):
            layer(names, f"{block}.attn.{projection}", WIDTH, WIDTH)
        for norm in ("norm_q", "norm_k", "norm_added_q", "norm_added_k"):
            names[f"{block}.attn.{norm}.weight"] = (HEAD,)
        for ff in ("ff", "ff_context"):
            layer(names, f"{block}.{ff}.net.0.proj", MLP, WIDTH)
            layer(names, f"{block}.{ff}.net.2", WIDTH, MLP)
    for i in range(singles):
        block = f"single_transformer_blocks.{i}"
        layer(names, f"{block}.norm.linear", 3 * WIDTH, WIDTH)
        layer(names, f"{block}.proj_mlp", MLP, WIDTH)
        layer(names, f"{block}.proj_out", WIDTH, WIDTH + MLP)
        for projection in ("to_q", "to_k", "to_v"):
            layer(names, f"{block}.attn.{projection}", WIDTH, WIDTH)
        for norm in ("norm_q", "norm_k"):
            names[f"{block}.attn.{norm}.weight"] = (HEAD,)
    layer(names, "norm_out.linear", 2 * WIDTH, WIDTH)
    layer(names, "proj_out", 64, WIDTH)
    return names


def bf16(values):
    return (values.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)


def write(path, shapes):
    rng = np.random.default_rng(0)
    pool = bf16(rng.standard_normal(POOL, dtype=np.float32) * 0.02)
    header, offset = {}, 0
    for name, shape in shapes.items():
        size = 2 * int(np.prod(shape))
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, shape in shapes.items():
            count = int(np.prod(shape))
            if "norm" in name and name.endswith(".weight") and len(shape) == 1:
                file.write(bf16(np.ones(count, np.float32)).tobytes())
                continue
            start = int(rng.integers(0, POOL - count))
            file.write(pool[start:start + count].tobytes())
    return offset


def widen(folder, key, value):
    """The part's config with another width."""
    config = json.loads((folder / "config.json").read_text())
    config[key] = value
    (folder / "config.json").write_text(json.dumps(config, indent=2))


def resize_encoder(folder, resize):
    """Every tensor of a small encoder, with `resize(name, shape)` its new shape; norms are ones, the rest random."""
    path = next(folder.glob("*.safetensors"))
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    header.pop("__metadata__", None)
    write(path, {name: resize(name, tuple(entry["shape"])) for name, entry in header.items()})


def swap(was, now):
    return lambda name, shape: tuple(now if size == was else size for size in shape)


def main():
    source, out = map(Path, sys.argv[1:3])
    shutil.copytree(source, out, ignore=lambda folder, names: names if folder.endswith("/transformer") else [])
    widths = {"text_encoder": ("hidden_size", POOLED), "text_encoder_2": ("d_model", TEXT)}
    for part, (key, value) in widths.items():
        was = json.loads((out / part / "config.json").read_text())[key]
        widen(out / part, key, value)
        resize_encoder(out / part, swap(was, value))
    (out / "transformer").mkdir(exist_ok=True)
    config = {"_class_name": "FluxTransformer2DModel", "attention_head_dim": HEAD, "axes_dims_rope": [16, 56, 56], "guidance_embeds": True,
              "in_channels": 64, "joint_attention_dim": TEXT, "num_attention_heads": HEADS, "num_layers": 19, "num_single_layers": 38,
              "patch_size": 1, "pooled_projection_dim": POOLED}
    (out / "transformer" / "config.json").write_text(json.dumps(config, indent=2))
    size = write(out / "transformer" / "diffusion_pytorch_model.safetensors", tensors())
    print(f"{size / 2e9:.2f} billion parameters, {size / 1e9:.1f} GB")


if __name__ == "__main__":
    main()
