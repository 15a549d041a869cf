"""Group: metrics against clean-fid, torch-fidelity, lpips, piq, torchmetrics and Pillow.

Pictures and weights are made by formula, here and in tests/metrics/formulas.h, so that only results are kept.
"""

import hashlib
import importlib.machinery
import json
import sys
import types
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from random_pipeline import randomize, round_weights
from tiny_tokenizers import clip_bpe, save_clip


def fnv(text: str) -> int:
    value = 2166136261
    for byte in text.encode():
        value = (value ^ byte) * 16777619 & 0xFFFFFFFF
    return value


def uniform(name: str, shape: list[int]) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(fnv(name)))


def weight(name: str, shape: list[int]) -> torch.Tensor:
    """By the end of the name; torch's generator gives the same numbers in C++."""
    u = uniform(name, shape)
    if name.endswith("running_var"):
        return 0.5 + u
    if name.endswith("bn.weight"):
        return 0.8 + 0.4 * u
    if name in ("alpha", "beta"):
        return u / 1475
    if name.startswith("lin"):
        return u / shape[1]
    if len(shape) < 2:
        return 0.2 * u - 0.1
    return (2 * u - 1) * (6 / np.prod(shape[1:])) ** 0.5


def texture(width: int, height: int, seed: int) -> np.ndarray:
    """(H, W, 3) uint8: triangle waves and noise of a hash."""
    y, x, c = np.meshgrid(np.arange(height, dtype=np.uint32), np.arange(width, dtype=np.uint32), np.arange(3, dtype=np.uint32), indexing="ij")
    wave = (x * np.uint32(3 + seed % 5) + y * np.uint32(2 + seed % 7) + c * np.uint32(37 + seed)) & np.uint32(255)
    value = np.where(wave < 128, 2 * wave, 511 - 2 * wave).astype(np.int64)
    h = (x * np.uint32(73856093)) ^ (y * np.uint32(19349663)) ^ (c * np.uint32(83492791)) ^ np.uint32(seed * 2654435761 & 0xFFFFFFFF)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(1274126177)
    noise = ((h ^ (h >> np.uint32(16))) & np.uint32(63)).astype(np.int64) - 32
    return np.clip(value + noise, 0, 255).astype(np.uint8)


