"""Times one Linear of each precision as its reference package computes it on this CPU, for quantspot_bench_linear's last column.

Usage: reference_linear.py OUT.json [threads]. Needs torch, and of bitsandbytes, torchao, optimum-quanto, diffusers and gguf what is to be compared; the others are left out with
a line on standard error. The same shapes, the same way of timing: the fastest of several calls, in processor time with one thread."""

import json
import sys
import time

import torch

SHAPES = [(1, 3072, 3072), (1, 3072, 12288), (4, 1536, 6144), (16, 3072, 3072), (64, 384, 1536), (256, 384, 1536), (64, 1536, 1536),
          (256, 1536, 6144), (1024, 1536, 6144), (1024, 3072, 3072), (4096, 1536, 6144)]


def milliseconds(body, threads: int) -> float:
    clock = time.thread_time if threads == 1 else time.perf_counter
    body()
    best, end, calls = 1e30, clock() + 0.3, 0
    while calls < 3 or clock() < end:
        start = clock()
        body()
        best, calls = min(best, clock() - start), calls + 1
    return 1e3 * best


def plain(dtype):
    return lambda layer: layer.to(dtype)


def bnb4(kind: str, nested: bool):
    def make(layer):
        import bitsandbytes as bnb
        made = bnb.nn.Linear4bit(layer.in_features, layer.out_features, compute_dtype=torch.bfloat16, quant_type=kind, compress_statistics=nested)
        made.load_state_dict(layer.to(torch.bfloat16).state_dict())
        return made.to("cpu")
    return make


def bnb8(layer):
    import bitsandbytes as bnb
    made = bnb.nn.Linear8bitLt(layer.in_features, layer.out_features, has_fp16_weights=False, threshold=6.0)
    made.load_state_dict(layer.to(torch.bfloat16).state_dict())
    return made.to("cpu")


def torchao(name: str, **options):
    def make(layer):
        import torchao.quantization as ao
        model = torch.nn.Sequential(layer.to(torch.bfloat16))
        ao.quantize_(model, getattr(ao, name)(**options))
        return model
    return make


def quanto(name: str):
    def make(layer):
        import optimum.quanto as oq
        model = torch.nn.Sequential(layer.to(torch.bfloat16))
        oq.quantize(model, weights=getattr(oq, name))
        oq.freeze(model)
        return model
    return make


def dynamic(layer):
    return torch.ao.quantization.quantize_dynamic(torch.nn.Sequential(layer), {torch.nn.Linear}, dtype=torch.qint8)


def layerwise(dtype):
    """diffusers' layerwise casting: the weight rests in 8 bits and is cast before each product."""
    def make(layer):
        weight, bias = layer.weight.detach().to(dtype), layer.bias.detach().to(torch.bfloat16)
        return lambda x: torch.nn.functional.linear(x, weight.to(torch.bfloat16), bias)
    return make


def gguf(name: str):
    def make(layer):
        import gguf as package
        from diffusers.quantizers.gguf.utils import GGUFLinear, GGUFParameter
        kind = package.GGMLQuantizationType[name]
        codes = package.quants.quantize(layer.weight.detach().numpy(), kind)
        made = GGUFLinear(layer.in_features, layer.out_features, True, compute_dtype=torch.bfloat16)
        made.weight, made.bias = GGUFParameter(torch.from_numpy(codes), quant_type=kind), layer.bias
        return made
    return make


# id → (type of the activations, what makes the layer)
PRECISIONS = {
    "fp32": (torch.float32, plain(torch.float32)), "bf16": (torch.bfloat16, plain(torch.bfloat16)),
    "fp8-layerwise": (torch.bfloat16, layerwise(torch.float8_e4m3fn)), "fp8-layerwise-e5m2": (torch.bfloat16, layerwise(torch.float8_e5m2)),
    "bnb-int8": (torch.bfloat16, bnb8), "bnb-nf4": (torch.bfloat16, bnb4("nf4", False)), "bnb-nf4-dq": (torch.bfloat16, bnb4("nf4", True)),
    "bnb-fp4": (torch.bfloat16, bnb4("fp4", False)), "bnb-fp4-dq": (torch.bfloat16, bnb4("fp4", True)),
    "torchao-int8wo": (torch.bfloat16, torchao("Int8WeightOnlyConfig")),
    "torchao-int8dq": (torch.bfloat16, torchao("Int8DynamicActivationInt8WeightConfig")),
    "torchao-fp8wo": (torch.bfloat16, torchao("Float8WeightOnlyConfig")),
    "quanto-int8": (torch.bfloat16, quanto("qint8")), "quanto-int4": (torch.bfloat16, quanto("qint4")),
    "quanto-int2": (torch.bfloat16, quanto("qint2")),
    "quanto-fp8": (torch.bfloat16, quanto("qfloat8")), "int8-dynamic": (torch.float32, dynamic),
    **{f"gguf-{name.lower()}": (torch.bfloat16, gguf(name)) for name in ("Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0")}}


@torch.inference_mode()
def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    threads = int(sys.argv[2]) if len(sys.argv) > 2 else torch.get_num_threads()
    torch.set_num_threads(threads)
    times = {}
    for name, (dtype, make) in PRECISIONS.items():
        try:
            for rows, width, out in SHAPES:
                with torch.inference_mode(False), torch.no_grad():
                    layer = make(torch.nn.Linear(width, out))
                    x = torch.randn(rows, width).to(dtype)
                    times.setdefault(name, {})[f"{rows}x{width}x{out}"] = milliseconds(lambda: layer(x), threads)
        except Exception as error:  # a package that is absent, or a precision that it refuses here
            print(f"{name}: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}", file=sys.stderr)
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump({"torch": torch.__version__, "threads": threads, "ms": times}, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
