"""Group: the public configurations of real models (golden/manifest/configs.json), and the names and shapes that the references build of them."""

import hashlib
import json
from pathlib import Path

import diffusers
import torch
import transformers


def parameters(config: dict) -> list[tuple[str, list[int]]]:
    """Every parameter of the class that the configuration names, and every buffer that its files hold, without memory."""
    config = dict(config)
    name = config.pop("_class_name", None) or config["architectures"][0]
    with torch.device("meta"):
        if hasattr(diffusers, name):
            model = getattr(diffusers, name).from_config(config)
        else:
            cls = getattr(transformers, name)
            model = cls(cls.config_class(**config))
    stored = model.state_dict()
    return [(key, list(value.shape)) for key, value in [*model.named_parameters(), *(row for row in model.named_buffers() if row[0] in stored)]]


def block(name: str) -> str:
    """The part of a model that a difference is reported for: "down_blocks.0", "encoder.layers.3"."""
    words = name.split(".")
    number = next((index for index, word in enumerate(words) if word.isdigit()), None)
    return ".".join(words[: number + 1] if number is not None else words[:1])


def digest(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]


def summary(config: dict) -> dict:
    blocks: dict[str, list[str]] = {}
    total = 0
    for name, shape in parameters(config):
        blocks.setdefault(block(name), []).append(f"{name} {','.join(map(str, shape))}")
        total += torch.Size(shape).numel()
    return {"parameters": total, "tensors": sum(map(len, blocks.values())),
            "blocks": {name: [len(lines), digest(lines)] for name, lines in sorted(blocks.items())}}


def make(golden: Path) -> None:
    folder = golden / "manifest"
    configs = json.loads((folder / "configs.json").read_text())
    known: dict[str, dict] = {}   # models share parts
    expected = {}
    for model, parts in configs.items():
        expected[model] = {}
        for part, config in parts.items():
            if part == "model_index":
                continue
            key = json.dumps(config, sort_keys=True)
            if key not in known:
                known[key] = summary(config)
            expected[model][part] = known[key]
            print(f"manifest: {model} {part}: {known[key]['parameters']:,} parameters in {known[key]['tensors']} tensors")
    lines = [f' {json.dumps(model)}: {{\n' + ",\n".join(f"  {json.dumps(part)}: {json.dumps(value)}" for part, value in parts.items()) + "}"
             for model, parts in expected.items()]
    (folder / "expected.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
