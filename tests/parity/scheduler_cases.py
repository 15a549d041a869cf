"""Group: schedulers. What diffusers' schedulers do with a made-up model, at odd step counts."""

import inspect
import json
from pathlib import Path
from unittest.mock import patch

import diffusers
import torch
from safetensors.torch import save_file

STEPS = (1, 2, 3, 7, 20, 50)
SHAPE = (2, 2, 1, 2)
SD = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
ZERO_SNR = {**SD, "rescale_betas_zero_snr": True, "timestep_spacing": "trailing", "prediction_type": "v_prediction"}
CLASSES = {"flow-match-euler": "FlowMatchEulerDiscrete", "flow-match-heun": "FlowMatchHeunDiscrete", "ddim": "DDIM", "ddpm": "DDPM", "pndm": "PNDM",
           "euler": "EulerDiscrete", "euler-ancestral": "EulerAncestralDiscrete", "heun": "HeunDiscrete",
           "dpmpp-2m": "DPMSolverMultistep", "unipc": "UniPCMultistep", "lcm": "LCM"}
OVERRIDES = {"dpmpp-2m-karras": {"use_karras_sigmas": True}, "dpmpp-2m-sde": {"algorithm_type": "sde-dpmsolver++"}}

# id: rows of settings; "tokens" is FLUX's number of packed image tokens.
DIRECT = {
    "flow-match-euler": [{}, {"shift": 3.0}, {"shift": 2.0, "use_karras_sigmas": True}, {"use_exponential_sigmas": True}, {"shift": 3.0, "use_beta_sigmas": True},
                         {"shift_terminal": 0.1}, {"invert_sigmas": True, "shift": 1.5}, {"stochastic_sampling": True, "shift": 3.0},
                         {"use_dynamic_shifting": True, "tokens": 1024}, {"shift": 3.0, "tokens": 64}, {"num_train_timesteps": 500, "shift": 1.7},
                         {"use_dynamic_shifting": True, "time_shift_type": "linear", "max_shift": 1.7, "tokens": 300, "shift_terminal": 0.02}],
    "flow-match-heun": [{}, {"shift": 3.0}, {"num_train_timesteps": 400, "shift": 0.5}],
    "ddim": [{}, {**SD, "clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1}, ZERO_SNR, {"prediction_type": "sample", "timestep_spacing": "linspace"},
             {"beta_schedule": "squaredcos_cap_v2", "thresholding": True, "sample_max_value": 1.5}, {"clip_sample_range": 0.4, "timestep_spacing": "trailing"},
             {"num_train_timesteps": 60, "trained_betas": [0.001 + 0.0005 * i for i in range(60)]}],
    "ddpm": [{}, {"variance_type": "fixed_small_log"}, {"variance_type": "fixed_large", **SD}, {"variance_type": "learned"}, {"variance_type": "learned_range"},
             {"prediction_type": "v_prediction", "timestep_spacing": "trailing", "clip_sample": False}, {"prediction_type": "sample", "timestep_spacing": "linspace"},
             {"beta_schedule": "squaredcos_cap_v2", "thresholding": True}, {"steps_offset": 1, "rescale_betas_zero_snr": True}],
    "pndm": [{**SD, "skip_prk_steps": True, "steps_offset": 1}, {}, {**SD, "skip_prk_steps": True, "prediction_type": "v_prediction", "timestep_spacing": "trailing"},
             {"timestep_spacing": "linspace", "set_alpha_to_one": True}, {"skip_prk_steps": True, "timestep_spacing": "linspace"}],
    "euler": [{**SD, "timestep_spacing": "leading", "steps_offset": 1}, SD, {**SD, "timestep_spacing": "trailing"}, {**SD, "use_karras_sigmas": True},
              {**SD, "use_exponential_sigmas": True}, {**SD, "use_beta_sigmas": True}, {**SD, "interpolation_type": "log_linear"}, ZERO_SNR,
              {**SD, "prediction_type": "v_prediction", "timestep_type": "continuous", "use_karras_sigmas": True, "sigma_min": 0.002, "sigma_max": 80.0},
              {"prediction_type": "sample", "final_sigmas_type": "sigma_min"}, {"beta_schedule": "squaredcos_cap_v2"}],
    "euler-ancestral": [SD, {**SD, "timestep_spacing": "leading", "steps_offset": 1}, ZERO_SNR, {}],
    "dpmpp-2m": [SD, {**SD, "solver_order": 1}, {**SD, "solver_order": 3}, {**SD, "solver_type": "heun"}, {**SD, "algorithm_type": "sde-dpmsolver++"},
                 {**SD, "algorithm_type": "sde-dpmsolver++", "solver_type": "heun", "euler_at_final": True, "final_sigmas_type": "sigma_min"},
                 {**SD, "algorithm_type": "sde-dpmsolver++", "solver_order": 3}, {**SD, "algorithm_type": "sde-dpmsolver++", "solver_order": 1},
                 {**SD, "use_karras_sigmas": True}, {**SD, "use_exponential_sigmas": True}, {**SD, "use_lu_lambdas": True}, {**SD, "use_beta_sigmas": True},
                 {**SD, "final_sigmas_type": "sigma_min", "lower_order_final": False}, {**SD, "timestep_spacing": "leading", "steps_offset": 1},
                 {**SD, "timestep_spacing": "trailing"}, ZERO_SNR, {"prediction_type": "sample"}, {**SD, "thresholding": True},
                 {"beta_schedule": "squaredcos_cap_v2", "lambda_min_clipped": -5.1, "use_karras_sigmas": True}, {"beta_schedule": "squaredcos_cap_v2", "lambda_min_clipped": -5.1},
                 {"use_flow_sigmas": True, "flow_shift": 3.0, "prediction_type": "flow_prediction"},
                 {"use_flow_sigmas": True, "flow_shift": 3.0, "prediction_type": "flow_prediction", "algorithm_type": "sde-dpmsolver++"},
                 {**SD, "algorithm_type": "dpmsolver", "final_sigmas_type": "sigma_min", "solver_order": 3},
                 {**SD, "algorithm_type": "dpmsolver", "final_sigmas_type": "sigma_min", "solver_type": "heun", "prediction_type": "v_prediction"},
                 {**SD, "algorithm_type": "dpmsolver", "final_sigmas_type": "sigma_min", "thresholding": True},
                 {**SD, "algorithm_type": "sde-dpmsolver", "final_sigmas_type": "sigma_min", "prediction_type": "sample"},
                 {**SD, "algorithm_type": "sde-dpmsolver", "final_sigmas_type": "sigma_min", "solver_type": "heun"}],
    "unipc": [SD, {**SD, "solver_order": 1}, {**SD, "solver_order": 3}, {**SD, "solver_type": "bh1", "final_sigmas_type": "sigma_min", "solver_order": 3},
              {**SD, "predict_x0": False, "final_sigmas_type": "sigma_min"}, {**SD, "use_karras_sigmas": True, "final_sigmas_type": "sigma_min"},
              {**SD, "use_exponential_sigmas": True}, {**SD, "use_beta_sigmas": True}, {**SD, "disable_corrector": [0, 2]},
              {"use_flow_sigmas": True, "flow_shift": 3.0, "prediction_type": "flow_prediction"}, {**SD, "timestep_spacing": "leading", "steps_offset": 1},
              {"use_flow_sigmas": True, "use_karras_sigmas": True, "prediction_type": "flow_prediction"},
              {"use_flow_sigmas": True, "shift_terminal": 0.05, "prediction_type": "flow_prediction", "final_sigmas_type": "sigma_min"},
              {**SD, "lower_order_final": False, "final_sigmas_type": "sigma_min"}, ZERO_SNR, {"prediction_type": "sample", "thresholding": True},
              {"use_flow_sigmas": True, "use_dynamic_shifting": True, "prediction_type": "flow_prediction", "tokens": 640}],
    "lcm": [{}, {"clip_sample": True, "original_inference_steps": 25}, {"prediction_type": "v_prediction", "timestep_scaling": 5.0}, {"thresholding": True},
            {"prediction_type": "sample", "set_alpha_to_one": False, "rescale_betas_zero_snr": True}],
}
HEUN = [{**SD, "steps_offset": 1, "timestep_spacing": "leading"}, {}, {**SD, "use_karras_sigmas": True}, {**SD, "use_exponential_sigmas": True},
        {**SD, "use_beta_sigmas": True}, {**SD, "timestep_spacing": "trailing", "prediction_type": "v_prediction"}, {"beta_schedule": "exp"},
        {"beta_schedule": "squaredcos_cap_v2", "prediction_type": "sample", "clip_sample": True, "clip_sample_range": 0.7}]
HEUN_REUSED = [("heun", "EulerDiscrete", {**ZERO_SNR, "use_karras_sigmas": True, "sigma_min": 0.03}), ("heun", "DDIM", {**SD, "thresholding": True})]
# id, class whose configuration it takes over, that one's settings
REUSED = [("unipc", "PNDM", {**SD, "skip_prk_steps": True, "steps_offset": 1}), ("dpmpp-2m-karras", "EulerDiscrete", {**SD, "timestep_spacing": "leading", "sigma_min": 0.05}),
          ("dpmpp-2m-sde", "DDIM", {**SD, "clip_sample": False, "steps_offset": 1}), ("euler", "DPMSolverMultistep", {**SD, "use_lu_lambdas": True}),
          ("lcm", "PNDM", SD), ("ddim", "LCM", {}), ("euler-ancestral", "UniPCMultistep", {**SD, "timestep_spacing": "trailing"}),
          ("pndm", "DDIM", ZERO_SNR), ("flow-match-heun", "FlowMatchEulerDiscrete", {"shift": 3.0, "use_dynamic_shifting": True}), ("ddpm", "EulerDiscrete", SD)]


def draw(count: int, seed: int) -> torch.Tensor:
    return torch.randn((count, *SHAPE), generator=torch.Generator().manual_seed(seed))


OUTPUTS, NOISES, START = draw(100, 80), draw(100, 81), draw(1, 82)[0]


class Draws:
    """Takes the place of randn_tensor: the rows of NOISES, one after another."""

    def __init__(self):
        self.count = 0

    def __call__(self, shape, generator=None, device=None, dtype=None, layout=None):
        self.count += 1
        return NOISES[self.count - 1].to(dtype)


def set_timesteps(scheduler, steps: int, tokens: int) -> None:
    keys = inspect.signature(scheduler.set_timesteps).parameters
    extra = {}
    if tokens and isinstance(scheduler, diffusers.FlowMatchEulerDiscreteScheduler):
        extra["sigmas"] = [1 - i * ((1 - 1 / steps) / max(steps - 1, 1)) for i in range(steps - 1)] + [1 / steps]
    if tokens and scheduler.config.get("use_dynamic_shifting") and "mu" in keys:
        c = scheduler.config
        slope = (c.get("max_shift", 1.15) - c.get("base_shift", 0.5)) / (c.get("max_image_seq_len", 4096) - c.get("base_image_seq_len", 256))
        extra["mu"] = tokens * slope + (c.get("base_shift", 0.5) - slope * c.get("base_image_seq_len", 256))
    if "sigmas" in extra:
        scheduler.set_timesteps(sigmas=extra.pop("sigmas"), **extra)
    else:
        scheduler.set_timesteps(steps, **extra)


def noised(scheduler, call: int, dtype: torch.dtype) -> torch.Tensor:
    """The start as it would be at a call, before anything else is done with the scheduler."""
    original, noise, timestep = START.to(dtype), NOISES[99].to(dtype), scheduler.timesteps[call:call + 1].repeat(SHAPE[0])
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(call)
    if isinstance(scheduler, diffusers.FlowMatchHeunDiscreteScheduler):
        return scheduler.scale_noise(original, timestep[:1], noise)
    return scheduler.scale_noise(original, timestep, noise) if hasattr(scheduler, "scale_noise") else scheduler.add_noise(original, noise, timestep)


def run(make, steps: int, tokens: int, learned: bool, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    scheduler = make()
    set_timesteps(scheduler, steps, tokens)
    if not torch.isfinite(getattr(scheduler, "sigmas", torch.zeros(1))).all():
        raise ValueError("sigmas are no numbers")
    middle = noised(scheduler, len(scheduler.timesteps) // 2, dtype)
    scheduler = make()
    set_timesteps(scheduler, steps, tokens)
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(0)
    start = getattr(scheduler, "init_noise_sigma", 1.0)
    sample, samples, draws = START.to(dtype) * start, [], Draws()
    for call, timestep in enumerate(scheduler.timesteps):
        seen = scheduler.scale_model_input(sample, timestep) if hasattr(scheduler, "scale_model_input") else sample
        output = OUTPUTS[call].to(dtype) + 0.25 * seen
        if learned:
            output = torch.cat([output, OUTPUTS[call].to(dtype).abs() * 0.5], 1)
        with patch.object(inspect.getmodule(type(scheduler)), "randn_tensor", draws, create=True):
            sample = scheduler.step(output, timestep, sample).prev_sample
        samples.append(sample)
    made = {"timesteps": scheduler.timesteps.double(), "samples": torch.stack(samples), "noised": middle.unsqueeze(0),
            "start": torch.as_tensor(start, dtype=torch.float32).reshape(1)}
    works_on_alphas = type(scheduler).__name__[:4] in ("DDIM", "DDPM", "PNDM", "LCMS")
    return made if works_on_alphas else {**made, "sigmas": scheduler.sigmas.float()}


def rows(direct: dict = DIRECT, reused: list = REUSED):
    for key, settings in direct.items():
        for i, row in enumerate(settings):
            row = dict(row)
            tokens = row.pop("tokens", 0)
            source = getattr(diffusers, CLASSES[key] + "Scheduler")(**row)
            yield f"{key}_{i}", "" if i % 2 else key, source, tokens
    for key, name, row in reused:
        yield f"{key}_of_{name}", key, getattr(diffusers, name + "Scheduler")(**row), 0


def make(golden: Path) -> None:
    write(golden / "schedulers", rows(), {"outputs": OUTPUTS, "noises": NOISES, "start": START})
    write(golden / "schedulers" / "heun", rows({"heun": HEUN}, HEUN_REUSED), {})


def write(folder: Path, listed, tensors: dict[str, torch.Tensor]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    cases = []
    for name, key, source, tokens in listed:
        kind = type(source) if not key else getattr(diffusers, CLASSES[{"dpmpp-2m-karras": "dpmpp-2m", "dpmpp-2m-sde": "dpmpp-2m"}.get(key, key)] + "Scheduler")

        def build(kind=kind, config=json.loads(source.to_json_string()), key=key):
            return kind.from_config(config, **OVERRIDES.get(key, {}))
        learned = source.config.get("variance_type") in ("learned", "learned_range") and kind is diffusers.DDPMScheduler
        case = {"name": name, "id": key, "config": source.to_json_string(), "tokens": tokens, "learned": learned, "runs": [], "refused": []}
        parts: dict[str, list[torch.Tensor]] = {}
        for steps, dtype in [(s, torch.float32) for s in STEPS] + [(7, torch.bfloat16)]:
            try:
                made = run(build, steps, tokens, learned, dtype)
            except (ValueError, IndexError) as error:
                print(f"{name}, {steps} steps: {error}")
                if dtype is torch.float32:
                    case["refused"].append(steps)
                continue
            case["runs"].append({"steps": steps, "bf16": dtype is torch.bfloat16, "calls": len(made["timesteps"])} | ({"sigmas": len(made["sigmas"])} if "sigmas" in made else {}))
            for part, value in made.items():
                parts.setdefault(part, []).append(value if part == "timesteps" else value.float())
        tensors |= {f"{name}.{part}": torch.cat(values) for part, values in parts.items()}
        cases.append(case)
    save_file({key: value.contiguous().clone() for key, value in tensors.items()}, folder / "expected.safetensors")
    (folder / "cases.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")
    print(f"{folder.name}: {len(cases)} cases, {sum(len(c['runs']) for c in cases)} runs")
