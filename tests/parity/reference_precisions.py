"""Turns the transformer of a bf16 reference pipeline into one of the quantized precisions, as the reference libraries do."""

import bitsandbytes as bnb
import bitsandbytes.functional as bnbf
import torch
import torchao.quantization.quant_api as torchao_api
from optimum.quanto import freeze, qfloat8_e4m3fn, qint2, qint4, qint8, quantize
from optimum.quanto.library import qbytes_mm
from torchao.prototype.quantization.int4.inference_workflow import PrototypeInt4WeightOnlyConfig
from torchao.quantization import (Float8DynamicActivationFloat8WeightConfig, Float8WeightOnlyConfig,
                                  Int8DynamicActivationInt8WeightConfig, Int8WeightOnlyConfig, PerRow, quantize_)

from quant_cases import dequantize


def layerwise(transformer: torch.nn.Module, storage: torch.dtype) -> None:
    transformer.enable_layerwise_casting(storage_dtype=storage, compute_dtype=torch.bfloat16)


def four_bit(transformer: torch.nn.Module, kind: str, double: bool) -> None:
    """Weights replaced by what they dequantize to: the arithmetic without the fused kernels of some processors."""
    for module in transformer.modules():
        if isinstance(module, torch.nn.Linear):
            codes, state = bnbf.quantize_4bit(
                module.weight.data, blocksize=64, quant_type=kind, compress_statistics=double)
            module.weight.data = dequantize(codes, state)


def eight_bit(transformer: torch.nn.Module) -> None:
    for parent in list(transformer.modules()):
        for name, linear in list(parent.named_children()):
            if isinstance(linear, torch.nn.Linear):
                setattr(parent, name, int8_linear(linear))


def int8_linear(linear: torch.nn.Linear) -> torch.nn.Module:
    module = bnb.nn.Linear8bitLt(linear.in_features, linear.out_features, linear.bias is not None,
                                 has_fp16_weights=False, threshold=6.0)
    module.weight = bnb.nn.Int8Params(linear.weight.data, requires_grad=False, has_fp16_weights=False).to("cpu")
    if linear.bias is not None:
        module.bias = linear.bias
    return module.eval()


def float8_dynamic(transformer: torch.nn.Module) -> None:
    torchao_api._check_hardware_support = lambda granularity: None  # refuses a CPU, whose scaled product is there
    quantize_(transformer, Float8DynamicActivationFloat8WeightConfig(granularity=PerRow()))


def int4(transformer: torch.nn.Module, group: int) -> None:
    """Torch's int4 product on a CPU takes outputs in sixteens only; other layers are left alone here."""
    quantize_(transformer, PrototypeInt4WeightOnlyConfig(group_size=group, set_inductor_config=False),
              lambda module, name: isinstance(module, torch.nn.Linear) and module.out_features % 16 == 0)


def quanto(transformer: torch.nn.Module, kind: object) -> None:
    """torch's _weight_int8pack_mm dies at shapes that are no multiples of its tiles: its arithmetic is written out."""
    qbytes_mm.qbytes_int8pack_mm = lambda x, weights, scales: (x.float() @ weights.float().T * scales.flatten().float()).to(x.dtype)
    quantize(transformer, weights=kind)
    freeze(transformer)


PRECISIONS = {
    "fp8-layerwise": lambda model: layerwise(model, torch.float8_e4m3fn),
    "fp8-layerwise-e5m2": lambda model: layerwise(model, torch.float8_e5m2),
    "bnb-int8": eight_bit,
    "bnb-nf4": lambda model: four_bit(model, "nf4", False),
    "bnb-nf4-dq": lambda model: four_bit(model, "nf4", True),
    "bnb-fp4": lambda model: four_bit(model, "fp4", False),
    "bnb-fp4-dq": lambda model: four_bit(model, "fp4", True),
    "torchao-int8wo": lambda model: quantize_(model, Int8WeightOnlyConfig()),
    "torchao-int8dq": lambda model: quantize_(model, Int8DynamicActivationInt8WeightConfig()),
    "torchao-int4wo": lambda model: int4(model, 128),
    "torchao-int4wo?group=32": lambda model: int4(model, 32),
    "torchao-fp8wo": lambda model: quantize_(model, Float8WeightOnlyConfig()),
    "torchao-fp8dq": float8_dynamic,
    "quanto-int8": lambda model: quanto(model, qint8),
    "quanto-int4": lambda model: quanto(model, qint4),
    "quanto-int2": lambda model: quanto(model, qint2),
    "quanto-fp8": lambda model: quanto(model, qfloat8_e4m3fn),
}
