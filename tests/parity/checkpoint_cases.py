"""What the reference libraries write of a packed transformer: golden/quant/checkpoints.json, a digest per layer.

A digest is the SHA-256 over the layer's tensors in sorted order, each as name, NUL, raw bytes; 16 hex digits of it. Also
"quantization_config" where diffusers writes one on a CPU, and the metadata that torchao puts into the file.
"""

import hashlib
import json
import tempfile
from pathlib import Path

import bitsandbytes as bnb
import optimum.quanto
import torch
from diffusers import FluxTransformer2DModel, QuantoConfig, TorchAoConfig
from safetensors import safe_open
from torchao.core.config import config_to_dict
from torchao.prototype.safetensors.safetensors_support import flatten_tensor_state_dict
from torchao.quantization import (Float8WeightOnlyConfig, Int4WeightOnlyConfig, Int8DynamicActivationInt8WeightConfig,
                                  Int8WeightOnlyConfig)
from torchao.quantization.quantize_.workflows.int4.int4_tensor import Int4Tensor

from reference_precisions import int8_linear
from torchao_cases import int4_parts

TORCHAO = {"torchao-int8wo": Int8WeightOnlyConfig(version=2), "torchao-int8dq": Int8DynamicActivationInt8WeightConfig(version=2),
           "torchao-fp8wo": Float8WeightOnlyConfig()}
QUANTO = {"quanto-int8": "int8", "quanto-fp8": "float8"}
FOUR_BIT = {"bnb-nf4": ("nf4", False), "bnb-nf4-dq": ("nf4", True), "bnb-fp4": ("fp4", False), "bnb-fp4-dq": ("fp4", True)}


def four_bit_linear(linear: torch.nn.Linear, kind: str, double: bool) -> torch.nn.Module:
    module = bnb.nn.Linear4bit(linear.in_features, linear.out_features, linear.bias is not None,
                               compute_dtype=torch.bfloat16, quant_type=kind, compress_statistics=double)
    module.weight = bnb.nn.Params4bit(linear.weight.data, requires_grad=False, quant_type=kind,
                                      compress_statistics=double, blocksize=64)
    module.bias = linear.bias
    return module.to("cpu")


def packed(pipeline: Path, precision: str) -> dict[str, torch.Tensor]:
    model = FluxTransformer2DModel.from_pretrained(pipeline, subfolder="transformer", torch_dtype=torch.bfloat16)
    for parent in list(model.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, torch.nn.Linear):
                replaced = int8_linear(layer) if precision == "bnb-int8" else four_bit_linear(layer, *FOUR_BIT[precision])
                setattr(parent, name, replaced)
    return {name: tensor for name, tensor in model.state_dict().items() if isinstance(tensor, torch.Tensor)}


