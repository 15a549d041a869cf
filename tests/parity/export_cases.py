"""What diffusers renders from packed checkpoints that it has written and loaded itself: golden/export.

A FLUX pipeline whose layers are multiples of 16, so that every precision holds every layer. For each precision the reference quantizes the
transformer, writes it, loads it again by its quantization_config, and renders the recipe from bf16(noise). cases.json keeps a digest of every
layer's tensors (as checkpoint_cases.py), the configuration and how far bf16 itself is from fp32.
"""

import json
import shutil
import tempfile
from pathlib import Path

import torch
from diffusers import BitsAndBytesConfig, FluxPipeline, FluxTransformer2DModel, QuantoConfig, TorchAoConfig
from safetensors import safe_open
from safetensors.torch import save_file
from torchao.quantization import (Float8DynamicActivationFloat8WeightConfig, Float8WeightOnlyConfig, Int8DynamicActivationInt8WeightConfig,
                                  Int8WeightOnlyConfig, PerRow)

from check_export import let_a_cpu_through
from checkpoint_cases import digests
from flux_cases import draw_noise, load, reference_call, relative
from random_pipeline import PipelineSpec, build

SPEC = PipelineSpec(
    seed=77, clip_merges=20, t5_vocab=100, t5_files="json", clip_files="json",
    transformer=dict(num_layers=1, num_single_layers=1, num_attention_heads=2, attention_head_dim=16, axes_dims_rope=[4, 4, 8], guidance_embeds=False),
    clip=dict(hidden_size=16, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2, hidden_act="quick_gelu"),
    t5=dict(d_model=32, d_kv=8, d_ff=32, num_layers=1, num_heads=2, feed_forward_proj="gated-gelu"),
    vae=dict(latent_channels=4, scaling_factor=0.5, shift_factor=0.1, use_quant_conv=False, use_post_quant_conv=False, layers_per_block=1,
             down_block_types=["DownEncoderBlock2D"] * 2, up_block_types=["UpDecoderBlock2D"] * 2, block_out_channels=[4, 4], norm_num_groups=2, sample_size=32),
    scheduler=dict(shift=3.0))
RECIPE = dict(prompts=["two owls in soft light"], seed=5, steps=3, width=16, height=32, guidance=3.5, true_cfg=1.0, negative_prompt=None, max_sequence_length=16)


def four_bit(kind: str, double: bool) -> BitsAndBytesConfig:
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type=kind, bnb_4bit_use_double_quant=double, bnb_4bit_compute_dtype=torch.bfloat16)


CONFIGS = {
    "bnb-nf4": four_bit("nf4", False), "bnb-nf4-dq": four_bit("nf4", True), "bnb-fp4": four_bit("fp4", False), "bnb-fp4-dq": four_bit("fp4", True),
    "torchao-int8wo": TorchAoConfig(Int8WeightOnlyConfig(version=2)), "torchao-int8dq": TorchAoConfig(Int8DynamicActivationInt8WeightConfig(version=2)),
    "torchao-fp8wo": TorchAoConfig(Float8WeightOnlyConfig()), "torchao-fp8dq": TorchAoConfig(Float8DynamicActivationFloat8WeightConfig(granularity=PerRow())),
} | {f"quanto-{name}": QuantoConfig(kind) for name, kind in (("int8", "int8"), ("fp8", "float8"), ("int4", "int4"), ("int2", "int2"))}
KEPT_METADATA = ("proj_out.weight", "proj_out.bias")


@torch.no_grad()
def render(pipeline: Path, transformer, noise: torch.Tensor) -> torch.Tensor:
    pipe = FluxPipeline.from_pretrained(pipeline, transformer=transformer, torch_dtype=torch.bfloat16, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    return pipe(output_type="latent", latents=noise.bfloat16(), **reference_call(RECIPE)).images.float()


def reloaded(pipeline: Path, config: object) -> tuple[FluxTransformer2DModel, dict]:
    model = FluxTransformer2DModel.from_pretrained(pipeline, subfolder="transformer", torch_dtype=torch.bfloat16, quantization_config=config)
    with tempfile.TemporaryDirectory() as scratch:
        model.save_pretrained(scratch)
        with safe_open(Path(scratch) / "diffusion_pytorch_model.safetensors", "pt") as file:
            tensors, metadata = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()
        case = {"tensors": len(tensors), "layers": digests(tensors),
                "config": json.loads((Path(scratch) / "config.json").read_text())["quantization_config"]}
        if "tensor_names" in metadata:
            case["metadata"] = {name: metadata[name] for name in KEPT_METADATA}
        return FluxTransformer2DModel.from_pretrained(scratch, torch_dtype=torch.bfloat16), case


def make(golden: Path) -> None:
    let_a_cpu_through()
    folder = golden / "export"
    shutil.rmtree(folder, ignore_errors=True)
    build(SPEC, folder / "pipeline", (RECIPE["width"], RECIPE["height"]))
    whole = load(folder / "pipeline", torch.float32)
    noise = draw_noise(whole, RECIPE)[1]
    with torch.no_grad():
        exact = whole(output_type="latent", latents=noise, **reference_call(RECIPE)).images
    tensors = {"bf16": render(folder / "pipeline", load(folder / "pipeline", torch.bfloat16).transformer, noise)}
    layerwise = load(folder / "pipeline", torch.bfloat16).transformer
    layerwise.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=torch.bfloat16)
    tensors["fp8-layerwise"] = render(folder / "pipeline", layerwise, noise)
    cases = {}
    for precision, config in CONFIGS.items():
        transformer, cases[precision] = reloaded(folder / "pipeline", config)
        tensors[precision] = render(folder / "pipeline", transformer, noise)
        print(f"{precision}: {relative(tensors[precision], tensors['bf16'])} from bf16")
    save_file({name: value.contiguous() for name, value in tensors.items()}, folder / "expected.safetensors")
    case = RECIPE | {"bf16_relative_error": relative(tensors["bf16"], exact), "precisions": cases}
    (folder / "case.json").write_text(json.dumps(case, separators=(",", ":"), ensure_ascii=False) + "\n", encoding="utf-8")
