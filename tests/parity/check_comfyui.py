"""Renders our GGUF exports in ComfyUI with ComfyUI-GGUF, from the same noise, and compares with quantspot-cli's picture and latents.

check_comfyui.py --cli PATH/quantspot-cli --comfyui CHECKOUT --node PATH/ComfyUI-GGUF --python PYTHON --keep DIR
                 [--models sd,sdxl,flux] [--precisions gguf-q8_0,gguf-q4_0] [--size 128] [--guidance 7] [--more cpu-vae …]

--python has what ComfyUI's requirements.txt asks for. The server runs without a window on loopback with the CPU, draws by its own nodes (Unet
Loader (GGUF), CLIPLoader, CLIPTextEncode, KSampler, VAEDecode), and is asked through its HTTP interface. The pipelines are the random ones of
sdcpp_models.py, in real shapes; SDXL takes 20 GB of disk and 14 GB of memory. FLUX's T5 is left out: a node that is written here puts zeros in
its place, as that pipeline's own T5 gives.
Exit 1 when a tensor is missing there, or its latents lie further than --limit (relative, L2) from those that quantspot-cli draws in fp32 from the
same GGUF file: ComfyUI computes in fp32 on a CPU, our gguf-* in bf16.
"""

import argparse
import json
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import torch
from check_sdcpp import psnr, run
from safetensors.torch import load_file, save_file
from sdcpp_models import PROMPT, build

STEPS, SEED, NEGATIVE = 4, 7, "x y"
SCALE, FLUX_SCALE, FLUX_SHIFT = {"sd": 0.18215, "sd2": 0.18215, "sdxl": 0.13025}, 0.3611, 0.1159
SD_START = 14.614641229333639   # sigma of step 999: what diffusers' Euler multiplies the noise with; ComfyUI: the root of 1 + its square
COMPLAINTS = re.compile(r"missing|unexpected|lora key not|error", re.IGNORECASE)
# SD 1.5 has no projection; SD 2's encoder ends before its last layer, whose output ComfyUI does not take either.
NOTHING = re.compile(r"clip missing: \[('text_model\.encoder\.layers\.23\.[a-z0-9_.]+', )*'text_projection\.weight'\]$")
NODE = '''import torch


class WithoutT5:
    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"conditioning": ("CONDITIONING",)}}

    RETURN_TYPES, FUNCTION, CATEGORY = ("CONDITIONING",), "put", "quantspot"

    def put(self, conditioning):
        return ([[torch.zeros(1, 256, 4096), more] for _, more in conditioning],)


NODE_CLASS_MAPPINGS = {"WithoutT5": WithoutT5}
'''


class Server:
    """ComfyUI on loopback, with models, nodes, input and output in `base`."""

    def __init__(self, options: argparse.Namespace, base: Path) -> None:
        self.base, self.address = base, f"http://127.0.0.1:{options.port}"
        for place in ("models/unet", "models/text_encoders", "models/vae", "custom_nodes/without_t5", "input", "output"):
            (base / place).mkdir(parents=True, exist_ok=True)
        (base / "custom_nodes/without_t5/__init__.py").write_text(NODE)
        self.link("custom_nodes/ComfyUI-GGUF", options.node)
        self.log = (base / "server.log").open("w")
        command = [options.python, options.comfyui / "main.py", "--cpu", "--listen", "127.0.0.1", "--port", options.port, "--base-directory", base,
                   "--fp32-text-enc", "--disable-auto-launch", "--disable-api-nodes", "--disable-metadata", *options.more]
        self.process = subprocess.Popen([str(part) for part in command], stdout=self.log, stderr=subprocess.STDOUT)
        for _ in range(600):
            time.sleep(0.5)
            if self.process.poll() is not None:
                raise RuntimeError(f"ComfyUI did not start: {self.said()[-500:]}")
            try:
                return self.ask("/system_stats") and None
            except (urllib.error.URLError, ConnectionError):
                pass
        raise RuntimeError("ComfyUI did not answer in five minutes")

    def link(self, place: str, target: Path) -> str:
        path = self.base / place
        path.unlink(missing_ok=True)
        path.symlink_to(target.resolve())
        return path.name

    def said(self) -> str:
        self.log.flush()
        return (self.base / "server.log").read_text(errors="replace")

    def ask(self, path: str, body: dict | None = None) -> dict:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.address + path, data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"ComfyUI refuses: {error.read().decode()[:500]}") from None

    def draw(self, graph: dict) -> dict:
        number = self.ask("/prompt", {"prompt": graph})["prompt_id"]
        while number not in (history := self.ask(f"/history/{number}")):
            time.sleep(1)
        if history[number]["status"]["status_str"] != "success":
            raise RuntimeError(f"ComfyUI: {json.dumps(history[number]['status'])[-500:]}")
        return history[number]["outputs"]

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.log.close()


