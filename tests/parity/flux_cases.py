"""Group 1: three random-weight FLUX pipelines and what diffusers computes with them."""

import functools
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import torch
from diffusers import FluxPipeline
from safetensors.torch import save_file

from random_pipeline import PipelineSpec, build

KL = dict(down_block_types=["DownEncoderBlock2D"] * 3, up_block_types=["UpDecoderBlock2D"] * 3, layers_per_block=1,
          block_out_channels=[4, 8, 12], norm_num_groups=2, sample_size=64)
SPECS = {
    "flux_a": PipelineSpec(
        seed=11, tiny_vae=True, clip_prefix=True, t5_normalizer="rules", t5_extra_ids=100,
        dtypes={"text_encoder_2": "float32"},
        transformer=dict(num_layers=2, num_single_layers=3, num_attention_heads=2, attention_head_dim=14,
                         axes_dims_rope=[2, 4, 8], guidance_embeds=False),
        clip=dict(hidden_size=24, intermediate_size=48, num_hidden_layers=2, num_attention_heads=3,
                  hidden_act="quick_gelu"),
        t5=dict(d_model=20, d_kv=12, d_ff=36, num_layers=2, num_heads=2, feed_forward_proj="gated-gelu"),
        vae=dict(latent_channels=16, encoder_block_out_channels=[8] * 4, decoder_block_out_channels=[8] * 4,
                 num_encoder_blocks=[1, 1, 1, 1], num_decoder_blocks=[2, 1, 1, 1], scaling_factor=1.3,
                 shift_factor=0.0),
        scheduler=dict(shift=3.0)),
    "flux_b": PipelineSpec(
        seed=22, clip_files="json", clip_full_alphabet=False, legacy_eos=True, t5_files="json", shard_size="60KB",
        t5_normalizer="rules",
        transformer=dict(num_layers=1, num_single_layers=4, num_attention_heads=3, attention_head_dim=10,
                         axes_dims_rope=[2, 4, 4], guidance_embeds=True),
        clip=dict(hidden_size=24, intermediate_size=56, num_hidden_layers=3, num_attention_heads=2, hidden_act="gelu"),
        t5=dict(d_model=28, d_kv=8, d_ff=48, num_layers=3, num_heads=4, feed_forward_proj="relu",
                relative_attention_num_buckets=16, relative_attention_max_distance=24),
        vae=dict(latent_channels=4, scaling_factor=0.3611, shift_factor=0.1159, use_quant_conv=False,
                 use_post_quant_conv=False, **KL),
        scheduler=dict(use_dynamic_shifting=True, base_shift=0.5, max_shift=1.15, base_image_seq_len=8,
                       max_image_seq_len=96, shift=3.0)),
    "flux_c": PipelineSpec(
        seed=33, clip_specials_first=True, clip_pad="!", clip_length=40, clip_merges=90, clip_prefix=True,
        dtypes={"text_encoder_2": "float16"},
        transformer=dict(num_layers=3, num_single_layers=1, num_attention_heads=1, attention_head_dim=24,
                         axes_dims_rope=[4, 8, 12], guidance_embeds=False),
        clip=dict(hidden_size=16, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
                  hidden_act="quick_gelu", layer_norm_eps=1e-4),
        t5=dict(d_model=24, d_kv=16, d_ff=48, num_layers=2, num_heads=3, feed_forward_proj="gated-gelu",
                layer_norm_epsilon=1e-5),
        vae=dict(latent_channels=8, scaling_factor=0.7, shift_factor=-0.2, use_quant_conv=True,
                 use_post_quant_conv=True, **(KL | dict(layers_per_block=2))),
        scheduler=dict(use_dynamic_shifting=True, base_shift=0.4, max_shift=1.6, base_image_seq_len=4,
                       max_image_seq_len=64, time_shift_type="linear", shift_terminal=0.05)),
}
RECIPES = {
    "flux_a": dict(prompts=["A  red ﬁox on the\tgreen background, don't!"], seed=1234, steps=4, width=64, height=48,
                   guidance=3.5, true_cfg=1.0, negative_prompt=None, max_sequence_length=24),
    "flux_b": dict(prompts=["a bright castle, two owls in soft light — très détaillé, detailed photo", "one pizza"],
                   seed=7, steps=5, width=32, height=48, guidance=2.5, true_cfg=1.0, negative_prompt=None,
                   max_sequence_length=12),
    "flux_c": dict(prompts=["three robots with an umbrella, " * 8 + "painting"], seed=99, steps=3, width=48,
                   height=32, guidance=3.5, true_cfg=2.5, negative_prompt="old  sketch, blue", max_sequence_length=32),
}


