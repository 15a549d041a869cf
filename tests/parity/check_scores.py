"""Scores of whole folders against the reference packages: check_scores.py --cli PATH/quantspot-cli [--count 12] [--cmmd PATH]

Makes pictures, weight files of random weights in every form (safetensors, both kinds of .pth, TorchScript under the names of
inception-2015-12-05.pt, lpips' own lines) and prints each score beside the reference's. Exits with 1 where they differ by more than 1e-4 (FID
and KID: 1e-5). The same once more through `compare --metrics`, picture by picture, with the weights where downloads lie.
--cmmd: a checkout of cmmd-pytorch, whose own reading, embedding and distance CMMD is then held against (else the formula on transformers' vectors).
"""

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from metric_cases import preprocess
from random_pipeline import randomize
from score_cases import planes, texture, torchvision_stub, weight, worse
from tiny_tokenizers import clip_bpe, save_clip

PARTS = {"Conv2d_1a_3x3": "conv", "Conv2d_2a_3x3": "conv_1", "Conv2d_2b_3x3": "conv_2", "Conv2d_3b_1x1": "conv_3", "Conv2d_4a_3x3": "conv_4"} | {
    f"Mixed_{name}": "mixed" + (f"_{index}" if index else "") for index, name in enumerate(("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e", "7a", "7b", "7c"))}
FLAT = {"branch1x1": "conv", "branch3x3_1": "tower_conv", "branch3x3_2a": "tower_mixed_conv", "branch3x3_2b": "tower_mixed_conv_1", "branch3x3dbl_1": "tower_1_conv",
        "branch3x3dbl_2": "tower_1_conv_1", "branch3x3dbl_3a": "tower_1_mixed_conv", "branch3x3dbl_3b": "tower_1_mixed_conv_1", "branch_pool": "tower_2_conv"}
TENSORS = {"conv.weight": "weight", "bn.bias": "beta", "bn.running_mean": "mean", "bn.running_var": "var"}


def script_name(name: str) -> str:
    """Of the TorchScript network: towers in the order in which TensorFlow counts them."""
    part, _, rest = name.partition(".")
    if not part.startswith("Mixed"):
        return f"layers.{PARTS[part]}.{TENSORS[rest]}"
    branch, _, tensor = rest.partition(".")
    if part in ("Mixed_7b", "Mixed_7c"):
        inner = FLAT[branch]
    elif branch == "branch_pool":
        inner = "tower_2.conv"
    elif "_" not in branch:
        inner = "conv"
    else:
        kind, _, number = branch.partition("_")
        second = kind in ("branch3x3dbl", "branch7x7dbl", "branch7x7x3") and part != "Mixed_6a"
        inner = ("tower_1" if second else "tower") + ".conv" + (f"_{int(number) - 1}" if number != "1" else "")
    return f"layers.{PARTS[part]}.{inner}.{TENSORS[tensor]}"


class Tree(nn.Module):
    def forward(self, x):
        return x


def script_of(tensors: dict[str, torch.Tensor]) -> torch.jit.ScriptModule:
    root = Tree()
    for name, tensor in tensors.items():
        *path, last = name.split(".")
        module = root
        for step in path:
            if step not in module._modules:
                module.add_module(step, Tree())
            module = module._modules[step]
        module.register_buffer(last, tensor)
    return torch.jit.script(root)


@torch.no_grad()
def inception_network(ones: bool):
    import torch_fidelity.feature_extractor_inceptionv3 as reference
    reference.vassert = lambda *_: None
    load, nn.Module.load_state_dict = nn.Module.load_state_dict, lambda *_, **__: None
    reference.load_state_dict_from_url = lambda *_, **__: {}
    network = reference.FeatureExtractorInceptionV3("inception-v3-compat", ["2048"])
    nn.Module.load_state_dict = load
    for key, value in network.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            value.copy_(torch.ones_like(value) if ones and key.endswith("bn.weight") else weight(key, list(value.shape)))
    return network


