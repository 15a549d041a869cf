"""Turns the transformer of a bf16 reference pipeline into one of the quantized precisions, as the reference libraries do."""

import bitsandbytes as bnb
import bitsandbytes.functional as bnbf
import torch

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


PRECISIONS = {
    "fp8-layerwise": lambda model: layerwise(model, torch.float8_e4m3fn),
    "fp8-layerwise-e5m2": lambda model: layerwise(model, torch.float8_e5m2),
    "bnb-int8": eight_bit,
    "bnb-nf4": lambda model: four_bit(model, "nf4", False),
    "bnb-nf4-dq": lambda model: four_bit(model, "nf4", True),
    "bnb-fp4": lambda model: four_bit(model, "fp4", False),
    "bnb-fp4-dq": lambda model: four_bit(model, "fp4", True),
}