def node(kind: str, **inputs: object) -> dict:
    return {"class_type": kind, "inputs": inputs}


def graph(model: str, files: dict[str, str], options: argparse.Namespace, latent: str) -> dict:
    """What a user would wire. SD starts from the noise as a latent, for ComfyUI would scale its own 0.2 % more; FLUX's own noise is ours."""
    nodes = {"unet": node("UnetLoaderGGUF", unet_name=files["unet"]), "vae": node("VAELoader", vae_name=files["vae"]),
             "clip": node("CLIPLoader", clip_name=files["clip"], type="stable_diffusion") if model != "sdxl" else
             node("DualCLIPLoader", clip_name1=files["clip"], clip_name2=files["clip_2"], type="sdxl"),
             "words": node("CLIPTextEncode", clip=["clip", 0], text=PROMPT), "against": node("CLIPTextEncode", clip=["clip", 0], text=NEGATIVE)}
    common = dict(steps=STEPS, sampler_name="euler")
    if model == "flux":
        nodes |= {"zeros": node("WithoutT5", conditioning=["words", 0]), "guided": node("FluxGuidance", conditioning=["zeros", 0], guidance=3.5),
                  "shift": node("ModelSamplingFlux", model=["unet", 0], max_shift=0.0, base_shift=0.0, width=options.size, height=options.size),
                  "start": node("EmptySD3LatentImage", width=options.size, height=options.size, batch_size=1),
                  "drawn": node("KSampler", model=["shift", 0], seed=SEED, cfg=1.0, scheduler="simple", positive=["guided", 0],
                                negative=["guided", 0], latent_image=["start", 0], denoise=1.0, **common)}
    else:
        nodes |= {"start": node("LoadLatent", latent=latent),
                  "drawn": node("KSamplerAdvanced", model=["unet", 0], add_noise="disable", noise_seed=SEED, cfg=options.guidance, scheduler="normal",
                                positive=["words", 0], negative=["against", 0], latent_image=["start", 0], start_at_step=0, end_at_step=10000,
                                return_with_leftover_noise="disable", **common)}
    return nodes | {"kept": node("SaveLatent", samples=["drawn", 0], filename_prefix="latent"),
                    "decoded": node("VAEDecode", samples=["drawn", 0], vae=["vae", 0]),
                    "saved": node("SaveImage", images=["decoded", 0], filename_prefix="picture")}


def ours(options: argparse.Namespace, model: str, precision: str, folder: Path, denoiser: Path | None = None) -> tuple[Path, torch.Tensor]:
    """As it was judged; with `denoiser`, that GGUF's weights in fp32 arithmetic."""
    name = f"{model}-{precision}" + ("-fp32" if denoiser else "")
    picture, latents = folder / f"{name}.png", folder / f"{name}.safetensors"
    if not latents.exists():
        source = ["--model", denoiser, "--parts", folder / model] if denoiser else ["--model", folder / model]
        run(options.cli, "generate", *source, *recipe(options, model), "--precision", "fp32" if denoiser else precision, "--no-cache",
            "--out", picture, "--latents-out", latents)
    (found,) = load_file(latents).values()
    return picture, found.float()


def recipe(options: argparse.Namespace, model: str) -> list[object]:
    words = ["--prompt", PROMPT, "--seed", SEED, "--steps", STEPS, "--width", options.size, "--height", options.size]
    if model == "flux":
        return [*words, "--guidance", 3.5, "--max-sequence-length", 256]
    return [*words, "--guidance", options.guidance, "--negative-prompt", NEGATIVE]


