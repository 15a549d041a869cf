"""Prints what pictures take against what the memory model says (docs/memory-model.md holds one run).

    python make_stand_ins.py tests/parity/golden /somewhere
    python memory_table.py build/release/bin/quantspot_bench_memory /somewhere 

A row: model, precision, offload, size × batch; then for each phase, and for the whole picture, MiB as measured above the floor and as estimated,
and what the estimate is off of the process's peak (the floor included).
"""

import json
import subprocess
import sys

MIB = 1 << 20
DEFAULT = "resources/default_model"


def cases(folder):
    for precision in ("bf16", "fp32", "fp8-layerwise", "bnb-int8", "torchao-int8wo", "quanto-int8", "int8-dynamic", "bnb-nf4", "torchao-int4wo", "gguf-q8_0", "gguf-q4_k"):
        yield DEFAULT, precision, "none", 128, 128, 1
    for width, height, batch in ((192, 128, 1), (256, 256, 1), (128, 128, 4), (256, 256, 4)):
        yield DEFAULT, "bf16", "none", width, height, batch
        yield DEFAULT, "bnb-nf4", "none", width, height, batch
    for name in ("flux", "sd", "sdxl"):
        for precision in ("bf16", "bnb-int8", "bnb-nf4", "gguf-q4_k", "fp8-layerwise"):
            yield f"{folder}/{name}", precision, "none", 256, 256, 1
        for offload in ("model", "group", "sequential"):
            yield f"{folder}/{name}", "bf16", offload, 256, 256, 1
        yield f"{folder}/{name}", "bnb-nf4", "group", 256, 256, 1
        yield f"{folder}/{name}", "bnb-nf4", "sequential", 256, 256, 1
        yield f"{folder}/{name}", "bf16", "none", 384, 256, 2
    for name in ("sd3", "pixart", "dit"):
        for precision in ("bf16", "bnb-nf4"):
            for offload in ("none", "group", "sequential"):
                yield f"{folder}/{name}", precision, offload, 256, 256, 1


def run(program, case):
    """The run whose whole peak is the middle one of three: single peaks differ by some MiB."""
    runs = [json.loads(subprocess.run([program, *map(str, case)], check=True, capture_output=True, text=True).stdout) for _ in range(3)]
    return sorted(runs, key=lambda one: max(one["peaks"].values()) - one["floor"])[1]


def row(result):
    floor, peaks, model = result["floor"], result["peaks"], result["model_bytes"]
    measured = {name: peaks[name] - floor for name in ("encode", "denoise", "decode")}
    measured["denoise"] = max(measured["denoise"], peaks["load"] - floor)
    whole, told = max(measured.values()), max(phase["total"] for phase in model.values())
    parts = [f"{measured[name] / MIB:7.0f} {model[name]['total'] / MIB:7.0f}" for name in measured]
    off = (told - whole) / (whole + floor)
    return (f"{result['model'].split('/')[-1]:<14} {result['precision']:<15} {result['offload']:<11} {result['width']}×{result['height']}×{result['batch']:<3} "
            + " │ ".join(parts) + f" │ {whole / MIB:7.0f} {told / MIB:7.0f} {100 * (told - whole) / whole:+6.1f} % {100 * off:+6.1f} %"), off


def main():
    program, folder = sys.argv[1:3]
    worst = 0
    print("model          precision       offload     size       encode: is, told │ denoise         │ decode          │ picture: is, told, off, off with floor")
    for case in cases(folder):
        text, off = row(run(program, case))
        worst = max(worst, abs(off))
        print(text, flush=True)
    print(f"largest difference: {100 * worst:.1f} % of the process's peak")


if __name__ == "__main__":
    main()
