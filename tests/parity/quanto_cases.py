"""Group 6: what optimum-quanto makes of weights and activations on a CPU, number by number."""

from pathlib import Path

import torch
from optimum.quanto import Calibration, freeze, qfloat8_e4m3fn, qint2, qint4, qint8, quantize
from safetensors.torch import save_file

from quant_cases import draw
from torchao_cases import awkward, inputs, linear

TYPES = {"int8": qint8, "fp8": qfloat8_e4m3fn, "int4": qint4, "int2": qint2}


def quantized(weight: torch.Tensor, bias: torch.Tensor | None, kind: str, activations: object = None) -> torch.nn.Module:
    model = torch.nn.Sequential(linear(weight, bias))
    quantize(model, weights=TYPES[kind], activations=activations)
    return model


def weight_only(name: str, kind: str, weight: torch.Tensor, bias: torch.Tensor) -> dict[str, torch.Tensor]:
    model = quantized(weight, bias, kind)
    freeze(model)
    tensors = {f"{name}.{kind}.{key.removeprefix('0.')}": value for key, value in model.state_dict().items() if ".bias" not in key}
    tensors[f"{name}.{kind}.dequantized"] = model[0].weight.dequantize()
    with torch.no_grad():
        for shape, x in inputs(weight.shape[1]).items():
            tensors[f"{name}.{kind}.{shape}.output"] = model(x)
    return tensors


def weights() -> dict[str, torch.Tensor]:
    # Widths: whole groups of 128; 96; 32; none that divides; one group; not a multiple of 4
    cases = {"wide": awkward(16, 256, 50), "g96": awkward(7, 192, 51), "g32": awkward(6, 160, 52), "odd": awkward(9, 130, 53),
             "narrow": awkward(11, 48, 54)}
    cases["wide"][6, :128] = 0
    cases["wide"][7, 128:] = -0.375
    cases["narrow"][0] = 0
    tensors = {}
    for name, weight in cases.items():
        bias = draw((weight.shape[0],), 55)
        tensors |= {f"{name}.weight": weight, f"{name}.bias": bias}
        tensors |= {f"{name}.x.{shape}": x for shape, x in inputs(weight.shape[1]).items()}
        for kind in TYPES:
            if kind == "fp8":  # a row of zeros has no scale there, and no numbers in its output
                nonzero = weight.clone()
                nonzero[0, 0] = 0.5
                tensors[f"{name}.fp8.source"] = nonzero
                tensors |= weight_only(name, kind, nonzero, bias)
            else:
                tensors |= weight_only(name, kind, weight, bias)
    return tensors


def calibrated() -> dict[str, torch.Tensor]:
    weight, bias = awkward(20, 44, 56), draw((20,), 57)
    seen = [draw((2, 5, 44), 60), draw((3, 44), 61, 3.0), draw((4, 44), 62, 0.5)]
    tensors = {"a8.weight": weight, "a8.bias": bias} | {f"a8.seen_{i}": x for i, x in enumerate(seen)}
    model = quantized(weight, bias, "int8", qint8)
    with torch.no_grad():
        for i, x in enumerate(seen):
            with Calibration(streamline=False):
                model(x)
            tensors |= {f"a8.input_scale_{i}": model[0].input_scale, f"a8.output_scale_{i}": model[0].output_scale}
        freeze(model)
        rounded = model(seen[0])
        tensors |= {"a8.rounded_output": rounded.dequantize()}
        model[0].disable_output_quantization()
        tensors |= {f"a8.{shape}.x": x for shape, x in inputs(44).items()}
        tensors |= {f"a8.{shape}.output": model(x) for shape, x in inputs(44).items()}
        bare = quantized(weight, None, "int8", qint8)
        freeze(bare)
        bare[0].input_scale = model[0].input_scale
        bare[0].disable_output_quantization()
        tensors["a8.no_bias.output"] = bare(seen[0])
    return tensors


def convolution() -> dict[str, torch.Tensor]:
    weight, bias, x = draw((16, 16, 3, 3), 63, 0.1), draw((16,), 64), draw((2, 16, 9, 7), 65)
    tensors = {"conv.weight": weight, "conv.bias": bias, "conv.x": x}
    for kind in TYPES:
        layer = torch.nn.Conv2d(16, 16, 3, stride=2, padding=1, dtype=torch.bfloat16)
        layer.weight.data, layer.bias.data = weight.clone(), bias.clone()
        model = torch.nn.Sequential(layer)
        quantize(model, weights=TYPES[kind])
        freeze(model)
        with torch.no_grad():
            tensors |= {f"conv.{kind}.dequantized": model[0].weight.dequantize(), f"conv.{kind}.output": model(x)}
    return tensors


def make(golden: Path) -> None:
    (golden / "quant").mkdir(parents=True, exist_ok=True)
    tensors = weights() | calibrated() | convolution()
    save_file({key: (value.view(torch.uint8) if value.dtype == torch.float8_e4m3fn else value).detach().contiguous().clone()
               for key, value in tensors.items()}, golden / "quant" / "quanto.safetensors")
    print(f"quant/quanto: {len(tensors)} tensors")
