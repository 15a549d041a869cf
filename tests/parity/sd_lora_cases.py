"""LoRA files for Stable Diffusion and SDXL and what diffusers draws with them: golden/sd_lora (pipelines: golden/sd_a, golden/sdxl_a)."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

import sd_cases
from lora_cases import pair

CASES = {"sd_peft": ("sd_a", 0.5), "sd_kohya": ("sd_a", 1.0), "sdxl_kohya": ("sdxl_a", 1.0)}   # pipeline, scale given by the user
# out_proj: by its name diffusers knows what kind of file kohya wrote.
CHOSEN = ("attn1.to_q", "attn2.to_v", "to_out.0", "proj_in", "ff.net.2", "time_emb_proj", "q_proj", "out_proj", "fc1")
ENCODERS = {"text_encoder": "lora_te1", "text_encoder_2": "lora_te2"}


def chosen(pipe) -> list[tuple[str, str, torch.Size]]:
    """Part, layer and weight's shape. The layers of CLIP as files name them, with "text_model."."""
    found = []
    for part in ("unet", *ENCODERS):
        if (model := getattr(pipe, part, None)) is None:
            continue
        for name, module in model.named_modules():
            if isinstance(module, (torch.nn.Linear, torch.nn.Conv2d)) and name.endswith(CHOSEN) and module.weight.shape[2:] in ((), (1, 1)):
                plain = name if part == "unet" or name.startswith("text_model.") else f"text_model.{name}"
                found.append((part, plain, module.weight.shape))
    return found


def peft_file(pipe, path: Path, generator: torch.Generator) -> None:
    tensors = {}
    for part, layer, shape in chosen(pipe):
        down, up = pair(generator, shape[0], shape[1], 3)
        tail = (1,) * (len(shape) - 2)
        tensors |= {f"{part}.{layer}.lora_A.weight": down.reshape(*down.shape, *tail), f"{part}.{layer}.lora_B.weight": up.reshape(*up.shape, *tail)}
    save_file(tensors, path)


def kohya_file(pipe, path: Path, generator: torch.Generator) -> None:
    tensors = {}
    for part, layer, shape in chosen(pipe):
        down, up = pair(generator, shape[0], shape[1], 4)
        tail = (1,) * (len(shape) - 2)
        prefix = "lora_unet" if part == "unet" else ENCODERS[part] if hasattr(pipe, "text_encoder_2") else "lora_te"
        name = f"{prefix}_{layer.replace('.', '_')}"
        tensors |= {f"{name}.lora_down.weight": down.reshape(*down.shape, *tail), f"{name}.lora_up.weight": up.reshape(*up.shape, *tail), f"{name}.alpha": torch.tensor(3.0)}
    save_file(tensors, path)


def load(folder: Path):
    pipe = sd_cases.load(folder, torch.float32)
    vars(pipe.text_encoder).pop("text_model", None)   # of with_norm_in_place(): the LoRA loader takes it for transformers 4
    return pipe


def draw(pipe, recipe: dict) -> torch.Tensor:
    one = recipe | {"prompts": recipe["prompts"][:1], "seeds": recipe["seeds"][:1]}
    return pipe(**sd_cases.reference_call(one), output_type="latent").images


def make(golden: Path) -> None:
    folder = golden / "sd_lora"
    folder.mkdir(exist_ok=True)
    generator = torch.Generator().manual_seed(12)
    expected = {}
    for name, (pipeline, scale) in CASES.items():
        recipe = json.loads((golden / pipeline / "case.json").read_text())
        pipe = load(golden / pipeline / "pipeline")
        (peft_file if "peft" in name else kohya_file)(pipe, folder / f"{name}.safetensors", generator)
        none = draw(pipe, recipe)
        pipe.load_lora_weights(folder / f"{name}.safetensors", adapter_name="a")
        pipe.set_adapters("a", scale)
        expected[name] = draw(pipe, recipe)
        change = (expected[name] - none).norm() / none.norm()
        assert change > 0.02, (name, change)
        changed = {part: sum("lora_A" in key for key, _ in getattr(pipe, part).named_parameters()) for part in ("unet", *ENCODERS) if getattr(pipe, part, None) is not None}
        print(f"sd_lora/{name}: {changed}, latents change by {change:.3f}")
    save_file(expected, folder / "expected.safetensors")
