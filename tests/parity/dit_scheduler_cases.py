"""Latents of one DiT with every scheduler that quantspot knows, as diffusers' DiTPipeline draws them."""

import json
from pathlib import Path

import diffusers
import torch
from safetensors.torch import save_file

from transformer_cases import load, run

SCHEDULERS = {"ddim": ("DDIM", {}), "ddpm": ("DDPM", {}), "pndm": ("PNDM", {}), "euler": ("EulerDiscrete", {}), "euler-ancestral": ("EulerAncestralDiscrete", {}), "heun": ("HeunDiscrete", {}),
              "dpmpp-2m": ("DPMSolverMultistep", {}), "dpmpp-2m-karras": ("DPMSolverMultistep", {"use_karras_sigmas": True}),
              "dpmpp-2m-sde": ("DPMSolverMultistep", {"algorithm_type": "sde-dpmsolver++"}), "unipc": ("UniPCMultistep", {}), "lcm": ("LCM", {})}


@torch.no_grad()
def make(golden: Path) -> None:
    recipe = json.loads((golden / "dit_a" / "case.json").read_text(encoding="utf-8"))
    recipe["prompts"], recipe["seeds"] = recipe["prompts"][:1], recipe["seeds"][:1]
    tensors = {}
    for name, (scheduler, options) in SCHEDULERS.items():
        pipe = load(golden / "dit_a" / "pipeline", torch.float32)
        pipe.scheduler = getattr(diffusers, f"{scheduler}Scheduler").from_config(pipe.scheduler.config, **options)
        tensors[name] = run(pipe, recipe)[0].contiguous()
        print(f"dit {name}: latents std {tensors[name].std():.3f}")
    (golden / "dit_schedulers").mkdir(exist_ok=True)
    save_file(tensors, golden / "dit_schedulers" / "latents.safetensors")
    (golden / "dit_schedulers" / "latents.safetensors").chmod(0o644)