def reference_call(recipe: dict) -> dict:
    """The recipe as arguments of FluxPipeline, without noise."""
    call = dict(prompt=recipe["prompts"], width=recipe["width"], height=recipe["height"],
                num_inference_steps=recipe["steps"], guidance_scale=recipe["guidance"],
                max_sequence_length=recipe["max_sequence_length"], true_cfg_scale=recipe["true_cfg"])
    if recipe["negative_prompt"] is not None:
        call["negative_prompt"] = [recipe["negative_prompt"]] * len(recipe["prompts"])
    return call


def load(folder: Path, dtype: torch.dtype) -> FluxPipeline:
    pipe = FluxPipeline.from_pretrained(folder, torch_dtype=dtype, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def draw_noise(pipe: FluxPipeline, recipe: dict) -> tuple[torch.Tensor, torch.Tensor]:
    """(B, C, h, w) float32 and the same packed (B, h/2 * w/2, 4C), as the pipeline draws it in fp32."""
    scale, channels = pipe.vae_scale_factor * 2, pipe.transformer.config.in_channels // 4
    shape = (len(recipe["prompts"]), channels, 2 * (recipe["height"] // scale), 2 * (recipe["width"] // scale))
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(recipe["seed"]))
    return noise, pipe._pack_latents(noise, *shape)


@torch.no_grad()
def decode(pipe: FluxPipeline, latents: torch.Tensor, recipe: dict) -> tuple[torch.Tensor, torch.Tensor]:
    """((B, 3, H, W) fp32 around [-1, 1], (B, H, W, 3) uint8) of packed latents."""
    unpacked = pipe._unpack_latents(latents, recipe["height"], recipe["width"], pipe.vae_scale_factor)
    image = pipe.vae.decode(unpacked / pipe.vae.config.scaling_factor + pipe.vae.config.shift_factor).sample
    pictures = pipe.image_processor.postprocess(image, output_type="pil")
    return image.float(), torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures]))


def text_tensors(pipe: FluxPipeline, prompts: list[str], length: int, prefix: str) -> dict:
    clip_ids = pipe.tokenizer(prompts, padding="max_length", truncation=True, max_length=pipe.tokenizer_max_length,
                              return_tensors="pt").input_ids
    t5_ids = pipe.tokenizer_2(prompts, padding="max_length", truncation=True, max_length=length,
                              return_tensors="pt").input_ids
    embeds, pooled, _ = pipe.encode_prompt(prompts, max_sequence_length=length)
    return {f"{prefix}clip_ids": clip_ids, f"{prefix}t5_ids": t5_ids, f"{prefix}pooled": pooled,
            f"{prefix}prompt_embeds": embeds}


def trace_hooks(pipe: FluxPipeline, trace: dict) -> list:
    """Records the first output of every block, so that the first layer that differs can be named."""
    def keep(name):
        def hook(module, args, out):
            parts = out if isinstance(out, tuple) else (out,)
            for index, part in enumerate(parts):
                if isinstance(part, torch.Tensor) and not ("encoder_2" in name and index):  # there: position bias
                    if "pos_embed" not in name:
                        part = part[:1, :16] if name.startswith("text_encoder.") else part[:1]
                    trace.setdefault(name if len(parts) == 1 else f"{name}.{index}", part.clone())
        return hook
    watched = {}
    for component in ("transformer", "text_encoder", "text_encoder_2"):
        for name, module in getattr(pipe, component).named_modules():
            wanted = name.split(".")[-1].isdigit() and name.count(".") <= 2 and "layer." not in name
            if wanted or name in ("x_embedder", "context_embedder", "time_text_embed", "norm_out", "pos_embed",
                                  "text_model.embeddings", "embeddings", "encoder.embed_tokens"):
                watched[f"{component}.{name}"] = module
    for name in ("conv_in", "mid_block", "layers.0", "layers.2"):
        module = dict(pipe.vae.decoder.named_modules()).get(name)
        if module is not None:
            watched[f"vae.decoder.{name}"] = module
    return [module.register_forward_hook(keep(name)) for name, module in watched.items()]