def score(cli: str, *arguments: str) -> dict:
    done = subprocess.run([cli, "score", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(arguments)}: {done.stderr}")
    return json.loads(done.stdout)


class Check:
    def __init__(self):
        self.worst = 0

    def line(self, name: str, got: float, expected: float, limit: float) -> None:
        error = abs(got - expected) / max(abs(expected), 1e-12)
        self.worst = max(self.worst, error / limit)
        print(f"{name:34} {got:.10g} against {expected:.10g}: {error:.1e}")


@torch.no_grad()
def sets(cli: str, root: Path, a: list[Path], b: list[Path], check: Check) -> None:
    from cleanfid.fid import fid_from_feats, kernel_distance
    from cleanfid.resize import build_resizer
    resizer = build_resizer("clean")
    for ones in (False, True):
        network = inception_network(ones)
        features = [np.concatenate([network(torch.from_numpy(resizer(np.asarray(Image.open(p))).transpose(2, 0, 1))[None])[0].numpy() for p in paths]) for paths in (a, b)]
        state = {key: value.clone() for key, value in network.state_dict().items()}
        files = {}
        if ones:
            names = [key for key in state if key.endswith(("conv.weight", "bn.bias", "running_mean", "running_var"))]
            files["script.pt"] = lambda path: script_of({script_name(key): state[key] for key in names}).save(path)
        else:
            files = {"zip.pth": lambda path: torch.save(state, path), "plain.pth": lambda path: torch.save(state, path, _use_new_zipfile_serialization=False),
                     "all.safetensors": lambda path: save_file(state, path)}
        for name, save in files.items():
            save(str(root / name))
            for metric, expected in (("fid", fid_from_feats(*features)), ("kid", kernel_distance(*features, num_subsets=1))):
                got = score(cli, "--metric", metric, "--a", str(a[0].parent), "--b", str(b[0].parent), "--weights", str(root / name))
                check.line(f"{metric}, {name}", got["value"], float(expected), 1e-5)
            (root / name).unlink()


@torch.no_grad()
def pairs(cli: str, root: Path, a: list[Path], b: list[Path], check: Check) -> None:
    import lpips
    for net in ("alex", "vgg", "squeeze"):
        model = lpips.LPIPS(net=net, verbose=False)
        trunk = {}
        for key, value in model.net.state_dict().items():
            trunk["features." + key.split(".", 1)[1]] = value.clone()
        torch.save(trunk, root / "trunk.pth")
        lines = Path(lpips.__file__).parent / f"weights/v0.1/{net}.pth"
        got = score(cli, "--metric", "lpips", "--net", net, "--a", str(a[0].parent), "--b", str(b[0].parent), "--weights", f"{root / 'trunk.pth'},{lines}")
        expected = np.mean([model(*(lpips.im2tensor(np.asarray(Image.open(p))) for p in pair)).item() for pair in zip(a, b)])
        check.line(f"lpips {net}, lpips' own lines", got["value"], float(expected), 1e-4)


def dists_lines() -> dict[str, torch.Tensor]:
    alpha, beta = (weight(key, [1, 1475, 1, 1]) for key in ("alpha", "beta"))
    total = alpha.sum() + beta.sum()
    return {"alpha": alpha / total, "beta": beta / total}


def large_clip(folder: Path):
    """Of random weights in the form of ViT-L/14 at 336 pixels, but narrow."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel
    vocab, merges = clip_bpe(60, 40, False, False)
    tokenizer = save_clip(folder, "json", vocab, merges, "<|endoftext|>", 24)
    text = dict(vocab_size=len(vocab), hidden_size=16, intermediate_size=40, num_hidden_layers=1, num_attention_heads=2, max_position_embeddings=24,
                bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
                projection_dim=32)
    vision = dict(hidden_size=64, intermediate_size=128, num_hidden_layers=3, num_attention_heads=4, image_size=336, patch_size=14,
                  projection_dim=32)
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=32)).eval()
    randomize(model, torch.Generator().manual_seed(71))
    model.save_pretrained(folder)
    CLIPImageProcessor(size={"shortest_edge": 336}, crop_size={"height": 336, "width": 336}).save_pretrained(folder)
    return model


@torch.no_grad()
def clip_vectors(model, paths: list[Path], checkout: Path | None, folder: Path) -> np.ndarray:
    """Unit vectors of a folder's pictures, by cmmd-pytorch's own code where it is given."""
    if checkout is not None:
        sys.path.insert(0, str(checkout))
        embedding, reader = importlib.import_module("embedding"), importlib.import_module("io_util")
        embedding._CLIP_MODEL_NAME = str(folder)
        return reader.compute_embeddings_for_dir(str(paths[0].parent), embedding.ClipEmbeddingModel(), 2).astype(np.float64)
    pixels = torch.cat([preprocess(np.asarray(Image.open(path)), 336)[1] for path in paths])
    vectors = model.get_image_features(pixel_values=pixels)
    vectors = getattr(vectors, "pooler_output", vectors).double().numpy()
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def distance_of_pairs(kernel, a: np.ndarray, b: np.ndarray) -> float:
    """No picture meets itself or its partner: the mean of k(a, a') + k(b, b') - k(a, b') - k(b, a') over different pairs."""
    cross = kernel(a, b)
    products = kernel(a, a) + kernel(b, b) - cross - cross.T
    return float((products.sum() - np.trace(products)) / (len(a) * (len(a) - 1)))


def gauss_distance(a: np.ndarray, b: np.ndarray, unbiased: bool) -> float:
    kernel = lambda x, y: np.exp(-((x[:, None] - y[None]) ** 2).sum(-1) / 200)  # noqa: E731
    own = lambda x: (kernel(x, x).sum() - len(x)) / (len(x) * (len(x) - 1)) if unbiased else kernel(x, x).mean()  # noqa: E731
    return float(1000 * (own(a) + own(b) - 2 * kernel(a, b).mean()))


@torch.no_grad()
def further(cli: str, root: Path, report: dict, images: list[dict], networks: dict, checkout: Path | None, check: Check) -> None:
    """DISTS of each picture and CMMD of the sets, as compare told them."""
    import piq
    torch.hub.load_state_dict_from_url = lambda *_, **__: dists_lines()
    dists = piq.DISTS()
    for index, one in enumerate(report["comparisons"]):
        pair = [planes(np.asarray(Image.open(images[index][precision])), torch.float32) / 255 for precision in ("quanto-int2", "bf16")]
        check.line(f"dists of picture {index}", one["samples"][1]["scores"]["dists"], dists(*pair).item(), 1e-4)
    folder = root / "downloads" / "clip-vit-large-patch14-336"
    sets = [[one[precision] for one in images] for precision in ("quanto-int2", "bf16")]
    vectors = [clip_vectors(networks["cmmd"], paths, checkout, folder) for paths in sets]
    figure = report["summary"][1]["figures"]["cmmd"]
    gauss = lambda x, y: 1000 * np.exp(-((x[:, None] - y[None]) ** 2).sum(-1) / 200)  # noqa: E731
    check.line("cmmd of the sets, in pairs", figure["value"], distance_of_pairs(gauss, *vectors), 1e-3)
    got = score(cli, "--metric", "cmmd", "--a", str(sets[0][0].parent), "--b", str(sets[1][0].parent), "--clip", str(folder))
    published = gauss_distance(*vectors, unbiased=False)
    if checkout is not None:
        published = float(importlib.import_module("distance").mmd(*vectors))
    check.line("cmmd, unbiased", got["value"], gauss_distance(*vectors, unbiased=True), 1e-3)
    check.line("cmmd as it was published", got["published"], published, 1e-3)
    check.line("cmmd as it was published, compare", report["sets"]["published"]["quanto-int2"]["cmmd"], published, 1e-3)


def place_downloads(root: Path) -> dict:
    """Weights where `metrics download` would put them, random trunks with lpips' own lines; the reference networks of the same weights."""
    import lpips
    networks = {"inception": inception_network(False)}
    names = {"alex": "alexnet-owt-7be5be79.pth", "vgg": "vgg16-397923af.pth", "squeeze": "squeezenet1_1-b8a52dc0.pth"}
    for net, file in names.items():
        networks[net] = model = lpips.LPIPS(net=net, verbose=False)
        folder = root / f"lpips-{net}"
        folder.mkdir(parents=True)
        torch.save({"features." + key.split(".", 1)[1]: value.clone() for key, value in model.net.state_dict().items()}, folder / file)
        (folder / f"lpips-{net}.pth").write_bytes((Path(lpips.__file__).parent / f"weights/v0.1/{net}.pth").read_bytes())
    (root / "dists").mkdir()
    (root / "dists" / names["vgg"]).write_bytes((root / "lpips-vgg" / names["vgg"]).read_bytes())
    torch.save(dists_lines(), root / "dists" / "dists_weights.pt")
    networks["cmmd"] = large_clip(root / "clip-vit-large-patch14-336")
    (root / "inception").mkdir()
    torch.save(networks["inception"].state_dict(), root / "inception" / "weights-inception-2015-12-05-6726825d.pth")
    return networks


@torch.no_grad()
def comparison(cli: str, root: Path, checkout: Path | None, check: Check) -> None:
    """compare --metrics on the built-in model, once more from its pictures; the second run computes no feature."""
    import lpips
    from cleanfid.fid import fid_from_feats, kernel_distance
    from cleanfid.resize import build_resizer
    networks = place_downloads(root / "downloads")
    (root / "prompts.txt").write_text("\n".join(f"a {thing}" for thing in ("fox", "cat", "pizza", "banana", "star", "crown")))
    command = [cli, "compare", "--precisions", "bf16,quanto-int2", "--prompts", str(root / "prompts.txt"), "--steps", "2", "--width", "64", "--height", "64",
               "--threads", "1", "--out", str(root / "out"), "--metrics", "lpips,lpips-vgg,lpips-squeeze,dists,fid,kid,cmmd"]
    environment = os.environ | {"QUANTSPOT_METRICS": str(root / "downloads")}
    runs = [json.loads(subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout) for _ in range(2)]
    check.line("features, first run and second", runs[0]["features"] - runs[1]["features"], 24, 1e-9)
    report = json.loads((root / "out" / "report.json").read_text())
    images = [{sample["precision"]: root / "out" / sample["image"] for sample in one["samples"]} for one in report["comparisons"]]
    for figure, net in (("lpips", "alex"), ("lpips-vgg", "vgg"), ("lpips-squeeze", "squeeze")):
        for index, one in enumerate(report["comparisons"]):
            pair = [lpips.im2tensor(np.asarray(Image.open(images[index][precision]))) for precision in ("quanto-int2", "bf16")]
            check.line(f"{figure} of picture {index}", one["samples"][1]["scores"][figure], networks[net](*pair).item(), 1e-4)
    resizer = build_resizer("clean")
    features = [np.concatenate([networks["inception"](torch.from_numpy(resizer(np.asarray(Image.open(one[precision]))).transpose(2, 0, 1))[None])[0].numpy()
                                for one in images]) for precision in ("quanto-int2", "bf16")]
    figures = report["summary"][1]["figures"]
    check.line("fid of the sets", figures["fid"]["value"], float(fid_from_feats(*features)), 1e-5)
    further(cli, root, report, images, networks, checkout, check)
    check.line("kid of the sets", report["sets"]["published"]["quanto-int2"]["kid"], float(kernel_distance(*features, num_subsets=1)), 1e-5)
    cubic = lambda x, y: (x @ y.T / x.shape[1] + 1) ** 3  # noqa: E731
    check.line("kid of the sets, in pairs", figures["kid"]["value"], distance_of_pairs(cubic, *(x.astype(np.float64) for x in features)), 1e-4)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cli", required=True)
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--cmmd", type=Path)
    arguments = parser.parse_args()
    torchvision_stub()
    check = Check()
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        names = {"a": [], "b": []}
        for index in range(arguments.count):
            image = texture(96, 80 + index % 3, 200 + index)
            for side, pixels in (("a", worse(image, 500 + index)), ("b", image)):
                (root / side).mkdir(exist_ok=True)
                names[side].append(root / side / f"{index:03}.png")
                Image.fromarray(pixels).save(names[side][-1])
        pairs(arguments.cli, root, names["a"], names["b"], check)
        sets(arguments.cli, root, names["a"], names["b"], check)
        comparison(arguments.cli, root, arguments.cmmd, check)
    return 1 if check.worst > 1 else 0


if __name__ == "__main__":
    sys.exit(main())
