"""Writes pipelines of random weights that have the shapes of each family at a fraction of their width, for measurements of memory.

    python make_stand_ins.py tests/parity/golden FOLDER

makes FOLDER/sd, sdxl, flux, sd3, pixart, dit (0.4 to 1.0 GB each). Needs diffusers and transformers (the versions of tests/parity). Tokenizers and schedulers
are those of the small golden pipelines; the autoencoders, but FLUX's, have the real width.
"""

import json
import shutil
import sys
from pathlib import Path

import diffusers
import torch
import transformers

KL = {"block_out_channels": [128, 256, 512, 512], "layers_per_block": 2, "norm_num_groups": 32, "sample_size": 512}
STAND_INS = {
    "sd": ("sd_a", {
        "unet": {"block_out_channels": [192, 384, 768, 768], "attention_head_dim": 8, "cross_attention_dim": 768, "norm_num_groups": 32, "layers_per_block": 2,
                 "down_block_types": ["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"], "up_block_types": ["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3},
        "text_encoder": {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12, "num_hidden_layers": 12},
        "vae": KL}),
    "sdxl": ("sdxl_a", {
        "unet": {"block_out_channels": [128, 256, 512], "attention_head_dim": [2, 4, 8], "cross_attention_dim": 1024, "norm_num_groups": 32, "layers_per_block": 2,
                 "transformer_layers_per_block": [1, 2, 10], "addition_time_embed_dim": 256, "projection_class_embeddings_input_dim": 640 + 6 * 256},
        "text_encoder": {"hidden_size": 384, "intermediate_size": 1536, "num_attention_heads": 6, "num_hidden_layers": 12},
        "text_encoder_2": {"hidden_size": 640, "intermediate_size": 2560, "num_attention_heads": 10, "num_hidden_layers": 16, "projection_dim": 640},
        "vae": KL}),
    "flux": ("flux_a", {
        "transformer": {"num_attention_heads": 12, "attention_head_dim": 128, "axes_dims_rope": [16, 56, 56], "num_layers": 2, "num_single_layers": 4,
                        "joint_attention_dim": 1024, "pooled_projection_dim": 768},
        "text_encoder": {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12, "num_hidden_layers": 6},
        "text_encoder_2": {"d_model": 1024, "d_ff": 2816, "d_kv": 64, "num_heads": 16, "num_layers": 12},
        "vae": {"block_out_channels": [64] * 4, "decoder_block_out_channels": [64] * 4, "encoder_block_out_channels": [64] * 4, "num_decoder_blocks": [3, 3, 3, 1]}}),
    "sd3": ("sd3_a", {
        "transformer": {"num_attention_heads": 12, "attention_head_dim": 64, "num_layers": 8, "dual_attention_layers": [0, 1], "joint_attention_dim": 1024,
                        "caption_projection_dim": 768, "pooled_projection_dim": 384 + 640, "sample_size": 64, "pos_embed_max_size": 64},
        "text_encoder": {"hidden_size": 384, "intermediate_size": 1536, "num_attention_heads": 6, "num_hidden_layers": 12, "projection_dim": 384},
        "text_encoder_2": {"hidden_size": 640, "intermediate_size": 2560, "num_attention_heads": 10, "num_hidden_layers": 16, "projection_dim": 640},
        "text_encoder_3": {"d_model": 1024, "d_ff": 2816, "d_kv": 64, "num_heads": 16, "num_layers": 12},
        "vae": KL}),
    "pixart": ("pixart_a", {
        "transformer": {"num_attention_heads": 16, "attention_head_dim": 72, "num_layers": 14, "cross_attention_dim": 1152, "caption_channels": 1024, "sample_size": 64},
        "text_encoder": {"d_model": 1024, "d_ff": 2816, "d_kv": 64, "num_heads": 16, "num_layers": 12},
        "vae": KL}),
    "dit": ("dit_a", {
        "transformer": {"num_attention_heads": 16, "attention_head_dim": 72, "num_layers": 14, "sample_size": 32},
        "vae": KL}),
}


def model_of(part, config):
    if "_class_name" in config:
        return getattr(diffusers, config["_class_name"]).from_config(config)
    kind = config["architectures"][0]
    parts = {"CLIPTextModel": "CLIPTextConfig", "CLIPTextModelWithProjection": "CLIPTextConfig", "T5EncoderModel": "T5Config"}
    return getattr(transformers, kind)(getattr(transformers, parts[kind])(**config))


def write(golden, out, name):
    base, changes = STAND_INS[name]
    source = golden / base / "pipeline"
    total = 0
    for entry in source.iterdir():
        if entry.name not in changes:
            (shutil.copytree if entry.is_dir() else shutil.copy)(entry, out / name / entry.name)
            continue
        config = json.loads((entry / "config.json").read_text()) | changes[entry.name]
        torch.manual_seed(0)
        model = model_of(entry.name, config).to(torch.bfloat16)
        total += sum(p.numel() for p in model.parameters())
        model.save_pretrained(out / name / entry.name)
    print(f"{name}: {total / 1e6:.0f} million parameters")


if __name__ == "__main__":
    for name in sys.argv[3:] or STAND_INS:
        (Path(sys.argv[2]) / name).mkdir(parents=True)
        write(Path(sys.argv[1]), Path(sys.argv[2]), name)
