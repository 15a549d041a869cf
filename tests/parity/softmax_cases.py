"""Latents of pipelines whose denoiser's softmax reads and gives fp16 (a mixed-precision recipe); everything else in fp32."""

import contextlib
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

import flux_cases
import sd_cases
import transformer_cases

NAMES = ("dit_a", "sd3_b", "pixart_a", "flux_a", "sd_a", "sdxl_a")


def half_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    assert not is_causal and not enable_gqa
    scores = query @ key.transpose(-1, -2) * (query.shape[-1] ** -0.5 if scale is None else scale)
    if attn_mask is not None:
        scores = scores + attn_mask
    return scores.half().softmax(dim=-1).to(value.dtype) @ value


@contextlib.contextmanager
def half_softmax(denoiser):
    """Text encoders and autoencoder call the same function of torch, so it is another one only while the denoiser runs."""
    forward, plain = denoiser.forward, torch.nn.functional.scaled_dot_product_attention

    def patched(*args, **kwargs):
        torch.nn.functional.scaled_dot_product_attention = half_attention
        try:
            return forward(*args, **kwargs)
        finally:
            torch.nn.functional.scaled_dot_product_attention = plain

    denoiser.forward = patched
    yield
    denoiser.forward = forward


def drawn(name: str, pipe, recipe: dict) -> torch.Tensor:
    if name.startswith("flux"):
        return pipe(output_type="latent", generator=torch.Generator().manual_seed(recipe["seed"]), **flux_cases.reference_call(recipe)).images
    if name.startswith("sd3") or not name.startswith("sd"):
        return transformer_cases.run(pipe, recipe)[0]
    return pipe(output_type="latent", **sd_cases.reference_call(recipe)).images


@torch.no_grad()
def make(golden: Path) -> None:
    tensors = {}
    for name in NAMES:
        recipe = json.loads((golden / name / "case.json").read_text(encoding="utf-8"))
        recipe["prompts"] = recipe["prompts"][:1]
        recipe |= {"seeds": recipe["seeds"][:1]} if "seeds" in recipe else {}
        module = flux_cases if name.startswith("flux") else transformer_cases if name[:3] in ("dit", "pix", "sd3") else sd_cases
        pipe = module.load(golden / name / "pipeline", torch.float32)
        plain = drawn(name, pipe, recipe)
        pipe = module.load(golden / name / "pipeline", torch.float32)
        with half_softmax(pipe.unet if hasattr(pipe, "unet") else pipe.transformer):
            tensors[name] = drawn(name, pipe, recipe).contiguous()
        print(f"softmax {name}: {((tensors[name] - plain).norm() / plain.norm()).item():.1e} from fp32")
    (golden / "softmax").mkdir(exist_ok=True)
    save_file(tensors, golden / "softmax" / "latents.safetensors")
    (golden / "softmax" / "latents.safetensors").chmod(0o644)
