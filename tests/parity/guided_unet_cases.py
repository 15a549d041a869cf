"""A UNet that embeds the guidance scale (time_cond_proj_dim), as consistency distillation leaves it: sd_a's with one more weight, which is a
formula, drawn with the LCM scheduler."""

import json
from pathlib import Path

import diffusers
import torch
from safetensors.torch import load_file, save_file

WIDTH, STEPS, GUIDANCE = 10, 4, 6.5


def projection(rows: int) -> torch.Tensor:
    at = torch.arange(rows * WIDTH, dtype=torch.float64)
    return (0.3 * torch.sin(at * 0.7 + 1)).float().reshape(rows, WIDTH)


@torch.no_grad()
def drawn(folder: Path) -> dict:
    recipe = json.loads((folder / "case.json").read_text(encoding="utf-8"))
    pipe = diffusers.StableDiffusionPipeline.from_pretrained(folder / "pipeline", torch_dtype=torch.float32, local_files_only=True,
        safety_checker=None,
                                                             feature_extractor=None, image_encoder=None)
    config = dict(pipe.unet.config) | {"time_cond_proj_dim": WIDTH}
    unet = diffusers.UNet2DConditionModel.from_config(config)
    weights = load_file(folder / "pipeline" / "unet" / "diffusion_pytorch_model.safetensors")
    weights["time_embedding.cond_proj.weight"] = projection(unet.time_embedding.cond_proj.weight.shape[0])
    unet.load_state_dict({key: value.float() for key, value in weights.items()})
    pipe.unet = unet.eval()
    pipe.scheduler = diffusers.LCMScheduler.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    call = dict(prompt=recipe["prompts"][0], negative_prompt=recipe["negative_prompt"], width=recipe["width"], height=recipe["height"],
        num_inference_steps=STEPS,
                guidance_scale=GUIDANCE, output_type="latent")
    return {f"latents_{scale}": pipe(**call | {"guidance_scale": scale},
        generator=torch.Generator().manual_seed(recipe["seeds"][0])).images for scale in (GUIDANCE, 1.0)}


def make(golden: Path) -> None:
    folder = golden / "guided_unet"
    folder.mkdir(exist_ok=True)
    tensors = {key: value.contiguous() for key, value in drawn(golden / "sd_a").items()}
    save_file(tensors, folder / "sd_a.safetensors")
    (folder / "sd_a.safetensors").chmod(0o644)
    print("guided_unet: " + ", ".join(f"{key} std {value.std():.2f}" for key, value in tensors.items()))