def linear_in_fp32(module: torch.nn.Linear, value: torch.Tensor) -> torch.Tensor:
    """bf16 in, weights and out, products summed in fp32: what a processor without bf16 units can do fast."""
    bias = None if module.bias is None else module.bias.float()
    return torch.nn.functional.linear(value.float(), module.weight.float(), bias).bfloat16()


@torch.no_grad()
def expected(folder: Path, recipe: dict) -> tuple[dict, dict, float]:
    """(tensors of expected.safetensors, tensors of trace.safetensors, spread of bf16 itself)"""
    pipe = load(folder, torch.float32)
    call, tensors, trace = reference_call(recipe), {}, {}
    tensors |= text_tensors(pipe, recipe["prompts"], recipe["max_sequence_length"], "")
    if recipe["negative_prompt"] is not None:
        negative = call["negative_prompt"]
        tensors |= text_tensors(pipe, negative, recipe["max_sequence_length"], "negative_")
    tensors["noise"], tensors["noise_packed"] = draw_noise(pipe, recipe)
    hooks = trace_hooks(pipe, trace)
    velocities = []
    hooks.append(pipe.transformer.register_forward_hook(lambda module, args, out: velocities.append(out[0])))
    generator = torch.Generator().manual_seed(recipe["seed"])
    tensors["latents"] = pipe(output_type="latent", generator=generator, **call).images
    tensors["sigmas"], tensors["timesteps"] = pipe.scheduler.sigmas, pipe.scheduler.timesteps
    tensors["velocity_0"] = velocities[0]
    tensors["image"], tensors["image_u8"] = decode(pipe, tensors["latents"], recipe)
    for hook in hooks:
        hook.remove()
    whole = pipe(output_type="pil", generator=torch.Generator().manual_seed(recipe["seed"]), **call).images
    assert np.array_equal(np.stack([np.asarray(image) for image in whole]), tensors["image_u8"].numpy())

    half = load(folder, torch.bfloat16)
    packed = tensors["noise_packed"].bfloat16()
    tensors["bf16_latents"] = half(output_type="latent", latents=packed, **call).images
    tensors["bf16_image_u8"] = decode(half, tensors["bf16_latents"], recipe)[1]
    for module in half.transformer.modules():
        if isinstance(module, torch.nn.Linear):
            module.forward = functools.partial(linear_in_fp32, module)
    spread = half(output_type="latent", latents=packed, **call).images
    return tensors, trace, relative(spread.float(), tensors["bf16_latents"].float())


def relative(value: torch.Tensor, reference: torch.Tensor) -> float:
    return round(((value - reference).norm() / reference.norm()).item(), 6)


def make(golden: Path) -> None:
    for name, spec in SPECS.items():
        folder, recipe = golden / name, RECIPES[name]
        shutil.rmtree(folder, ignore_errors=True)
        build(spec, folder / "pipeline", (recipe["width"], recipe["height"]))
        tensors, trace, spread = expected(folder / "pipeline", recipe)
        save_file({key: value.contiguous() for key, value in tensors.items()}, folder / "expected.safetensors")
        save_file({key: value.contiguous() for key, value in trace.items()}, folder / "trace.safetensors")
        bf16_error = relative(tensors["bf16_latents"].float(), tensors["latents"])
        case = recipe | {
            "noise_sha256": hashlib.sha256(tensors["noise"].numpy().tobytes()).hexdigest(),
            "image_sha256": [hashlib.sha256(image.numpy().tobytes()).hexdigest() for image in tensors["image_u8"]],
            "bf16_relative_error": bf16_error,
            "bf16_own_spread": spread,
        }
        (folder / "case.json").write_text(json.dumps(case, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        image = tensors["image"]
        print(f"{name}: latents std {tensors['latents'].std():.2f}, image std {image.std():.2f}, "
              f"outside [-1, 1] {(image.abs() > 1).float().mean():.3f}, bf16 error {bf16_error}, "
              f"own spread {spread}")
