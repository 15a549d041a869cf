"""Random pipelines in the real shapes that other programs know their models by: SD 1.5, SD 2.1, SDXL base, and FLUX with one block of each kind.

FLUX's T5 is one small layer that gives zeros, as that program reckons when it is given none: the real one would take 10 GB.
Prompts of single letters are tokenized alike by the vocabulary written here and by the original one, whose 49,408 entries begin with the same 512.
Steps of Euler's scheduler fall on whole timesteps when 999 is a multiple of their number less one: 4 steps.
"""

import json
import math
import struct
import sys
from pathlib import Path

import diffusers
import numpy as np
import sd_cases
import tiny_tokenizers
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from random_pipeline import PipelineSpec
from random_pipeline import build as build_flux
from safetensors.torch import load_file, save_file
from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

CLIP_VOCABULARY = 49408
PROMPT = "a b c"
CLIP_L = dict(hidden_size=768, intermediate_size=3072, num_hidden_layers=12, num_attention_heads=12, hidden_act="quick_gelu")
CLIP_H = dict(hidden_size=1024, intermediate_size=4096, num_hidden_layers=23, num_attention_heads=16, hidden_act="gelu")
CLIP_G = dict(hidden_size=1280, intermediate_size=5120, num_hidden_layers=32, num_attention_heads=20, hidden_act="gelu", projection_dim=1280)
AUTOENCODER = dict(block_out_channels=[128, 256, 512, 512], layers_per_block=2, norm_num_groups=32, sample_size=256)
EULER = dict(scheduler="EulerDiscreteScheduler", scheduler_options=dict(timestep_spacing="linspace", **sd_cases.BETAS))
SPECS = {
    "sd": sd_cases.Spec(
        seed=61, clip=CLIP_L, vae=AUTOENCODER | dict(scaling_factor=0.18215), **EULER,
        unet=dict(block_out_channels=[320, 640, 1280, 1280], attention_head_dim=8, layers_per_block=2, norm_num_groups=32,
                  down_block_types=["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"], up_block_types=["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3)),
    "sd2": sd_cases.Spec(
        seed=64, clip=CLIP_H, clip_pad="!", vae=AUTOENCODER | dict(scaling_factor=0.18215), scheduler=EULER["scheduler"],
        scheduler_options=EULER["scheduler_options"] | dict(prediction_type="v_prediction"),
        unet=dict(block_out_channels=[320, 640, 1280, 1280], attention_head_dim=[5, 10, 20, 20], layers_per_block=2, norm_num_groups=32,
                  use_linear_projection=True, down_block_types=["CrossAttnDownBlock2D"] * 3 + ["DownBlock2D"],
                  up_block_types=["UpBlock2D"] + ["CrossAttnUpBlock2D"] * 3)),
}
SDXL_UNET = dict(
    block_out_channels=[320, 640, 1280], attention_head_dim=[5, 10, 20], layers_per_block=2, norm_num_groups=32, use_linear_projection=True,
    transformer_layers_per_block=[1, 2, 10], addition_embed_type="text_time", addition_time_embed_dim=256, projection_class_embeddings_input_dim=2816,
    down_block_types=["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"], cross_attention_dim=2048, sample_size=128,
    up_block_types=["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"])
FLUX = PipelineSpec(
    seed=63, clip_prefix=True, t5_files="json", clip=CLIP_L, scheduler=dict(shift=1.0), clip_pad=tiny_tokenizers.EOS,
    transformer=dict(num_layers=1, num_single_layers=1, num_attention_heads=24, attention_head_dim=128, axes_dims_rope=[16, 56, 56],
                     guidance_embeds=True),
    t5=dict(d_model=4096, d_kv=64, d_ff=64, num_layers=1, num_heads=1, feed_forward_proj="gated-gelu"),
    vae=dict(latent_channels=16, scaling_factor=0.3611, shift_factor=0.1159, use_quant_conv=False, use_post_quant_conv=False, layers_per_block=2,
             down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4, block_out_channels=[128, 256, 512, 512],
             norm_num_groups=32, sample_size=256))


def clip_vocabulary(*_) -> tuple[dict, list]:
    letters = sorted(ByteLevel.alphabet(), key=ord)
    tokens = letters + [letter + "</w>" for letter in letters]
    tokens.append("ab")
    tokens += [f"filler{number}" for number in range(len(tokens), CLIP_VOCABULARY - 2)]
    return {token: number for number, token in enumerate([*tokens, tiny_tokenizers.BOS, tiny_tokenizers.EOS])}, [("a", "b")]


def build_without_text(folder: Path, size: int) -> None:
    build_flux(FLUX, folder, (size, size))
    file = folder / "text_encoder_2" / "model.safetensors"
    save_file({key: value * (0 if "final_layer_norm" in key else 1) for key, value in load_file(file).items()}, file, {"format": "pt"})


def stored(pool: np.ndarray, rng: np.random.Generator, name: str, shape: tuple) -> bytes:
    """As random_pipeline.randomize() draws them: outputs of about unit variance, norms about 1, biases that count; bf16, little-endian."""
    count = math.prod(shape)
    start = int(rng.integers(0, len(pool) - count))
    numbers = pool[start:start + count]
    if len(shape) > 1:
        numbers = numbers * np.float32(1 if "embeddings" in name else math.prod(shape[1:]) ** -0.5 * (1.4 if len(shape) == 4 else 1))
    else:
        numbers = numbers * np.float32(0.1) if name.endswith("bias") else 1 + numbers * np.float32(0.2)
    return (numbers.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16).tobytes()


def write(path: Path, shapes: dict[str, tuple], seed: int) -> None:
    """A safetensors file in bf16, tensor by tensor: 2.6 billion numbers are cut from a pool, for they are too many to draw and to hold."""
    rng = np.random.default_rng(seed)
    pool = rng.standard_normal(1 << 27, dtype=np.float32)
    ends = np.cumsum([2 * math.prod(shape) for shape in shapes.values()]).tolist()
    header = {name: {"dtype": "BF16", "shape": list(shape), "data_offsets": [end - 2 * math.prod(shape), end]}
              for (name, shape), end in zip(shapes.items(), ends)}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, shape in shapes.items():
            file.write(stored(pool, rng, name, shape))


def build_sdxl(folder: Path) -> None:
    vocab, merges = clip_vocabulary()
    text = dict(vocab_size=CLIP_VOCABULARY, max_position_embeddings=77, bos_token_id=CLIP_VOCABULARY - 2, eos_token_id=CLIP_VOCABULARY - 1)
    with torch.device("meta"):
        parts = {"unet": UNet2DConditionModel(**SDXL_UNET), "vae": AutoencoderKL(**(sd_cases.KL | AUTOENCODER | dict(scaling_factor=0.13025))),
                 "text_encoder": CLIPTextModel(CLIPTextConfig(**text, **CLIP_L)),
                 "text_encoder_2": CLIPTextModelWithProjection(CLIPTextConfig(**text, **CLIP_G))}
    index = {"_class_name": "StableDiffusionXLPipeline", "_diffusers_version": diffusers.__version__, "force_zeros_for_empty_prompt": True}
    for name, model in parts.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        (model.config.save_pretrained if "text" in name else model.save_config)(folder / name)
        file = "model" if "text" in name else "diffusion_pytorch_model"
        write(folder / name / f"{file}.safetensors", {key: tuple(value.shape) for key, value in model.state_dict().items()}, len(name))
        index[name] = ["transformers" if "text" in name else "diffusers", type(model).__name__]
    for name, pad in (("tokenizer", tiny_tokenizers.EOS), ("tokenizer_2", "!")):
        tiny_tokenizers.save_clip(folder / name, "vocab", vocab, merges, pad, 77)
        index[name] = ["transformers", "CLIPTokenizer"]
    getattr(diffusers, EULER["scheduler"])(**EULER["scheduler_options"]).save_pretrained(folder / "scheduler")
    (folder / "model_index.json").write_text(json.dumps(index | {"scheduler": ["diffusers", EULER["scheduler"]]}, indent=2) + "\n")


def build(name: str, folder: Path, size: int) -> None:
    tiny_tokenizers.clip_bpe = clip_vocabulary
    if name == "flux":
        return build_without_text(folder, size)
    if name == "sdxl":
        return build_sdxl(folder)
    recipe = dict(prompts=[PROMPT], seeds=[7], steps=4, width=size, height=size, guidance=1.0, negative_prompt=None)
    return sd_cases.build(SPECS[name], folder, recipe)
