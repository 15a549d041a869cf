"""Writes the trained pipeline in diffusers form, bfloat16, with a CLIP vocabulary cut to what the emoji names use."""
import argparse
import json
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderTiny, FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel
from transformers import CLIPModel, CLIPTextModel, CLIPTokenizer, T5EncoderModel, T5Tokenizer

import vocabulary

LIMIT = 30_000_000  # bytes of the whole folder


def averaged(work: Path, net: FluxTransformer2DModel, t5: T5EncoderModel) -> None:
    """Puts the checkpoint's EMA into the two trained models, in the order in which flux.py lists their parameters."""
    stored = torch.load(work / "flux.pt")
    parameters = [p for model in (net, t5) for p in model.parameters()]
    with torch.no_grad():
        torch._foreach_copy_(parameters, stored["optimizer"]["ema"])


def cut_embedding(table: torch.nn.Embedding, rows: list[int]) -> torch.nn.Embedding:
    return torch.nn.Embedding.from_pretrained(table.weight.detach()[rows].clone())


def cut_text_model(model, rows: list[int], special: dict) -> None:
    """Keeps only the chosen rows of the token embedding; the ids of the special tokens move with them."""
    text = getattr(model, "text_model", model)
    text.embeddings.token_embedding = cut_embedding(text.embeddings.token_embedding, rows)
    config = getattr(model.config, "text_config", model.config)
    config.update(special | {"vocab_size": len(rows)})
    text.config.update(special | {"vocab_size": len(rows)})
    if hasattr(text, "eos_token_id"):
        text.eos_token_id = special["eos_token_id"]


def write_clip(source: Path, target: Path, probe: list[str]) -> None:
    """Both CLIP parts with a pruned vocabulary; checks that every probe caption keeps its pooled features."""
    old_tokenizer = CLIPTokenizer.from_pretrained(source / "tokenizer")
    merges = (source / "tokenizer/merges.txt").read_text().split("\n")[1:-1]
    vocabulary.write_clip(target / "tokenizer", vocabulary.prune(merges))
    tokenizer = CLIPTokenizer.from_pretrained(target / "tokenizer")
    rows = [old_tokenizer.get_vocab()[piece] for piece, _ in sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])]
    special = dict(bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)
    text = CLIPTextModel.from_pretrained(source / "text_encoder", dtype=torch.bfloat16).float().eval()
    before = pooled(text, old_tokenizer, probe)
    cut_text_model(text, rows, special)
    text.bfloat16().save_pretrained(target / "text_encoder")
    after = pooled(CLIPTextModel.from_pretrained(target / "text_encoder", dtype=torch.float32).eval(), tokenizer, probe)
    if (before - after).abs().max() > 1e-4:
        raise RuntimeError(f"text_encoder: pruning changed the features by {(before - after).abs().max():.2g}; check vocabulary.prune")
    score = CLIPModel.from_pretrained(source / "clip_score", dtype=torch.float32)
    cut_text_model(score, rows, special)
    score.bfloat16().save_pretrained(target / "clip_score")
    tokenizer.save_pretrained(target / "clip_score")  # tokenizer.json: the other form that the engine reads


@torch.no_grad()
def pooled(model, tokenizer, captions: list[str]) -> torch.Tensor:
    ids = tokenizer(captions, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
    return model(ids).pooler_output


def write_rest(source: Path, work: Path, target: Path) -> None:
    net = FluxTransformer2DModel.from_pretrained(source / "transformer", torch_dtype=torch.float32)
    t5 = T5EncoderModel.from_pretrained(source / "text_encoder_2", dtype=torch.float32)
    averaged(work, net, t5)
    net.bfloat16().save_pretrained(target / "transformer")
    t5.bfloat16().save_pretrained(target / "text_encoder_2")
    AutoencoderTiny.from_pretrained(source / "vae", torch_dtype=torch.bfloat16).save_pretrained(target / "vae")
    T5Tokenizer.from_pretrained(source / "tokenizer_2").save_pretrained(target / "tokenizer_2")
    shutil.copy(source / "tokenizer_2/spiece.model", target / "tokenizer_2/spiece.model")
    (target / "tokenizer_2/tokenizer.json").unlink()
    FlowMatchEulerDiscreteScheduler(shift=1.0).save_pretrained(target / "scheduler")
    shutil.copy(source / "model_index.json", target / "model_index.json")


def forget_paths(target: Path) -> None:
    """Configurations remember the folder that they were loaded from: nothing for others to read."""
    for file in target.glob("*/config.json"):
        config = json.loads(file.read_text())
        config.pop("_name_or_path", None)
        file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipeline", type=Path, required=True, help="the folder that flux.py trained on")
    parser.add_argument("--work", type=Path, required=True, help="where flux.pt lies")
    parser.add_argument("--target", type=Path, required=True)
    arguments = parser.parse_args()
    prompts = (Path(__file__).parents[1] / "prompts.txt").read_text().splitlines()
    write_clip(arguments.pipeline, arguments.target, prompts)
    write_rest(arguments.pipeline, arguments.work, arguments.target)
    forget_paths(arguments.target)
    FluxPipeline.from_pretrained(arguments.target, torch_dtype=torch.bfloat16)
    size = sum(f.stat().st_size for f in arguments.target.rglob("*") if f.is_file() and "__pycache__" not in f.parts)
    print(f"{arguments.target}: {size} bytes")
    if size > LIMIT:
        raise SystemExit(f"{arguments.target}: {size} bytes, over {LIMIT}; drop a block or cut the vocabulary")
