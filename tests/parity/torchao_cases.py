"""Group 5: what torchao makes of weights and activations on a CPU, number by number."""

from pathlib import Path

import torch
import torchao.quantization.quant_api as quant_api
from safetensors.torch import save_file
from torchao.prototype.quantization.int4.inference_workflow import PrototypeInt4WeightOnlyConfig
from torchao.quantization import (Float8DynamicActivationFloat8WeightConfig, Float8WeightOnlyConfig,
                                  Int8DynamicActivationInt8WeightConfig, Int8WeightOnlyConfig, PerRow, quantize_)

from quant_cases import draw


def linear(weight: torch.Tensor, bias: torch.Tensor | None) -> torch.nn.Linear:
    layer = torch.nn.Linear(weight.shape[1], weight.shape[0], bias is not None, dtype=torch.bfloat16)
    layer.weight.data = weight.clone()
    if bias is not None:
        layer.bias.data = bias.clone()
    return layer.eval()


def awkward(rows: int, width: int, seed: int) -> torch.Tensor:
    weight = draw((rows, width), seed, 0.1)
    weight[1] *= 1e-10     # below the smallest scale
    weight[2] *= 3e4
    weight[3] = weight[3].abs().max()
    weight[4, 1:] *= 1e-3
    weight[5] *= 1e-30
    return weight


def inputs(width: int) -> dict[str, torch.Tensor]:
    ordinary = draw((2, 5, width), 41)
    edge = draw((4, width), 42)
    edge[0] = 0
    edge[1] *= 1e-9
    edge[2, 3] = 300.0
    return {"ordinary": ordinary, "edge": edge, "one_row": draw((1, width), 43)}


def quantized(weight: torch.Tensor, bias: torch.Tensor | None, config: object, prefix: str, parts: tuple) -> dict:
    layer = linear(weight, bias)
    quantize_(layer, config)
    tensors = {f"{prefix}.{part}": getattr(layer.weight, part) for part in parts}
    if hasattr(layer.weight, "dequantize") and "scale_and_zero" not in parts:
        tensors[f"{prefix}.dequantized"] = layer.weight.dequantize()
    with torch.no_grad():
        for name, x in inputs(weight.shape[1]).items():
            tensors[f"{prefix}.{name}.output"] = layer(x)
    return tensors


def int8() -> dict[str, torch.Tensor]:
    weight, bias = awkward(24, 40, 44), draw((24,), 45)
    weight[0] = 0
    parts = ("qdata", "scale", "zero_point")
    tensors = {"int8.weight": weight, "int8.bias": bias}
    tensors |= {f"int8.x.{name}": x for name, x in inputs(40).items()}
    for name, config in (("wo", Int8WeightOnlyConfig()), ("dq", Int8DynamicActivationInt8WeightConfig())):
        tensors |= quantized(weight, bias, config, f"int8.{name}", parts)
        tensors |= quantized(weight, None, config, f"int8.{name}.no_bias", ())
    return tensors


def fp8() -> dict[str, torch.Tensor]:
    weight, bias = awkward(16, 48, 46), draw((16,), 47)
    tensors = {"fp8.weight": weight, "fp8.bias": bias} | {f"fp8.x.{name}": x for name, x in inputs(48).items()}
    tensors |= quantized(weight, bias, Float8WeightOnlyConfig(), "fp8.wo", ("qdata", "scale"))
    quant_api._check_hardware_support = lambda granularity: None  # refuses a CPU, whose scaled product is there
    config = Float8DynamicActivationFloat8WeightConfig(granularity=PerRow())
    for name, x in inputs(48).items():  # a row of zeros has no scale there, and no numbers in its output
        if name == "edge":
            tensors["fp8.x.edge"][0] = x[1]
    layer = linear(weight, bias)
    quantize_(layer, config)
    tensors |= {"fp8.dq.qdata": layer.weight.qdata, "fp8.dq.scale": layer.weight.scale}
    with torch.no_grad():
        for name in inputs(48):
            tensors[f"fp8.dq.{name}.output"] = layer(tensors[f"fp8.x.{name}"])
            tensors[f"fp8.wo.{name}.output"] = torch.nn.functional.linear(
                tensors[f"fp8.x.{name}"], tensors["fp8.wo.dequantized"]) + bias
    return {key: value.view(torch.uint8) if value.dtype == torch.float8_e4m3fn else value for key, value in tensors.items()}


def int4_parts(weight: torch.Tensor, group: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Codes (out, in), scales and midpoints (out, in / group): the packed form depends on the processor."""
    from torchao.quantization.quant_primitives import (MappingType, _choose_qparams_affine_tinygemm,
                                                       _quantize_affine_tinygemm)
    scale, zero = _choose_qparams_affine_tinygemm(
        weight, MappingType.ASYMMETRIC, (1, group), torch.int32, 0, 15, 1e-6, None, weight.dtype)
    return _quantize_affine_tinygemm(weight, (1, group), scale, zero, torch.int32, 0, 15).to(torch.uint8), scale, zero


def int4() -> dict[str, torch.Tensor]:
    weight, bias = awkward(16, 256, 48), draw((16,), 49)
    weight[6, :128] = 0
    weight[7, 128:] = -0.375
    tensors = {"int4.weight": weight, "int4.bias": bias} | {f"int4.x.{name}": x for name, x in inputs(256).items()}
    for group in (32, 64, 128):
        config = PrototypeInt4WeightOnlyConfig(group_size=group, set_inductor_config=False)
        tensors |= quantized(weight, bias, config, f"int4.{group}", ("qdata", "scale_and_zero"))
        if group != 64:
            del tensors[f"int4.{group}.qdata"]
        tensors[f"int4.{group}.codes"] = int4_parts(weight, group)[0]
    return tensors


def make(golden: Path) -> None:
    (golden / "quant").mkdir(parents=True, exist_ok=True)
    tensors = int8() | fp8() | int4()
    save_file({key: value.detach().contiguous().clone() for key, value in tensors.items()}, golden / "quant" / "torchao.safetensors")
    print(f"quant/torchao: {len(tensors)} tensors")
