"""Group 2: what bitsandbytes and torch make of weights and activations, number by number, on a CPU."""

from pathlib import Path

import bitsandbytes as bnb
import bitsandbytes.functional as bnbf
import torch
from safetensors.torch import save_file


def draw(shape: tuple, seed: int, scale: float = 1.0) -> torch.Tensor:
    return (torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * scale).bfloat16()


def four_bit_weights(ties: torch.Tensor) -> dict[str, torch.Tensor]:
    """name -> bf16 weight; "ties" is fp32: exact midpoints between neighbouring codes, in a block of absmax 1."""
    blocks = draw((6, 64), 3)
    blocks[1] = 0
    blocks[2] = -0.0
    blocks[3] *= 1e30
    blocks[4] *= 1e-30
    blocks[5] *= 1e-35  # smaller, and products turn subnormal, which some processors flush to zero
    extremes = draw((4, 64), 4)
    extremes[0, 0], extremes[1, 5] = 3.3895e38, -3.3895e38
    extremes[2, 1:] *= 1e-4
    extremes[3] = 1.0
    tied = torch.ones(1, 64)
    tied[0, 1:1 + ties.numel()] = ties
    return {
        "square": draw((16, 64), 1), "one_row": draw((1, 128), 2), "blocks": blocks, "extremes": extremes,
        "narrow": draw((12, 48), 11), "ties": tied, "rest": draw((7, 50), 5, 0.05), "odd": draw((5, 13), 6), "short": draw((3, 8), 7),
    }


def dequantize(packed: torch.Tensor, state: bnbf.QuantState) -> torch.Tensor:
    """By the definition of the format. The AVX-512 kernel of bitsandbytes 0.50.2 takes wrong scales where a row is a multiple
    of 16 but not of 64 elements, its other kernels and its GPU code do not."""
    scales = state.absmax
    if state.nested:
        scales = bnbf.dequantize_blockwise(scales, state.state2) + state.offset
    numbers = torch.stack([packed >> 4, packed & 15], 1).flatten()[:state.shape.numel()].long()
    values = state.code[numbers] * scales.repeat_interleave(state.blocksize)[:numbers.numel()]
    return values.reshape(state.shape).to(state.dtype)


def four_bit(kind: str) -> dict[str, torch.Tensor]:
    code = bnbf.get_4bit_type(kind, device="cpu")
    ordered = code.sort().values
    tensors = {f"{kind}.code": code}
    for name, weight in four_bit_weights((ordered[1:] + ordered[:-1]) / 2).items():
        key = f"{kind}.{name}"
        packed, state = bnbf.quantize_4bit(weight, blocksize=64, quant_type=kind)
        values = dequantize(packed, state)
        assert name == "narrow" or torch.equal(values, bnbf.dequantize_4bit(packed, state))
        tensors |= {f"{key}.weight": weight, f"{key}.codes": packed, f"{key}.absmax": state.absmax,
                    f"{key}.dequantized": values}
        if name in ("square", "rest", "short"):
            tensors |= linear_4bit(key, packed, state, values)
    return tensors


def linear_4bit(key: str, packed: torch.Tensor, state: bnbf.QuantState, values: torch.Tensor) -> dict:
    x, bias = draw((2, 5, values.shape[1]), 8), draw((values.shape[0],), 9)
    output = torch.nn.functional.linear(x, values, bias)
    assert torch.equal(output, bnb.matmul_4bit(x, packed, state, bias=bias))
    return {f"{key}.x": x, f"{key}.bias": bias, f"{key}.output": output}


def four_bit_double(kind: str, weight: torch.Tensor) -> dict[str, torch.Tensor]:
    """Double quantization: absmax itself in 8 bits, in blocks of 256."""
    packed, state = bnbf.quantize_4bit(weight, blocksize=64, quant_type=kind, compress_statistics=True)
    nested = state.state2
    return {
        f"{kind}-dq.codes": packed, f"{kind}-dq.absmax": state.absmax, f"{kind}-dq.nested_absmax": nested.absmax,
        f"{kind}-dq.nested_quant_map": nested.code, f"{kind}-dq.nested_offset": state.offset.reshape(1),
        f"{kind}-dq.absmax_recovered": bnbf.dequantize_blockwise(state.absmax, nested) + state.offset,
        f"{kind}-dq.dequantized_rows": dequantize(packed, state)[-4:],
    }


def four_bit_blocks(kind: str) -> dict[str, torch.Tensor]:
    """Larger blocks: the last one short, and one of zeros."""
    weight = draw((11, 900), 12, 0.05)
    weight.view(-1)[4096:8192] = 0
    tensors = {"blocks.weight": weight}
    for size in (128, 512, 4096):
        packed, state = bnbf.quantize_4bit(weight, blocksize=size, quant_type=kind)
        key = f"blocks.{kind}.{size}"
        tensors |= {f"{key}.codes": packed, f"{key}.absmax": state.absmax, f"{key}.rows": dequantize(packed, state)[-3:]}
    packed, state = bnbf.quantize_4bit(weight, blocksize=256, quant_type=kind, compress_statistics=True)
    return tensors | {f"blocks.{kind}-dq.256.codes": packed, f"blocks.{kind}-dq.256.absmax": state.absmax,
                      f"blocks.{kind}-dq.256.rows": dequantize(packed, state)[-3:]}