def worse(image: np.ndarray, seed: int) -> np.ndarray:
    """Three quarters of the picture, one of another texture."""
    other = texture(image.shape[1], image.shape[0], seed)
    return ((image.astype(np.uint32) * 3 + other) // 4).astype(np.uint8)


def pair(width: int, height: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    image = texture(width, height, seed)
    return image, worse(image, seed + 1)


def planes(image: np.ndarray, dtype: torch.dtype) -> torch.Tensor:
    return torch.from_numpy(image).permute(2, 0, 1).unsqueeze(0).to(dtype)


def torchvision_stub() -> None:
    """lpips and piq import torchvision's models, whose wheel needs another torch: their layers, written by the papers' tables."""

    class Fire(nn.Module):
        def __init__(self, wide: int, squeezed: int, out: int):
            super().__init__()
            self.squeeze = nn.Conv2d(wide, squeezed, 1)
            self.expand1x1 = nn.Conv2d(squeezed, out, 1)
            self.expand3x3 = nn.Conv2d(squeezed, out, 3, padding=1)

        def forward(self, x):
            x = self.squeeze(x).relu()
            return torch.cat([self.expand1x1(x).relu(), self.expand3x3(x).relu()], 1)

    def model(*layers):
        features = nn.Sequential(*layers)
        for key, value in features.named_parameters():
            value.data = weight("features." + key, list(value.shape))
        return types.SimpleNamespace(features=features)

    def conv(a, b, k, s=1, p=0):
        return [nn.Conv2d(a, b, k, s, p), nn.ReLU()]

    def alexnet(**_):
        return model(*conv(3, 64, 11, 4, 2), nn.MaxPool2d(3, 2), *conv(64, 192, 5, 1, 2), nn.MaxPool2d(3, 2), *conv(192, 384, 3, 1, 1),
                     *conv(384, 256, 3, 1, 1), *conv(256, 256, 3, 1, 1), nn.MaxPool2d(3, 2))

    def vgg16(**_):
        layers, wide = [], 3
        for out, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
            for _ in range(count):
                layers, wide = layers + conv(wide, out, 3, 1, 1), out
            layers.append(nn.MaxPool2d(2, 2))
        return model(*layers)

    def squeezenet1_1(**_):
        pool = lambda: nn.MaxPool2d(3, 2, ceil_mode=True)  # noqa: E731
        return model(*conv(3, 64, 3, 2), pool(), Fire(64, 16, 64), Fire(128, 16, 64), pool(), Fire(128, 32, 128), Fire(256, 32, 128), pool(),
                     Fire(256, 48, 192), Fire(384, 48, 192), Fire(384, 64, 256), Fire(512, 64, 256))

    class Stub(types.ModuleType):  # the rest is only named, never called
        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return type(name, (nn.Module,), {})

    for name in ("", ".models", ".transforms", ".transforms.functional", ".datasets", ".utils", ".io"):
        module = sys.modules["torchvision" + name] = Stub("torchvision" + name)
        module.__spec__, module.__path__, module.__version__ = importlib.machinery.ModuleSpec("torchvision" + name, None), [], "0.0"
        parent, _, child = ("torchvision" + name).rpartition(".")
        if parent:
            setattr(sys.modules[parent], child, module)
    models = sys.modules["torchvision.models"]
    models.alexnet, models.vgg16, models.vgg19, models.squeezenet1_1 = alexnet, vgg16, vgg16, squeezenet1_1
    models.inception = Stub("torchvision.models.inception")


def pixel_metrics() -> dict:
    import piq
    from torchmetrics.functional.image import multiscale_structural_similarity_index_measure as ms_ssim
    rows = []
    for width, height, seed in ((176, 176, 1), (181, 200, 2), (37, 53, 3), (40, 64, 4), (5, 4, 5), (33, 20, 6)):
        a, b = pair(width, height, seed)
        row = {"width": width, "height": height, "seed": seed,
               "gmsd": piq.gmsd(planes(b, torch.float64), planes(a, torch.float64), data_range=255).item()}
        if min(width, height) >= 176:
            row["ms-ssim"] = ms_ssim(planes(b, torch.float64), planes(a, torch.float64), data_range=255.0).item()
            inverted = 255 - a
            row["ms-ssim inverted"] = ms_ssim(planes(inverted, torch.float64), planes(a, torch.float64), data_range=255.0).item()
        rows.append(row)
    return {"pixels": rows}


def resizing() -> dict:
    """SHA-256 of the bytes: 8-bit RGB, and float32 planes cut to 0 … 255 as clean-fid leaves them."""
    from cleanfid.resize import make_resizer
    names = {1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box"}
    rows = []
    for number, (width, height, to_width, to_height) in enumerate(((40, 52, 299, 299), (61, 33, 20, 45), (30, 30, 30, 17), (24, 50, 7, 50))):
        image = texture(width, height, 10 + number)
        for resample in (1, 2, 3, 4, 5):
            small = np.asarray(Image.fromarray(image).resize((to_width, to_height), resample=resample))
            row = {"from": [width, height], "to": [to_width, to_height], "seed": 10 + number, "resample": resample, "bytes": hashlib.sha256(small.tobytes()).hexdigest()}
            if resample in names:
                floats = make_resizer("PIL", False, names[resample], (to_width, to_height))(image)
                row["floats"] = hashlib.sha256(np.ascontiguousarray(floats.transpose(2, 0, 1)).tobytes()).hexdigest()
            rows.append(row)
    return {"resize": rows}


@torch.no_grad()
def learned() -> dict:
    import lpips
    import piq
    rows = []
    for net, sizes in {"alex": ((64, 64), (47, 61)), "vgg": ((32, 48),), "squeeze": ((64, 64), (47, 61))}.items():
        model = lpips.LPIPS(net=net, verbose=False, pnet_rand=True, pretrained=False)
        for index, line in enumerate(model.lins):
            line.model[1].weight.data = weight(f"lin{index}.model.1.weight", list(line.model[1].weight.shape))
        for width, height in sizes:
            a, b = pair(width, height, 20)
            value = model(*(lpips.im2tensor(x) for x in (b, a))).item()
            rows.append({"net": net, "width": width, "height": height, "seed": 20, "value": value})
    torch.hub.load_state_dict_from_url = lambda *_, **__: {key: weight(key, [1, 1475, 1, 1]) / 2 for key in ("alpha", "beta")}
    alpha, beta = (weight(key, [1, 1475, 1, 1]) for key in ("alpha", "beta"))
    total = alpha.sum() + beta.sum()
    torch.hub.load_state_dict_from_url = lambda *_, **__: {"alpha": alpha / total, "beta": beta / total}
    dists = piq.DISTS()
    texts = []
    for width, height in ((48, 40), (300, 270)):
        a, b = pair(width, height, 21)
        texts.append({"width": width, "height": height, "seed": 21, "value": dists(planes(b, torch.float32) / 255, planes(a, torch.float32) / 255).item()})
    return {"lpips": rows, "dists": texts}


@torch.no_grad()
def inception() -> dict[str, torch.Tensor]:
    import torch_fidelity.feature_extractor_inceptionv3 as reference
    from cleanfid.resize import build_resizer
    reference.load_state_dict_from_url = lambda *_, **__: {}
    reference.vassert = lambda *_: None  # it wants bytes; clean-fid hands over floats
    load, nn.Module.load_state_dict = nn.Module.load_state_dict, lambda *_, **__: None
    network = reference.FeatureExtractorInceptionV3("inception-v3-compat", ["2048"])
    nn.Module.load_state_dict = load
    for key, value in network.state_dict().items():
        if not key.endswith("num_batches_tracked"):
            value.copy_(weight(key, list(value.shape)))
    resizer = build_resizer("clean")
    pictures = torch.stack([torch.from_numpy(resizer(texture(w, h, 30)).transpose(2, 0, 1)) for w, h in ((40, 52), (128, 96))])
    return {"inception": network(pictures)[0][:, ::8].clone()}


def feature_sets() -> dict:
    from cleanfid.fid import frechet_distance, kernel_distance
    from torch_fidelity.metric_fid import fid_statistics_to_metric
    rows = []
    for n, m, width in ((300, 200, 24), (64, 64, 12), (10, 9, 24), (40, 40, 40)):
        a = (uniform(f"a{n}", [n, width]) - 0.5).numpy().astype(np.float64)
        b = (1.2 * uniform(f"b{m}", [m, width]) - 0.5).numpy().astype(np.float64) @ (np.eye(width) + 0.1 * np.tri(width))
        statistics = [(x.mean(0), np.cov(x, rowvar=False)) for x in (a, b)]
        (mu1, sigma1), (mu2, sigma2) = statistics
        fidelity = fid_statistics_to_metric({"mu": mu1, "sigma": sigma1}, {"mu": mu2, "sigma": sigma2}, False)["frechet_inception_distance"]
        try:
            clean = float(frechet_distance(mu1, sigma1, mu2, sigma2))
        except ValueError:  # of singular products: an imaginary part that it does not accept
            clean = None
        row = {"n": n, "m": m, "width": width, "torch-fidelity": fidelity, "clean-fid": clean}
        if n == m:
            row["kid"] = kernel_distance(a, b, num_subsets=1)
        unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b)]
        gauss = lambda x, y: np.exp(-((x[:, None] - y[None]) ** 2).sum(-1) / (2 * 10 ** 2))  # noqa: E731
        row["cmmd"] = 1000 * float(gauss(unit[0], unit[0]).mean() + gauss(unit[1], unit[1]).mean() - 2 * gauss(unit[0], unit[1]).mean())
        rows.append(row)
    return {"sets": rows}


class Inner(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(weight("inner.weight", [2, 3]))
        self.register_buffer("mean", weight("inner.mean", [3]))
        self.sizes = [3, 4]
        self.ratio, self.flag, self.name = 0.5, True, "inner"

    def forward(self, x):
        return x @ self.weight.T


def weight_files(folder: Path) -> None:
    """One set of tensors in each form of file that the reader knows."""
    base = weight("base.weight", [4, 6])
    state = {"a": base, "transposed": base.t(), "row": base[2], "nested": {"half": base.half(), "bf16": base.bfloat16(), "count": torch.tensor(7), "empty": torch.zeros(0, 3)},
             "parameter": nn.Parameter(base[:2]), "double": base.double(), "epoch": 3, "rate": 0.5, "names": ["x", ("y", None)], "flag": True}
    torch.save(state, folder / "zip.pth")
    torch.save(state, folder / "plain.pth", _use_new_zipfile_serialization=False)
    outer = nn.Sequential()
    outer.add_module("inner", Inner())
    outer.add_module("last", nn.Linear(2, 2))
    for key in ("weight", "bias"):
        getattr(outer.last, key).data = weight(f"last.{key}", list(getattr(outer.last, key).shape))
    torch.jit.save(torch.jit.script(outer), folder / "script.pt")
    mu, sigma = weight("mu", [5]).double().numpy(), weight("sigma", [5, 5]).double().numpy()
    np.savez(folder / "stored.npz", mu=mu, sigma=sigma)
    np.savez_compressed(folder / "deflated.npz", mu=mu.astype(np.float32), sigma=sigma)
    np.savez(folder / "fortran.npz", mu=mu, sigma=np.asfortranarray(sigma))
    np.savez(folder / "objects.npz", mu=np.array([{"a": 1}], dtype=object), sigma=sigma)


def make_clip(folder: Path) -> dict[str, torch.Tensor]:
    """A second CLIPModel: other activations, patches of 14, a crop smaller than the resized picture, bilinear resizing."""
    from transformers import CLIPConfig, CLIPModel, CLIPTokenizer
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
    vocab, merges = clip_bpe(60, 40, False, False)
    tokenizer = save_clip(folder, "json", vocab, merges, "<|endoftext|>", 20)
    text = dict(vocab_size=len(vocab), hidden_size=24, intermediate_size=32, num_hidden_layers=2, num_attention_heads=3, max_position_embeddings=20,
                bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id, hidden_act="quick_gelu")
    vision = dict(hidden_size=16, intermediate_size=40, num_hidden_layers=3, num_attention_heads=2, image_size=42, patch_size=14, hidden_act="gelu", layer_norm_eps=1e-6)
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=20))
    randomize(model, torch.Generator().manual_seed(62))
    round_weights(model)
    model.half().save_pretrained(folder)
    processor = CLIPImageProcessorPil(size={"shortest_edge": 48}, crop_size={"height": 42, "width": 42}, resample=2, image_mean=[0.5, 0.4, 0.45], image_std=[0.25, 0.3, 0.28])
    processor.save_pretrained(folder)
    model, tokenizer = CLIPModel.from_pretrained(folder, dtype=torch.float32).eval(), CLIPTokenizer.from_pretrained(folder)
    images = [texture(61, 50, 40), texture(45, 80, 41), texture(42, 42, 42)]
    pixels = torch.cat([processor(Image.fromarray(image), return_tensors="pt").pixel_values for image in images])
    with torch.no_grad():
        tokens = tokenizer(["a fox on a yellow background", ""], padding=True, truncation=True, max_length=20, return_tensors="pt")
        out = model(pixel_values=pixels, **tokens)
    return {"clip.pixel_rows": pixels[:, :, ::6].clone(), "clip.image_embeds": out.image_embeds, "clip.text_embeds": out.text_embeds}


def make(golden: Path) -> None:
    folder = golden / "scores"
    folder.mkdir(exist_ok=True)
    tensors = make_clip(folder / "clip")
    weight_files(folder)
    torchvision_stub()
    rows = pixel_metrics() | resizing() | learned() | feature_sets()
    save_file(tensors | inception(), folder / "scores.safetensors")
    for name in [name for name in sys.modules if name.startswith("torchvision")]:
        del sys.modules[name]
    (folder / "scores.json").write_text(json.dumps(rows, indent=1) + "\n")
    print(f"scores: {rows['lpips'][0]}, {rows['sets'][2]}")
