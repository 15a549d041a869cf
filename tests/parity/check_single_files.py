"""Single files of the published models' real shapes (SD 1.5, SD 2.1, SDXL): does quantspot-cli find every tensor that diffusers builds, and no other
size? The files hold no numbers (they are sparse), the configurations are read off the shapes. Not part of ctest: it needs diffusers.

Usage: check_single_files.py QUANTSPOT_CLI
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import diffusers
import torch
import transformers

import ldm_names

HERE = Path(__file__).parent
MODELS = {"stable-diffusion-v1-5": "sd_a", "stable-diffusion-2-1": "sd_b", "stable-diffusion-xl-base-1.0": "sdxl_a"}   # and whose tokenizers are lent


def build(config: dict) -> dict[str, torch.Tensor]:
    config = dict(config)
    name = config.pop("_class_name", None) or config["architectures"][0]
    with torch.device("meta"):
        model = getattr(diffusers, name).from_config(config) if hasattr(diffusers, name) else (cls := getattr(transformers, name))(cls.config_class(**config))
    return dict(model.named_parameters())


def single_file(parts: dict) -> tuple[dict[str, torch.Tensor], int]:
    tensors = {part: build(config) for part, config in parts.items() if part != "model_index"}
    # The engine reads the autoencoder's decoder only.
    count = sum(value.numel() for part in tensors.values() for name, value in part.items() if not (part is tensors["vae"] and name.startswith(("encoder.", "quant_conv."))))
    file = {f"model.diffusion_model.{name}": value for name, value in ldm_names.unet(tensors["unet"], parts["unet"]).items()}
    file |= {f"first_stage_model.{name}": value for name, value in ldm_names.vae(tensors["vae"], len(parts["vae"]["block_out_channels"])).items()}
    text = {f"text_model.{name.removeprefix('text_model.')}": value for name, value in tensors["text_encoder"].items()}
    if "text_encoder_2" in parts:
        file |= {f"conditioner.embedders.0.transformer.{name}": value for name, value in text.items()}
        file |= {f"conditioner.embedders.1.model.{name}": value for name, value in ldm_names.openclip(tensors["text_encoder_2"]).items()}
    elif parts["text_encoder"]["hidden_act"] == "gelu":
        last = parts["text_encoder"]["num_hidden_layers"]
        more = {name.replace(f"layers.{last - 1}.", f"layers.{last}."): value for name, value in text.items() if f"layers.{last - 1}." in name}
        file |= {f"cond_stage_model.model.{name}": value for name, value in ldm_names.openclip(text | more).items()}
    else:
        file |= {f"cond_stage_model.transformer.{name}": value for name, value in text.items()}
    return file, count


def write_sparse(tensors: dict[str, torch.Tensor], path: Path) -> None:
    header, offset = {}, 0
    for name, value in tensors.items():
        end = offset + 2 * value.numel()
        header[name] = {"dtype": "F16", "shape": list(value.shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + offset)


def main() -> int:
    configs = json.loads((HERE / "golden/manifest/configs.json").read_text())
    wrong = 0
    for name, donor in MODELS.items():
        if name not in configs:
            print(f"{name}: not in the manifest, left out")
            continue
        with tempfile.TemporaryDirectory() as folder:
            lent = Path(folder) / "lent"
            for tokenizer in (HERE / "golden" / donor / "pipeline").glob("tokenizer*"):
                shutil.copytree(tokenizer, lent / tokenizer.name)
            tensors, count = single_file(configs[name])
            write_sparse(tensors, Path(folder) / f"{name}.safetensors")
            done = subprocess.run([sys.argv[1], "inspect", "--model", str(Path(folder) / f"{name}.safetensors"), "--parts", str(lent), "--precision", "fp32", *sys.argv[2:]],
                                  capture_output=True, text=True)
            found = json.loads(done.stdout) if done.returncode == 0 else {"bytes": 0, "error": done.stderr}
            same = found["bytes"] == 4 * count
            wrong += not same
            print(f"{name}: {len(tensors)} tensors in the file; {count:,} parameters of diffusers, {found['bytes'] // 4:,} found", "" if same else found.get("error", "DIFFERENT"))
    return wrong


sys.exit(main())
