"""Group gguf: what ggml's own reference code makes of weights (libggml through ctypes) and what gguf-py reads back."""

import ctypes
import hashlib
import importlib.util
import inspect
import json
from pathlib import Path

import gguf
import numpy
import torch
from safetensors.torch import save_file

WRITTEN = ["Q8_0", "Q5_0", "Q5_1", "Q4_0", "Q4_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"]
READ = WRITTEN + ["IQ4_NL", "IQ4_XS"]


def library() -> ctypes.CDLL:
    """The libggml that the wheel of pywhispercpp brings; its base library has no fused multiply-adds."""
    folder = Path(importlib.util.find_spec("pywhispercpp").origin).parent.parent
    ggml = ctypes.CDLL(str(sorted(folder.glob("libggml-base.so*"))[0]))
    ggml.ggml_quantize_chunk.restype = ctypes.c_size_t
    ggml.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p] + [ctypes.c_int64] * 3 + [ctypes.c_void_p]
    return ggml


def quantize(ggml: ctypes.CDLL, kind: str, values: numpy.ndarray) -> numpy.ndarray:
    number = gguf.GGMLQuantizationType[kind]
    rows, columns = values.shape
    elements, size = gguf.GGML_QUANT_SIZES[number]
    packed = numpy.zeros((rows, columns // elements * size), numpy.uint8)
    values = numpy.ascontiguousarray(values, numpy.float32)
    written = ggml.ggml_quantize_chunk(number, values.ctypes.data, packed.ctypes.data, 0, rows, columns, None)
    assert written == packed.nbytes, (kind, written, packed.nbytes)
    return packed


def dequantize(ggml: ctypes.CDLL, kind: str, packed: numpy.ndarray) -> numpy.ndarray:
    """gguf-py's values, checked against ggml's own."""
    values = gguf.quants.dequantize(packed, gguf.GGMLQuantizationType[kind]).astype(numpy.float32)
    own = numpy.empty_like(values)
    function = getattr(ggml, "dequantize_row_" + kind.replace("Q", "q").replace("I", "i").replace("NL", "nl").replace("XS", "xs"))
    function(ctypes.c_void_p(packed.ctypes.data), ctypes.c_void_p(own.ctypes.data), ctypes.c_int64(own.size))
    assert numpy.array_equal(values, own, equal_nan=True), kind
    return values


def hard_rows() -> torch.Tensor:
    """(16, 256) bf16: what a search for scales may stumble over."""
    draw = torch.Generator().manual_seed(50)
    rows = torch.randn(16, 256, generator=draw)
    rows[0] = 0
    rows[1] = -0.0
    rows[2] = 1
    rows[3] = -0.5
    rows[4] *= 1e-4           # scales subnormal in fp16
    rows[5] *= 1e-12          # scales lost in fp16
    rows[6] *= 1e-38          # reciprocals overflow
    rows[7] *= 1e4            # near the largest scales
    rows[8] = rows[8].abs()   # the minimum stays 0
    rows[9] = -rows[9].abs()
    rows[10, 1:] *= 1e-3      # one large value
    rows[11, ::16] *= 1e3     # groups of one large value each
    rows[12, 16:] = 0         # one group alone
    rows[13] = (rows[13] * 3).round() / 4                      # ties
    rows[14] = torch.linspace(-1, 1, 256)
    rows[15] = torch.tensor([1.0, -1.0]).repeat(128)           # two values of largest magnitude
    return rows.bfloat16()


def random_blocks(kind: str) -> numpy.ndarray:
    """Four blocks with random codes; every scale a moderate fp16 number or a subnormal one."""
    elements, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[kind]]
    draw = numpy.random.default_rng(51)
    blocks = draw.integers(0, 256, (4, size), numpy.uint8)
    scales = {"Q2_K": (80, 82), "Q3_K": (108,), "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,), "Q4_1": (0, 2), "Q5_1": (0, 2)}.get(kind, (0,))
    for at in scales:
        blocks[:, at:at + 2] = draw.standard_normal(4).astype(numpy.float16).view(numpy.uint8).reshape(4, 2)
        blocks[3, at:at + 2] = (7, 0x80)
    return blocks.reshape(1, -1)


WIDTH = 32


def flux_tensors() -> dict[str, tuple[tuple[int, ...], str]]:
    """A FLUX transformer of one block of each kind in BFL's naming: name -> shape and type, as third-party files mix them."""
    around = {"img_in": (WIDTH, 16), "time_in.in_layer": (WIDTH, 256), "time_in.out_layer": (WIDTH, WIDTH), "vector_in.in_layer": (WIDTH, 24),
              "vector_in.out_layer": (WIDTH, WIDTH), "guidance_in.in_layer": (WIDTH, 256), "guidance_in.out_layer": (WIDTH, WIDTH),
              "txt_in": (WIDTH, 20), "final_layer.linear": (16, WIDTH), "final_layer.adaLN_modulation.1": (2 * WIDTH, WIDTH)}
    block = {"mod.lin": 6, "attn.qkv": 3, "attn.proj": 1, "mlp.0": 4}
    layers = {name: (shape, ("F32", "F16", "BF16")[i % 3]) for i, (name, shape) in enumerate(around.items())}
    for side, kinds in (("img", ("Q8_0", "Q4_0", "Q5_1", "Q5_0")), ("txt", ("Q4_1", "Q8_0", "F16", "Q4_0"))):
        layers |= {f"double_blocks.0.{side}_{name}": ((rows * WIDTH, WIDTH), kind) for (name, rows), kind in zip(block.items(), kinds)}
        layers[f"double_blocks.0.{side}_mlp.2"] = ((WIDTH, 4 * WIDTH), "Q5_0")
    layers |= {"single_blocks.0.linear1": ((7 * WIDTH, WIDTH), "Q4_1"), "single_blocks.0.linear2": ((WIDTH, 5 * WIDTH), "Q5_1"),
               "single_blocks.0.modulation.lin": ((3 * WIDTH, WIDTH), "Q8_0")}
    tensors = {}
    for name, (shape, kind) in layers.items():
        tensors |= {f"{name}.weight": (shape, kind), f"{name}.bias": (shape[:1], "F32")}
    for name in ("double_blocks.0.img_attn", "double_blocks.0.txt_attn", "single_blocks.0"):
        tensors |= {f"{name}.norm.{which}_norm.scale": ((8,), "F32") for which in ("query", "key")}
    return tensors


def as_diffusers(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """By diffusers' own conversion, in which the width of FLUX.1 is written out."""
    from diffusers.loaders import single_file_utils

    source = inspect.getsource(single_file_utils.convert_flux_transformer_checkpoint_to_diffusers)
    assert "inner_dim = 3072" in source
    scope = {"torch": torch}
    exec(source.replace("inner_dim = 3072", f"inner_dim = {WIDTH}"), scope)
    return scope["convert_flux_transformer_checkpoint_to_diffusers"](dict(tensors))


def third_party_file(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    draw = numpy.random.default_rng(53)
    writer = gguf.GGUFWriter(str(folder / "mixed.gguf"), "flux")
    writer.add_name("a transformer by gguf-py")
    writer.add_array("test.numbers", [1, 2, 3])
    writer.add_array("test.words", ["one", "two"])
    writer.add_float32("test.half", 0.5)
    writer.add_bool("test.yes", True)
    values = {}
    for name, (shape, kind) in flux_tensors().items():
        number = gguf.GGMLQuantizationType[kind]
        packed = gguf.quants.quantize(draw.standard_normal(shape).astype(numpy.float32), number)
        writer.add_tensor(name, packed, raw_dtype=number)
        values[name] = torch.from_numpy(gguf.quants.dequantize(packed, number).astype(numpy.float32)).reshape(shape)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    expected = {name: {"shape": list(value.shape), "sha256": hashlib.sha256(value.contiguous().numpy().tobytes()).hexdigest()}
                for name, value in sorted(as_diffusers(values).items())}
    (folder / "mixed.json").write_text(json.dumps(expected, indent=0) + "\n")
    print(f"gguf/mixed: {len(values)} tensors, {len(expected)} of diffusers")


def make(golden: Path) -> None:
    ggml = library()
    third_party_file(golden / "gguf")
    weight = (torch.randn(24, 512, generator=torch.Generator().manual_seed(52)) * 0.03).bfloat16()
    hard = hard_rows()
    tensors = {"weight": weight, "hard": hard}
    for kind in READ:
        if kind in WRITTEN:
            tensors[f"{kind}.weight"] = torch.from_numpy(quantize(ggml, kind, weight.float().numpy()))
            tensors[f"{kind}.hard"] = torch.from_numpy(quantize(ggml, kind, hard.float().numpy()))
        blocks = random_blocks(kind)
        tensors[f"{kind}.blocks"] = torch.from_numpy(blocks)
        tensors[f"{kind}.values"] = torch.from_numpy(dequantize(ggml, kind, blocks))
    (golden / "quant").mkdir(parents=True, exist_ok=True)
    save_file({key: value.contiguous().clone() for key, value in tensors.items()}, golden / "quant" / "gguf.safetensors")
    print(f"quant/gguf: {len(tensors)} tensors")
