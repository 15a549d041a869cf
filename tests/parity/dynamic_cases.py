"""Group 7: torch's dynamic quantization with the fbgemm engine."""

from pathlib import Path

import torch
from safetensors.torch import save_file
from torch.ao.quantization import default_dynamic_qconfig, per_channel_dynamic_qconfig, quantize_dynamic


def inputs(width: int) -> dict[str, torch.Tensor]:
    def draw(shape: tuple, seed: int) -> torch.Tensor:
        return torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    positive = draw((3, width), 73).abs() + 1
    lone = draw((4, width), 74)
    lone[1, 7] = 90.0
    return {"ordinary": draw((2, 5, width), 71), "positive": positive, "negative": -positive, "lone": lone,
            "zeros": torch.zeros(2, width), "tiny": draw((2, width), 75) * 1e-6, "tiniest": draw((2, width), 76) * 1e-30}


def make(golden: Path) -> None:
    torch.backends.quantized.engine = "fbgemm"
    generator = torch.Generator().manual_seed(70)
    weight, bias = torch.randn((37, 100), generator=generator) * 0.1, torch.randn((37,), generator=generator)
    weight[3] = 0
    weight[4] *= 1e-9
    weight[5] *= 30
    tensors = {"weight": weight, "bias": bias} | {f"x.{name}": x for name, x in inputs(100).items()}
    for kind, config in (("per-tensor", default_dynamic_qconfig), ("per-channel", per_channel_dynamic_qconfig)):
        for key in ("output", "no_bias"):
            layer = torch.nn.Linear(100, 37, bias=key == "output")
            layer.weight.data = weight.clone()
            if key == "output":
                layer.bias.data = bias.clone()
            model = quantize_dynamic(torch.nn.Sequential(layer), {torch.nn.Linear: config}, dtype=torch.qint8)
            packed = model[0].weight()
            scale = packed.q_per_channel_scales() if kind == "per-channel" else torch.tensor([packed.q_scale()])
            tensors |= {f"{kind}.codes": packed.int_repr(), f"{kind}.scale": scale.float()}
            with torch.no_grad():
                tensors |= {f"{kind}.{name}.{key}": model(x) for name, x in inputs(100).items()}
    save_file({key: value.contiguous().clone() for key, value in tensors.items()}, golden / "quant" / "dynamic.safetensors")
    print(f"quant/dynamic: {len(tensors)} tensors")
