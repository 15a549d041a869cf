"""Reads our GGUF exports with ComfyUI-GGUF's own loader: names, shapes, architecture and values are those of the original checkpoint.

check_comfyui_gguf.py --checkout PATH/ComfyUI-GGUF --pipeline FOLDER --export FOLDER [--detection PATH/comfy/model_detection.py]

--pipeline is the diffusers folder that --export (`quantspot-cli export --precision gguf-…`) was made from. ComfyUI itself is not needed: of it the
loader uses classes to inherit from, for which stand-ins are given. With --detection (a file of ComfyUI) its detection must know the model, too.
"""

import argparse
import importlib.util
import json
import sys
import types
from pathlib import Path

import gguf
import torch
from safetensors import safe_open

import ldm_names

# What ComfyUI's supported_models.py asks of each, as its detection tells it.
KNOWN = {"sd1": dict(context_dim=768, model_channels=320, use_linear_in_transformer=False, adm_in_channels=None),
         "sdxl": dict(context_dim=2048, model_channels=320, use_linear_in_transformer=True, adm_in_channels=2816, transformer_depth=[0, 0, 2, 2, 10, 10]),
         "flux": dict(image_model="flux", guidance_embed=True)}
# Relative error (L2) of normally distributed weights; F32 and F16 of bf16 weights are exact but for fp16's range.
LIMITS = {"F32": 0, "BF16": 0, "F16": 1e-4, "Q8_0": 0.006, "Q6_K": 0.02, "Q5_K": 0.04, "Q5_1": 0.04, "Q5_0": 0.05, "Q4_K": 0.08, "Q4_1": 0.08, "Q4_0": 0.1,
          "Q3_K": 0.16, "Q2_K": 0.35}


def stand_ins() -> None:
    """comfy's modules as far as ComfyUI-GGUF's files name them when they are imported."""
    ops = types.ModuleType("comfy.ops")
    layers = {name: type(name, (torch.nn.Module,), {}) for name in ("Linear", "Conv2d", "Embedding", "LayerNorm", "GroupNorm")}
    ops.manual_cast = type("manual_cast", (), layers)
    comfy = types.ModuleType("comfy")
    for name in ("lora", "model_management", "utils", "supported_models", "supported_models_base"):
        setattr(comfy, name, types.ModuleType(f"comfy.{name}"))
        sys.modules[f"comfy.{name}"] = getattr(comfy, name)
    comfy.ops = ops
    sys.modules |= {"comfy": comfy, "comfy.ops": ops}


def module(name: str, path: Path):
    spec = importlib.util.spec_from_file_location(name, path)
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    spec.loader.exec_module(made)
    return made


def loader(checkout: Path) -> tuple:
    package = types.ModuleType("comfyui_gguf")
    package.__path__ = [str(checkout)]
    sys.modules["comfyui_gguf"] = package
    for name in ("dequant", "ops"):
        module(f"comfyui_gguf.{name}", checkout / f"{name}.py")
    return module("comfyui_gguf.loader", checkout / "loader.py"), sys.modules["comfyui_gguf.dequant"]


def original(pipeline: Path) -> dict[str, torch.Tensor]:
    """The denoiser's tensors by their original names."""
    part = pipeline / "unet" if (pipeline / "unet").exists() else pipeline / "transformer"
    tensors = {}
    for file in sorted(part.glob("*.safetensors")):
        with safe_open(file, "pt") as opened:
            tensors |= {name: opened.get_tensor(name) for name in opened.keys()}
    config = json.loads((part / "config.json").read_text())
    return ldm_names.unet(tensors, config) if part.name == "unet" else flux(tensors)


