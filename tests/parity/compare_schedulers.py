"""Random configurations of every scheduler at odd step counts: what diffusers does with them, for model_scheduler_test to repeat.

    compare_schedulers.py --test build/release/tests/bin/model_scheduler_test [--count 300] [--seed 1]

Writes cases as scheduler_cases.py does into a folder of its own and runs the test on them. A configuration that diffusers refuses is left out; one
that quantspot refuses is printed with its line and counted.
"""

import argparse
import inspect
import json
import logging
import os
import random
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import diffusers
import torch
from safetensors.torch import save_file

import scheduler_cases
from scheduler_cases import CLASSES, NOISES, OUTPUTS, START

STEPS = (1, 2, 3, 5, 7, 11)
CHOICES = {
    "num_train_timesteps": [1000, 1000, 400, 77], "beta_start": [0.0001, 0.00085, 0.002], "beta_end": [0.02, 0.012, 0.05],
    "beta_schedule": ["linear", "scaled_linear", "scaled_linear", "squaredcos_cap_v2"],
    "prediction_type": ["epsilon", "epsilon", "sample", "v_prediction", "flow_prediction"], "timestep_spacing": ["leading", "trailing", "linspace"],
    "steps_offset": [0, 1, 2], "rescale_betas_zero_snr": [True, False, False], "thresholding": [True, False, False], "dynamic_thresholding_ratio": [0.995, 0.9],
    "sample_max_value": [1.0, 2.5], "clip_sample": [True, False], "clip_sample_range": [1.0, 0.5], "set_alpha_to_one": [True, False],
    "variance_type": ["fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log", "learned", "learned_range"], "skip_prk_steps": [True, True, False],
    "use_karras_sigmas": [True, False, False], "use_exponential_sigmas": [True, False, False, False], "use_beta_sigmas": [True, False, False, False],
    "use_lu_lambdas": [True, False, False], "final_sigmas_type": ["zero", "zero", "sigma_min"], "interpolation_type": ["linear", "log_linear"],
    "timestep_type": ["discrete", "continuous"], "sigma_min": [None, 0.03], "sigma_max": [None, 20.0], "solver_order": [1, 2, 3],
    "algorithm_type": ["dpmsolver++", "dpmsolver++", "sde-dpmsolver++", "dpmsolver", "sde-dpmsolver"], "lower_order_final": [True, False],
    "euler_at_final": [True, False], "use_flow_sigmas": [True, False, False, False], "flow_shift": [1.0, 3.0], "lambda_min_clipped": [-5.1],
    "predict_x0": [True, True, False], "disable_corrector": [[], [0], [1, 2]], "shift": [1.0, 3.0, 0.5], "use_dynamic_shifting": [True, False],
    "base_shift": [0.5, 0.3], "max_shift": [1.15, 1.9], "base_image_seq_len": [256, 8], "max_image_seq_len": [4096, 100], "invert_sigmas": [True, False, False],
    "shift_terminal": [None, None, 0.1], "time_shift_type": ["exponential", "linear"], "stochastic_sampling": [True, False, False],
    "original_inference_steps": [50, 25], "timestep_scaling": [10.0, 4.0],
}
SOLVERS = {"dpmpp-2m": ["midpoint", "heun"], "unipc": ["bh1", "bh2"]}


def draw(rng: random.Random, key: str, cls) -> dict:
    known = [name for name in inspect.signature(cls.__init__).parameters if name in CHOICES]
    row = {name: rng.choice(CHOICES[name]) for name in known if rng.random() < 0.35}
    if key in SOLVERS and rng.random() < 0.5:
        row["solver_type"] = rng.choice(SOLVERS[key])
    return {name: value for name, value in row.items() if value is not None}


def cases(count: int, seed: int):
    rng = random.Random(seed)
    for number in range(count):
        key = rng.choice(list(CLASSES))
        cls = getattr(diffusers, CLASSES[key] + "Scheduler")
        row = draw(rng, key, cls)
        tokens = rng.choice([0, 0, 16, 640]) if key in ("flow-match-euler", "unipc", "dpmpp-2m") else 0
        try:
            yield f"{key}_{number}", cls, cls(**row), tokens
        except (ValueError, NotImplementedError, TypeError):
            continue


def write(folder: Path, count: int, seed: int) -> int:
    listed, tensors, ran = [], {"outputs": OUTPUTS, "noises": NOISES, "start": START}, 0
    for name, kind, source, tokens in cases(count, seed):
        config = json.loads(source.to_json_string())
        learned = config.get("variance_type") in ("learned", "learned_range") and kind is diffusers.DDPMScheduler
        case = {"name": name, "id": "", "config": source.to_json_string(), "tokens": tokens, "learned": learned, "runs": [], "refused": []}
        parts: dict[str, list[torch.Tensor]] = {}
        for steps, dtype in [(s, torch.float32) for s in STEPS] + [(7, torch.bfloat16)]:
            try:
                made = scheduler_cases.run(lambda: kind.from_config(config), steps, tokens, learned, dtype)
            except Exception:  # noqa: BLE001: whatever diffusers cannot do
                continue
            if not torch.isfinite(made["samples"]).all():
                continue
            ran += 1
            case["runs"].append({"steps": steps, "bf16": dtype is torch.bfloat16, "calls": len(made["timesteps"])}
                                | ({"sigmas": len(made["sigmas"])} if "sigmas" in made else {}))
            for part, value in made.items():
                parts.setdefault(part, []).append(value if part == "timesteps" else value.float())
        if case["runs"]:
            tensors |= {f"{name}.{part}": torch.cat(values) for part, values in parts.items()}
            listed.append(case)
    save_file({key: value.contiguous().clone() for key, value in tensors.items()}, folder / "expected.safetensors")
    (folder / "cases.json").write_text(json.dumps(listed) + "\n")
    print(f"{len(listed)} configurations, {ran} runs", flush=True)
    return len(listed)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    logging.disable(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), options.count, options.seed)
        done = subprocess.run([options.test, "doesWhatDiffusersDoes"], env=os.environ | {"QUANTSPOT_SCHEDULER_CASES": folder + "/"}, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    for line in lines:
        if line.startswith(("FAIL", "   Loc", "QFATAL", "Totals")) or "refused: " in line:
            print(line)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
