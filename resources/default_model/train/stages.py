"""What the training stages share on the command line, and the record of finished ones (stages.json in the working folder)."""
import argparse
import json
import os
import platform
import shutil
import time
from pathlib import Path

import torch
from safetensors.torch import load_file

import attention
from workplace import device, leave_if, use_threads, work_dir


def pick(gpu, cpu):
    """A default that depends on the hardware."""
    return gpu if device().type == "cuda" else cpu


def parser(description: str) -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(description=description)
    result.add_argument("--pipeline", type=Path, required=True, help="folder of the pipeline that grows stage by stage")
    result.add_argument("--minutes", type=float, required=True, help="planned training time, earlier runs counted in")
    result.add_argument("--until", type=float, dest="slice_end", help="Unix time at which this run stops with a checkpoint and exit code 75")
    result.add_argument("--start", type=Path, help="folder of a pipeline whose weights are taken where their shapes fit")
    result.add_argument("--seed", type=int, default=0)
    result.add_argument("--threads", type=int, default=os.cpu_count())
    result.add_argument("--workers", type=int, default=pick(gpu=max(1, (os.cpu_count() or 2) - 2), cpu=0), help="processes that draw pictures")
    result.add_argument("--log-every", type=int, default=pick(gpu=200, cpu=50), help="steps")
    return result


def add_bf16(made: argparse.ArgumentParser) -> None:
    made.add_argument("--bf16", action=argparse.BooleanOptionalAction, default=True, help="the autoencoder computes in bfloat16")


def add_compile(made: argparse.ArgumentParser) -> None:
    made.add_argument("--compile", action=argparse.BooleanOptionalAction, default=pick(gpu=True, cpu=shutil.which("g++") is not None))


def parsed(made: argparse.ArgumentParser) -> argparse.Namespace:
    arguments = made.parse_args()
    use_threads(arguments.threads)
    if device().type == "cpu":
        attention.use_products()
    return arguments


def carry_out(trainer) -> None:
    """Trains for as long as the plan and this run's slice say; a plan that is through is finished, else the exit code is workplace.TIME_IS_UP."""
    trainer.run()
    leave_if(trainer.clock)
    trainer.finish()


def load_matching(module: torch.nn.Module, file: Path) -> int:
    """Copies the tensors of a safetensors file whose names and shapes the module has; how many those were."""
    own = module.state_dict()
    fitting = {name: value for name, value in load_file(file).items() if name in own and own[name].shape == value.shape}
    module.load_state_dict(fitting, strict=False)
    print(f"{file.parent.name}: {len(fitting)} of {len(own)} tensors taken from {file}", flush=True)
    return len(fitting)


def hardware() -> str:
    """For the model card."""
    if device().type == "cuda":
        return torch.cuda.get_device_name()
    model = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")),
                 platform.machine())
    return f"{torch.get_num_threads()} thread(s) of {model}"


def records() -> dict:
    file = work_dir() / "stages.json"
    return json.loads(file.read_text()) if file.exists() else {}


def finish(stage: str, figures: dict) -> None:
    """Notes that a stage is through; train.sh then skips it."""
    file = work_dir() / "stages.json"
    file.write_text(json.dumps(records() | {stage: figures | {"ended": time.strftime("%Y-%m-%d", time.gmtime())}}, indent=2) + "\n")