def saved(pipeline: Path, config: object) -> dict:
    """Through diffusers' own save_pretrained()."""
    model = FluxTransformer2DModel.from_pretrained(pipeline, subfolder="transformer", torch_dtype=torch.bfloat16, quantization_config=config)
    with tempfile.TemporaryDirectory() as scratch:
        model.save_pretrained(scratch)
        with safe_open(Path(scratch) / "diffusion_pytorch_model.safetensors", "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}
            metadata = file.metadata()
        written = json.loads((Path(scratch) / "config.json").read_text())["quantization_config"]
    case = {"tensors": len(tensors), "config": written, "layers": digests(tensors)}
    if "tensor_names" in metadata:
        case["metadata"] = {name: metadata[name] for name in ("proj_out.weight", "proj_out.bias", "transformer_blocks.0.attn.norm_q.weight", "format")}
    return case


def int4_tensor(weight: torch.Tensor, group: int) -> Int4Tensor:
    """torchao's plain packing of the codes that its CPU form has; Int4Tensor.from_hp() would ask a GPU's package for codes of its own."""
    codes, scale, zero = int4_parts(weight, group)
    signed = codes.to(torch.int8) - 8
    packed = (signed[:, ::2] & 15) | (signed[:, 1::2] << 4)
    return Int4Tensor(packed.contiguous(), scale.t().contiguous(), zero.t().contiguous(), [1, group], weight.shape)


def int4_saved(pipeline: Path, group: int) -> dict:
    """What torchao's own writer makes of a state dict with such tensors."""
    model = FluxTransformer2DModel.from_pretrained(pipeline, subfolder="transformer", torch_dtype=torch.bfloat16)
    linears = {name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    state = {name: int4_tensor(tensor, group) if name.endswith(".weight") and name[:-7] in linears and tensor.shape[1] % group == 0 else tensor.detach()
             for name, tensor in model.state_dict().items()}
    tensors, metadata = flatten_tensor_state_dict(state)
    kept = [name for name in model.state_dict() if name.endswith(".weight") and name[:-7] in linears and not isinstance(state[name], Int4Tensor)]
    written = {"modules_to_not_convert": sorted(name[:-7] for name in kept) or None, "quant_method": "torchao",
               "quant_type": {"default": config_to_dict(Int4WeightOnlyConfig(group_size=group))}}
    return {"tensors": len(tensors), "config": written, "layers": digests(tensors),
            "metadata": {name: metadata[name] for name in ("transformer_blocks.0.attn.to_q.weight", "proj_out.bias")}}


def activations_saved(pipeline: Path) -> dict:
    """quanto-int8a8 as optimum-quanto stores it; the n-th layer's scales are (n + 1) / 64 and (n + 1) / 32."""
    model = FluxTransformer2DModel.from_pretrained(pipeline, subfolder="transformer", torch_dtype=torch.bfloat16)
    linears = sorted(name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear))
    optimum.quanto.quantize(model, weights=optimum.quanto.qint8, activations=optimum.quanto.qint8, include=linears)
    for index, name in enumerate(linears):
        module = model.get_submodule(name)
        module.input_scale = torch.tensor((index + 1) / 64, dtype=torch.bfloat16)
        module.output_scale = torch.tensor((index + 1) / 32, dtype=torch.bfloat16)
    optimum.quanto.freeze(model)
    tensors = {name: tensor for name, tensor in model.state_dict().items() if isinstance(tensor, torch.Tensor)}
    return {"tensors": len(tensors), "layers": digests(tensors), "files": {"quanto_qmap.json": optimum.quanto.quantization_map(model)}}


def digests(tensors: dict[str, torch.Tensor]) -> dict[str, str]:
    layers = {name.rsplit(".", 1)[0] for name in tensors if name.endswith((".weight", ".bias", "._weight_qdata"))}
    layers |= {name.split(".weight._", 1)[0] for name in tensors if ".weight._" in name}
    result = {}
    for layer in sorted(layers):
        digest = hashlib.sha256()
        for name in sorted(name for name in tensors if name.startswith(layer + ".")):
            raw = tensors[name].detach().contiguous().flatten().view(torch.uint8).numpy().tobytes()
            digest.update(name.encode() + b"\0" + raw)
        result[layer] = digest.hexdigest()[:16]
    return result


def make(golden: Path) -> None:
    cases = {}
    for precision in ["bnb-int8", *FOUR_BIT]:
        tensors = packed(golden / "flux_a" / "pipeline", precision)
        cases[precision] = {"tensors": len(tensors), "layers": digests(tensors)}
    pipeline = golden / "flux_a" / "pipeline"
    cases |= {precision: saved(pipeline, TorchAoConfig(config)) for precision, config in TORCHAO.items()}
    cases |= {precision: saved(pipeline, QuantoConfig(kind)) for precision, kind in QUANTO.items()}
    cases |= {f"torchao-int4wo?group={group}": int4_saved(pipeline, group) for group in (32, 64)}
    cases["quanto-int8a8"] = activations_saved(pipeline)
    (golden / "quant" / "checkpoints.json").write_text(json.dumps(cases, indent=1) + "\n")