def int8_inputs(width: int) -> dict[str, torch.Tensor]:
    plain, outliers, edge = draw((6, width), 21), draw((2, 4, width), 22), draw((3, width), 23)
    plain.clamp_(-5.9, 5.9)
    outliers.clamp_(-5.9, 5.9)
    outliers[0, 1, 3], outliers[1, 2, 3], outliers[1, 0, 17] = 40.0, -7.5, 6.0  # the rest of a column stays in absmax
    edge.clamp_(-5.9, 5.9)
    edge[0] = 0
    edge[1, 2], edge[2, 5] = 5.96875, -6.0  # just below and at the threshold
    return {"plain": plain, "outliers": outliers, "edge": edge, "one_row": outliers[0, 1:2].clone()}


def int8() -> dict[str, torch.Tensor]:
    weight = draw((24, 40), 20, 0.1)
    weight[2] = 0
    weight[3] *= 1e-5     # subnormal in fp16
    weight[4] *= 1e-10    # nothing left in fp16
    weight[5] *= 3e4
    weight[6] = weight[6].abs().max()
    weight[7, 1:] *= 1e-3
    bias = draw((24,), 24)
    codes, scales, _ = bnbf.int8_vectorwise_quant(weight.half())
    tensors = {"int8.weight": weight, "int8.bias": bias, "int8.CB": codes, "int8.SCB": scales,
               "int8.dequantized": bnbf.int8_vectorwise_dequant(codes, scales)}
    for name, x in int8_inputs(40).items():
        tensors[f"int8.{name}.x"] = x
        for threshold in (6.0, 0.0):
            state = bnb.MatmulLtState()
            state.CB, state.SCB, state.has_fp16_weights = codes, scales, False
            state.threshold = threshold
            state.is_training = False  # as in eval(): training multiplies dequantized weights instead
            with torch.no_grad():
                tensors[f"int8.{name}.output_{threshold:.0f}"] = bnb.matmul(x.clone(), codes, bias=bias, state=state)
        quantized, rows, columns = bnbf.int8_vectorwise_quant(x.reshape(-1, 40).half(), threshold=6.0)
        tensors |= {f"int8.{name}.CA": quantized, f"int8.{name}.SCA": rows, f"int8.{name}.outlier_columns": columns}
    return tensors


def float8() -> dict[str, torch.Tensor]:
    special = [0.0, -0.0, 1.0, -1.0, 0.1, 448, 449, 464, 465, 466, 480, 1e4, 57344, 61439, 61440, 65536, 1e30,
               float("inf"), -float("inf"), float("nan"), 2**-6, 2**-7, 2**-9, 2**-10, 2**-10 * 1.01, 1.5 * 2**-9,
               2.5 * 2**-9, 2**-14, 2**-16, 2**-17, 2**-17 * 1.01, 1e-30, 1e-45, 1.0625, 1.1875, 1.125, 1.375, 17, 19]
    spread = torch.randn(400, generator=torch.Generator().manual_seed(31)) * 10 ** torch.linspace(-7, 6, 400)
    values = torch.cat([torch.tensor(special), -torch.tensor(special), spread])
    tensors = {"float8.values": values, "bf16.values": values}
    nearby = torch.tensor([0x3F808000, 0x3F818000, 0x3F807FFF, 0x3F808001, 0x7F7FFFFF, 0x7F7F8000, 0x00000001,
                           0x00008000, 0x00018000, 0x807FFFFF, 0x7F800001, 0xFFC12345], dtype=torch.int64)
    tensors["bf16.values"] = torch.cat([values, nearby.to(torch.int32).view(torch.float32)])
    tensors["bf16.rounded"] = tensors["bf16.values"].bfloat16()
    for name, dtype in (("e4m3fn", torch.float8_e4m3fn), ("e5m2", torch.float8_e5m2)):
        tensors[f"float8.{name}.from_f32"] = values.to(dtype).view(torch.uint8)
        tensors[f"float8.{name}.from_bf16"] = values.bfloat16().to(dtype).view(torch.uint8)
        tensors[f"float8.{name}.decoded"] = torch.arange(256).to(torch.uint8).view(dtype).float()
        weight, bias, x = draw((12, 20), 32, 0.2), draw((12,), 33), draw((5, 20), 34)
        stored, stored_bias = weight.to(dtype).bfloat16(), bias.to(dtype).bfloat16()
        tensors |= {"float8.weight": weight, "float8.bias": bias, "float8.x": x,
                    f"float8.{name}.output": torch.nn.functional.linear(x, stored, stored_bias)}
    return tensors


def make(golden: Path) -> None:
    weight = draw((65, 256), 10, 0.05)
    groups = {"four_bit": four_bit("nf4") | four_bit("fp4"), "int8": int8(), "float8": float8(),
              "four_bit_blocks": four_bit_blocks("nf4") | four_bit_blocks("fp4"),
              "double": {"weight": weight} | four_bit_double("nf4", weight) | four_bit_double("fp4", weight)}
    (golden / "quant").mkdir(parents=True, exist_ok=True)
    for name, tensors in groups.items():
        save_file({key: value.contiguous().clone() for key, value in tensors.items()},
                  golden / "quant" / f"{name}.safetensors")
        print(f"quant/{name}: {len(tensors)} tensors")
