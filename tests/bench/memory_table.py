"""Prints what pictures take against what the memory model says (docs/memory-model.md holds one run).

    python make_stand_ins.py tests/parity/golden /somewhere
    QUANTSPOT_CACHE=/elsewhere python memory_table.py build/release/bin/quantspot_bench_memory /somewhere RUNS.jsonl [3]

Each case is drawn three times, each time in a process of its own; medians stand in the table. Runs are kept in RUNS.jsonl, and those that are
there already are not repeated (remove it when what is drawn with has changed); what is told is asked anew.

A row: model, precision, offload, size × batch; then for each phase, and for the whole picture, MiB as measured above the floor and as told,
what the told sum is off of the picture's peak above the floor, and of the process's peak (the floor included); how far the picture's highest
and lowest run are apart, in MiB, and how many runs there were.
"""

import json
import subprocess
import sys
from pathlib import Path
from statistics import median

MIB = 1 << 20
DEFAULT = "resources/default_model"
PRECISIONS = ("bf16", "fp8-layerwise", "bnb-int8", "bnb-nf4", "gguf-q4_0")
FAMILIES = ("flux", "sd", "sdxl", "sd3", "pixart", "dit")


def cases(folder):
    """(model, precision, offload, width, height, pictures, how the decoder works)"""
    for precision in (*PRECISIONS, "fp32", "int8-dynamic"):
        yield DEFAULT, precision, "none", 256, 256, 1, "whole"
    for offload in ("group", "sequential"):
        yield DEFAULT, "bf16", offload, 256, 256, 1, "whole"
    for precision in ("bf16", "bnb-nf4"):
        yield DEFAULT, precision, "none", 256, 256, 4, "whole"
    yield DEFAULT, "bf16", "none", 256, 256, 4, "sliced"
    yield DEFAULT, "bf16", "none", 512, 512, 1, "whole"
    for name in FAMILIES:
        model, more = f"{folder}/{name}", name in ("flux", "sd")   # these two in more ways than the others
        for precision in PRECISIONS:
            yield model, precision, "none", 256, 256, 1, "whole"
        if more:
            yield model, "bf16", "model", 256, 256, 1, "whole"
        for offload in ("group", "sequential"):
            for precision in ("bf16", "bnb-nf4", "gguf-q4_0") if more else ("bf16", "bnb-nf4"):
                yield model, precision, offload, 256, 256, 1, "whole"
        yield model, "bf16", "none", 256, 256, 4, "whole"
        if more:
            yield model, "bnb-nf4", "none", 256, 256, 4, "whole"
            yield model, "bf16", "none", 256, 256, 4, "sliced"
            yield model, "bf16", "none", 384, 256, 1, "whole"
            yield model, "bnb-nf4", "group", 512, 512, 1, "whole"
    for name, how in (("sd", "whole"), ("sd", "tiled"), ("sdxl", "tiled")):   # tiles are of 512 × 512
        yield f"{folder}/{name}", "bnb-nf4", "none", 768, 512, 1, how
    for name in ("flux", "sd3"):
        yield f"{folder}/{name}", "bnb-nf4?text_encoder=bnb-nf4", "none", 256, 256, 1, "whole"


def call(program, case, *more):
    return json.loads(subprocess.run([program, *map(str, case), *more], check=True, capture_output=True, text=True).stdout)


def phases(run):
    above = {name: peak - run["floor"] for name, peak in run["peaks"].items()}
    return {"encode": above["encode"], "denoise": max(above["denoise"], above["load"]), "decode": above["decode"]}


def row(case, runs, told):
    model, precision, offload, width, height, batch, how = case
    floor = median(run["floor"] for run in runs)
    measured = {name: median(phases(run)[name] for run in runs) for name in ("encode", "denoise", "decode")}
    wholes = [max(phases(run).values()) for run in runs]
    whole, said = median(wholes), max(phase["total"] for phase in told.values())
    parts = [f"{measured[name] / MIB:7.0f} {told[name]['total'] / MIB:7.0f}" for name in measured]
    above, off = (said - whole) / whole, (said - whole) / (whole + floor)
    size = f"{width}×{height}×{batch}{'' if how == 'whole' else ' ' + how}"
    return ((f"{model.split('/')[-1]:<13} {precision.replace('text_encoder', 'text'):<21} {offload:<10} {size:<16} " + " │ ".join(parts)
            + f" │ {whole / MIB:7.0f} {said / MIB:7.0f} {100 * above:+6.1f} % {100 * off:+6.1f} % {(max(wholes) - min(wholes)) / MIB:7.0f} {len(runs):>4}"),
            above, off)


def main():
    program, folder, kept = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    wanted = int(sys.argv[4]) if len(sys.argv) > 4 else 3
    runs = {}
    for line in kept.read_text().splitlines() if kept.exists() else []:
        entry = json.loads(line)
        runs.setdefault(tuple(entry["case"]), []).append(entry["run"])
    for turn in range(wanted):           # in turns, so that what else the machine does meets all cases
        for case in cases(folder):
            if len(runs.setdefault(case, [])) > turn:
                continue
            runs[case].append(call(program, case))
            with kept.open("a") as out:
                out.write(json.dumps({"case": case, "run": runs[case][-1]}) + "\n")
    worst = [0, 0]
    print("model         precision             offload    size             encode: is, told │ denoise         │ decode          │ picture: is, told, off, off with floor, spread, runs")
    for case in cases(folder):
        text, above, off = row(case, runs[case], call(program, case, "told")["told"])
        worst = [max(worst[0], abs(above) if case[0] != DEFAULT else 0), max(worst[1], abs(off))]
        print(text, flush=True)
    print(f"largest difference: {100 * worst[1]:.1f} % of the process's peak; of stand-ins above the floor: {100 * worst[0]:.1f} %")


if __name__ == "__main__":
    main()
