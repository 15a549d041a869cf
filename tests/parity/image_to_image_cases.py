"""Image to image of FLUX and Stable Diffusion 3, over the pipelines of their own golden data, and of Stable Diffusion with Heun's scheduler, which
calls the model twice a step; at strengths whose steps do and do not divide evenly. The picture is a formula, so that the test makes it, too."""

import json
from pathlib import Path

import diffusers
import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

CASES = {"flux_a": diffusers.FluxImg2ImgPipeline, "flux_b": diffusers.FluxImg2ImgPipeline, "sd3_a": diffusers.StableDiffusion3Img2ImgPipeline,
         "sd_a": diffusers.StableDiffusionImg2ImgPipeline}
STRENGTHS = (0.6, 0.35)


def picture(width: int, height: int) -> np.ndarray:
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    return ((7 * x + 13 * y + 29 * c + 9 * (x * y % 11)) % 256).astype(np.uint8)


@torch.no_grad()
def drawn(folder: Path, cls) -> dict:
    recipe = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    index = json.loads((folder / "pipeline" / "model_index.json").read_text())
    absent = {name: None for name, part in index.items() if part == [None, None]}
    pipe = cls.from_pretrained(folder / "pipeline", torch_dtype=torch.float32, local_files_only=True, **absent)
    pipe.set_progress_bar_config(disable=True)
    if cls is diffusers.StableDiffusionImg2ImgPipeline:
        pipe.scheduler = diffusers.HeunDiscreteScheduler.from_config(pipe.scheduler.config)
        own = {}
    else:
        own = dict(width=recipe["width"], height=recipe["height"], max_sequence_length=recipe["max_sequence_length"])
    tensors = {}
    for strength in STRENGTHS:
        call = dict(prompt=recipe["prompts"][0], image=Image.fromarray(picture(recipe["width"], recipe["height"])), strength=strength,
                    num_inference_steps=7, guidance_scale=recipe["guidance"], **own)
        seed = recipe["seeds"][0] if "seeds" in recipe else recipe["seed"]
        latents = pipe(**call, output_type="latent", generator=torch.Generator().manual_seed(seed)).images
        image = pipe(**call, output_type="np", generator=torch.Generator().manual_seed(seed)).images[0]
        tensors[f"latents_{strength}"] = latents.contiguous()
        tensors[f"image_u8_{strength}"] = torch.from_numpy((image * 255).round().astype("uint8")).contiguous()
    return tensors


def make(golden: Path) -> None:
    folder = golden / "image_to_image"
    folder.mkdir(exist_ok=True)
    for name, cls in CASES.items():
        tensors = drawn(golden / name, cls)
        save_file(tensors, folder / f"{name}.safetensors")
        print(f"image_to_image/{name}: " + ", ".join(f"{key} std {value.float().std():.2f}" for key, value in tensors.items()))