def in_model_space(model: str, latent: torch.Tensor) -> torch.Tensor:
    """ComfyUI keeps latents as the autoencoder takes them; ours are as the denoiser gives them, FLUX's in pieces of 2 x 2."""
    if model != "flux":
        return latent * SCALE[model]
    latent = (latent - FLUX_SHIFT) * FLUX_SCALE
    _, channels, height, width = latent.shape
    pieces = latent.reshape(channels, height // 2, 2, width // 2, 2).permute(1, 3, 0, 2, 4)
    return pieces.reshape(1, height * width // 4, channels * 4)


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one.reshape(-1) - other.reshape(-1)).norm() / other.norm())


def compare(options: argparse.Namespace, server: Server, model: str, precision: str, folder: Path) -> str:
    export = folder / f"{model}-{precision}"
    if not (export / "manifest.json").exists():
        run(options.cli, "export", "--model", folder / model, *recipe(options, model), "--precision", precision, "--out", export, "--force")
    (denoiser,) = export.glob("*.gguf")
    picture, latents = ours(options, model, precision, folder)
    exact_picture, exact = ours(options, model, precision, folder, denoiser)
    noise = torch.randn(1, 4, options.size // 8, options.size // 8, generator=torch.Generator().manual_seed(SEED))
    start = {} if model == "flux" else {"latent_tensor": noise * SD_START / SCALE[model]}
    save_file(start | {"latent_format_version_0": torch.zeros(0)}, server.base / f"input/{model}.latent")
    pipeline = export / "pipeline"
    files = {"unet": server.link(f"models/unet/{model}-{precision}.gguf", denoiser),
             "clip": server.link(f"models/text_encoders/{model}.safetensors", pipeline / "text_encoder/model.safetensors"),
             "vae": server.link(f"models/vae/{model}.safetensors", pipeline / "vae/diffusion_pytorch_model.safetensors")}
    if model == "sdxl":
        files["clip_2"] = server.link("models/text_encoders/sdxl-2.safetensors", pipeline / "text_encoder_2/model.safetensors")
    before = len(server.said())
    made = server.draw(graph(model, files, options, f"{model}.latent"))
    for line in server.said()[before:].splitlines():
        if COMPLAINTS.search(line) and not NOTHING.search(line):
            return f"{model:5} {precision:12} FAILED: {line.strip()[:300]}"
    kept, saved = made["kept"]["latents"][0]["filename"], made["saved"]["images"][0]["filename"]
    theirs = in_model_space(model, load_file(server.base / "output" / kept)["latent_tensor"].float())
    shutil.copy(server.base / "output" / saved, folder / f"{model}-{precision}-comfyui.png")
    image, own, far = server.base / "output" / saved, distance(latents, exact), distance(theirs, exact)
    line = f"{model:5} {precision:12} from the same weights in fp32: ComfyUI's latents {far:.1e}, picture {psnr(image, exact_picture):.1f} dB; "
    line += f"ours {own:.1e}, {psnr(picture, exact_picture):.1f} dB; ComfyUI's from ours {distance(theirs, latents):.1e}, "
    line += f"{psnr(image, picture):.1f} dB"
    return line if far <= options.limit else line + "  TOO FAR"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("cli", "python"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("comfyui", "node", "keep"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--models", default="sd,sdxl,flux")
    parser.add_argument("--precisions", default="gguf-q8_0,gguf-q4_0")
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--guidance", type=float, default=7)
    parser.add_argument("--limit", type=float, default=0.002)
    parser.add_argument("--port", type=int, default=8199)
    parser.add_argument("--more", nargs="*", default=[], help="further options of ComfyUI, without their two dashes")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))   # with the server
    options.more = [f"--{one}" for one in options.more]
    options.keep.mkdir(parents=True, exist_ok=True)
    server, failed = Server(options, options.keep.resolve() / "comfyui"), 0
    try:
        for model in options.models.split(","):
            if not (options.keep / model / "model_index.json").exists():
                build(model, options.keep / model, options.size)
            for precision in options.precisions.split(","):
                try:
                    line = compare(options, server, model, precision, options.keep)
                except (RuntimeError, ValueError) as error:
                    line = f"{model:5} {precision:12} FAILED: {error}"
                failed += "FAILED" in line or "TOO FAR" in line
                print(line, flush=True)
    finally:
        server.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
