"""Operations of the golden pipelines' denoisers as torch.utils.flop_counter counts them: golden/flops/cases.json."""
import inspect
import json
from pathlib import Path

import torch
from diffusers import DiffusionPipeline
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

GOLDEN = Path(__file__).parent / "golden"
CASES = ["dit_a", "dit_b", "flux_a", "flux_b", "pixart_a", "sd_a", "sd3_a", "sdxl_a"]


def arguments(pipeline, case: dict) -> dict:
    """What the pipeline's __call__ takes of a case."""
    taken = inspect.signature(pipeline.__call__).parameters
    given = {"height": case["height"], "width": case["width"], "num_inference_steps": case["steps"], "guidance_scale": case["guidance"],
             "output_type": "latent"}
    if "max_sequence_length" in case:
        given["max_sequence_length"] = case["max_sequence_length"]
    count = len(case["prompts"])
    if "class_labels" in taken:
        given["class_labels"] = [int(p) if p.isdigit() else pipeline.get_label_ids([p])[0] for p in case["prompts"]]
    else:
        given["prompt"] = case["prompts"]
        if case.get("negative_prompt") is not None:
            given["negative_prompt"] = [case["negative_prompt"]] * count
    if case.get("true_cfg", 1.0) > 1:
        given["true_cfg_scale"] = case["true_cfg"]
    if "clean_caption" in taken:
        given["clean_caption"] = given["use_resolution_binning"] = False
    if "output_type" in taken and "class_labels" in given:
        given["output_type"] = "np"
    return {key: value for key, value in given.items() if key in taken}


def count(name: str) -> dict:
    folder = GOLDEN / name
    case = json.loads((folder / "case.json").read_text())
    pipeline = DiffusionPipeline.from_pretrained(folder / "pipeline", torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    denoiser = getattr(pipeline, "unet", None) or pipeline.transformer
    counted = {"total": 0, "calls": 0}
    forward = denoiser.forward

    def watched(*args, **kwargs):
        # The fused attention of the CPU is an operation that the counter does not know; written out, it is two products.
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            result = forward(*args, **kwargs)
        counted["total"] += counter.get_total_flops()
        counted["calls"] += 1
        for operation, flops in counter.get_flop_counts()["Global"].items():
            kind = {"convolution": "convolution", "bmm": "attention"}.get(str(operation).removeprefix("aten."), "linear")
            counted[kind] = counted.get(kind, 0) + flops
        return result

    denoiser.forward = watched
    with torch.no_grad():
        pipeline(**arguments(pipeline, case))
    return counted


def make(out: Path) -> None:
    folder = out / "flops"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cases.json").write_text(json.dumps({name: count(name) for name in CASES}, indent=1) + "\n")


if __name__ == "__main__":
    make(GOLDEN)
