"""Writes the trained pipeline in diffusers form, bfloat16, into the folder of the embedded model; refuses one that is too large."""
import argparse
import json
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderTiny, FlowMatchEulerDiscreteScheduler, FluxPipeline
from transformers import CLIPModel, CLIPTextModel, CLIPTokenizer

import emoji
import words
from flux import Networks
from vocabulary import TOKENS
from workplace import load_checkpoint, work_dir

LIMIT = 30_000_000  # bytes of all that the program reads, pictures of the model card included


def averaged(checkpoint: dict, source: Path | None) -> Networks:
    """The networks with the checkpoint's averaged weights and the pipeline's T5."""
    networks = Networks(None, False, source)
    with torch.no_grad():
        torch._foreach_copy_([parameter for _, parameter in networks.named()], checkpoint["optimizer"]["ema"])
    return networks


def write_model_index(target: Path) -> None:
    """With quantspot.json (how long T5's text is) and, for people, names.txt: every thing that captions name."""
    parts = dict(text_encoder=["transformers", "CLIPTextModel"], tokenizer=["transformers", "CLIPTokenizer"],
                 text_encoder_2=["transformers", "T5EncoderModel"], tokenizer_2=["transformers", "T5Tokenizer"],
                 transformer=["diffusers", "FluxTransformer2DModel"], vae=["diffusers", "AutoencoderTiny"],
                 scheduler=["diffusers", "FlowMatchEulerDiscreteScheduler"], feature_extractor=[None, None], image_encoder=[None, None])
    (target / "model_index.json").write_text(json.dumps({"_class_name": "FluxPipeline"} | parts, indent=2) + "\n")
    (target / "names.txt").write_text("\n".join(map(words.with_article, emoji.table())) + "\n")
    (target / "quantspot.json").write_text(json.dumps({"max_sequence_length": TOKENS}) + "\n")


def write(source: Path, target: Path, checkpoint: dict) -> None:
    """Every folder of the pipeline. The small CLIP keeps its tokenizer as tokenizer.json, the other form that the engine reads."""
    target.mkdir(parents=True, exist_ok=True)
    networks = averaged(checkpoint, source)
    networks.net.save_pretrained(target / "transformer")
    networks.t5.save_pretrained(target / "text_encoder_2")
    CLIPTextModel.from_pretrained(source / "text_encoder", dtype=torch.bfloat16).save_pretrained(target / "text_encoder")
    CLIPModel.from_pretrained(source / "clip_score", dtype=torch.bfloat16).save_pretrained(target / "clip_score")
    CLIPTokenizer.from_pretrained(source / "tokenizer").save_pretrained(target / "clip_score")
    AutoencoderTiny.from_pretrained(source / "vae", torch_dtype=torch.bfloat16).save_pretrained(target / "vae")
    for name in ("tokenizer", "tokenizer_2"):
        shutil.copytree(source / name, target / name, dirs_exist_ok=True)
    FlowMatchEulerDiscreteScheduler(shift=1.0).save_pretrained(target / "scheduler")
    write_model_index(target)


def forget_paths(target: Path) -> None:
    """Configurations remember the folder that they were loaded from: nothing for others to read."""
    for file in target.glob("*/config.json"):
        config = json.loads(file.read_text())
        config.pop("_name_or_path", None)
        file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def size_of(target: Path) -> int:
    """Bytes of the model, without its trainer."""
    return sum(f.stat().st_size for f in target.rglob("*") if f.is_file() and "train" not in f.relative_to(target).parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipeline", type=Path, required=True, help="the folder that the stages have filled")
    parser.add_argument("--target", type=Path, required=True)
    arguments = parser.parse_args()
    checkpoint = load_checkpoint(work_dir() / "flux.pt")
    if checkpoint is None:
        raise SystemExit(f"{work_dir() / 'flux.pt'}: no checkpoint; run train.sh first")
    write(arguments.pipeline, arguments.target, checkpoint)
    forget_paths(arguments.target)
    FluxPipeline.from_pretrained(arguments.target, torch_dtype=torch.bfloat16)
    size = size_of(arguments.target)
    print(f"{arguments.target}: {size} bytes")
    if size > LIMIT:
        raise SystemExit(f"{arguments.target}: {size} bytes, over {LIMIT}; make a network smaller in flux.py, clip.py or autoencoder.py")


if __name__ == "__main__":
    main()
