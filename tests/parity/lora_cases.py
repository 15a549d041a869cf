"""LoRA files in three namings and what diffusers draws with them: golden/lora (pipeline: golden/flux_a)."""

import json
from pathlib import Path

import torch
from diffusers import FluxPipeline
from safetensors.torch import load_file, save_file

SIZE = {"num_inference_steps": 3, "width": 64, "height": 48, "max_sequence_length": 24}
PROMPT = "one pizza"
CASES = {"peft": 1.0, "peft_alpha": 0.5, "kohya": 1.0}   # scale given by the user


def pair(generator: torch.Generator, rows: int, columns: int, rank: int) -> tuple[torch.Tensor, torch.Tensor]:
    return (torch.randn(rank, columns, generator=generator) / columns ** 0.5, 0.3 * torch.randn(rows, rank, generator=generator))


def peft_file(pipe: FluxPipeline, path: Path, generator: torch.Generator, metadata: dict | None) -> None:
    tensors = {}
    for part in ("transformer", "text_encoder"):
        for name, module in getattr(pipe, part).named_modules():
            if isinstance(module, torch.nn.Linear) and any(key in name for key in ("to_q", "to_out", "proj_mlp", "ff.net.0", "q_proj")):
                down, up = pair(generator, *module.weight.shape, 3)
                tensors |= {f"{part}.{name}.lora_A.weight": down, f"{part}.{name}.lora_B.weight": up}
    header = {"format": "pt"}
    if metadata is not None:
        header["lora_adapter_metadata"] = json.dumps(metadata)
    save_file(tensors, path, header)


def kohya_file(pipe: FluxPipeline, path: Path, generator: torch.Generator) -> None:
    """Blocks of two streams only: diffusers' converter knows the fused layers of single blocks in FLUX.1's own width alone."""
    width = pipe.transformer.inner_dim
    layers = {"img_attn_qkv": (3 * width, width), "txt_attn_proj": (width, width), "img_mlp_2": (width, 4 * width), "img_mod_lin": (6 * width, width)}
    tensors = {}
    for layer, shape in layers.items():
        down, up = pair(generator, *shape, 4)
        name = f"lora_unet_double_blocks_0_{layer}"
        tensors |= {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up, f"{name}.alpha": torch.tensor(2.0)}
    save_file(tensors, path)


def make(golden: Path) -> None:
    folder = golden / "lora"
    folder.mkdir(exist_ok=True)
    generator = torch.Generator().manual_seed(11)
    plain = FluxPipeline.from_pretrained(golden / "flux_a" / "pipeline", torch_dtype=torch.float32)
    peft_file(plain, folder / "peft.safetensors", generator, None)
    settings = {f"{part}.{key}": value for part in ("transformer", "text_encoder")
                for key, value in {"r": 3, "lora_alpha": 6, "target_modules": ["to_q", "to_out.0", "proj_mlp", "ff.net.0.proj", "q_proj"]}.items()}
    peft_file(plain, folder / "peft_alpha.safetensors", generator, settings)
    kohya_file(plain, folder / "kohya.safetensors", generator)
    expected = {}
    for name, scale in CASES.items():
        pipe = FluxPipeline.from_pretrained(golden / "flux_a" / "pipeline", torch_dtype=torch.float32)
        pipe.load_lora_weights(folder / f"{name}.safetensors", adapter_name="a")
        pipe.set_adapters("a", scale)
        expected[name] = pipe(PROMPT, output_type="latent", generator=torch.Generator().manual_seed(5), **SIZE).images
    expected["none"] = plain(PROMPT, output_type="latent", generator=torch.Generator().manual_seed(5), **SIZE).images
    save_file(expected, folder / "expected.safetensors")
    assert all((expected[name] - expected["none"]).norm() > 0.02 * expected["none"].norm() for name in CASES)
    assert load_file(folder / "kohya.safetensors")