def flux(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The other way round than diffusers' convert_flux_transformer_checkpoint_to_diffusers."""
    made, used = {}, set()

    def put(name: str, *parts: str, change=lambda value: value) -> None:
        for kind in ("weight", "bias"):
            if f"{parts[0]}.{kind}" in tensors:
                used.update(f"{part}.{kind}" for part in parts)
                there = "scale" if "_norm" in name else kind
                made[f"{name}.{there}"] = change(torch.cat([tensors[f"{part}.{kind}"] for part in parts]))

    def embedder(name: str, part: str) -> None:
        put(f"{name}.in_layer", f"time_text_embed.{part}.linear_1")
        put(f"{name}.out_layer", f"time_text_embed.{part}.linear_2")

    for name, part in (("time_in", "timestep_embedder"), ("vector_in", "text_embedder"), ("guidance_in", "guidance_embedder")):
        embedder(name, part)
    for name, part in (("img_in", "x_embedder"), ("txt_in", "context_embedder"), ("final_layer.linear", "proj_out")):
        put(name, part)
    put("final_layer.adaLN_modulation.1", "norm_out.linear", change=lambda value: value.roll(len(value) // 2, 0))   # shift before scale
    for number in sorted({int(name.split(".")[1]) for name in tensors if name.startswith("transformer_blocks.")}):
        ours, there = f"transformer_blocks.{number}", f"double_blocks.{number}"
        for side, mod, ff, qkv, out, norms in (
                ("img", "norm1", "ff", ("to_q", "to_k", "to_v"), "to_out.0", ("norm_q", "norm_k")),
                ("txt", "norm1_context", "ff_context", ("add_q_proj", "add_k_proj", "add_v_proj"), "to_add_out", ("norm_added_q", "norm_added_k"))):
            put(f"{there}.{side}_mod.lin", f"{ours}.{mod}.linear")
            put(f"{there}.{side}_attn.qkv", *(f"{ours}.attn.{one}" for one in qkv))
            put(f"{there}.{side}_attn.proj", f"{ours}.attn.{out}")
            put(f"{there}.{side}_mlp.0", f"{ours}.{ff}.net.0.proj")
            put(f"{there}.{side}_mlp.2", f"{ours}.{ff}.net.2")
            for which, norm in zip(("query", "key"), norms):
                put(f"{there}.{side}_attn.norm.{which}_norm", f"{ours}.attn.{norm}")
    for number in sorted({int(name.split(".")[1]) for name in tensors if name.startswith("single_transformer_blocks.")}):
        ours, there = f"single_transformer_blocks.{number}", f"single_blocks.{number}"
        put(f"{there}.linear1", *(f"{ours}.{one}" for one in ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp")))
        put(f"{there}.linear2", f"{ours}.proj_out")
        put(f"{there}.modulation.lin", f"{ours}.norm.linear")
        for which, norm in (("query", "norm_q"), ("key", "norm_k")):
            put(f"{there}.norm.{which}_norm", f"{ours}.attn.{norm}")
    assert used == set(tensors), sorted(set(tensors) - used)[:3]
    return made


def check(options: argparse.Namespace) -> list[str]:
    stand_ins()
    read, dequant = loader(options.checkout)
    (file,) = options.export.glob("*.gguf")
    found, architecture = read.gguf_sd_loader(str(file), return_arch=True)
    wanted, wrong, worst = original(options.pipeline), [], {}
    wrong += [f"{name} is missing" for name in sorted(set(wanted) - set(found))] + [f"{name} is not of the model" for name in sorted(set(found) - set(wanted))]
    for name in sorted(set(found) & set(wanted)):
        tensor, value = found[name], wanted[name].float()
        if tuple(tensor.tensor_shape) != tuple(value.shape):
            wrong.append(f"{name} has the shape {tuple(tensor.tensor_shape)}, not {tuple(value.shape)}")
            continue
        kind = gguf.GGMLQuantizationType(tensor.tensor_type).name
        read_back = dequant.dequantize_tensor(tensor, dtype=torch.float32, dequant_dtype=torch.float32)
        error = ((read_back - value).norm() / value.norm().clamp_min(1e-30)).item()
        worst[kind] = max(worst.get(kind, (0, 0)), (error, worst.get(kind, (0, 0))[1]))[0], worst.get(kind, (0, 0))[1] + 1
        if not error <= LIMITS[kind]:
            wrong.append(f"{name} ({kind}) is {error:.3g} from the original")
    for kind, (error, count) in sorted(worst.items()):
        print(f"  {kind:5} {count:4} tensors, at most {error:.2e} from the original")
    print(f"{file.name}: {len(found)} tensors, architecture {architecture}")
    if options.detection:
        detected = module("model_detection", options.detection).detect_unet_config(found, "")
        wrong += [f"ComfyUI detects {key} = {detected.get(key)}, not {value}" for key, value in KNOWN[architecture].items() if detected.get(key) != value]
        print(f"ComfyUI's detection: {({key: detected.get(key) for key in KNOWN[architecture]})}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("checkout", "pipeline", "export"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--detection", type=Path)
    wrong = check(parser.parse_args())
    print("\n".join(wrong[:20]) or "all of it fits")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
