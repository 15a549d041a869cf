"""Group 4: PSNR, SSIM and CLIP score of small images."""

import hashlib
import json
import math
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from transformers import CLIPConfig, CLIPModel, CLIPTokenizer
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from random_pipeline import randomize, round_weights
from tiny_tokenizers import clip_bpe, save_clip

MEAN, STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
CAPTIONS = ["a fox on a yellow background", "a pizza and a rocket on a green background", ""]
ROOT = Path(__file__).parent.parent.parent


def picture(height: int, width: int, seed: int) -> np.ndarray:
    """Smooth waves with some noise, (H, W, 3) uint8."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    waves = [np.sin(2 * np.pi * (a * x + b * y) + c) for a, b, c in rng.uniform(-2, 2, (3, 3))]
    values = 128 + 90 * np.stack(waves, -1) + rng.normal(0, 12, (height, width, 3))
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def pairs() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    rng = np.random.default_rng(50)
    base, small = picture(23, 30, 51), picture(11, 11, 52)
    noisy = np.clip(base + rng.normal(0, 25, base.shape), 0, 255).astype(np.uint8)
    one = base.copy()
    one[17, 7, 2] ^= 1
    flat = np.full((16, 24, 3), 100, np.uint8)
    return {"same": (base, base), "noisy": (base, noisy), "one_value": (base, one),
            "shifted": (base, np.roll(base, 1, 1)), "inverted": (base, 255 - base), "smallest": (small, picture(11, 11, 53)), "flat": (flat, flat + 3),
            "black_white": (flat * 0, flat * 0 + 255)}


def image_metrics() -> tuple[dict, dict]:
    tensors, rows = {}, {}
    for name, (a, b) in pairs().items():
        ssim = structural_similarity(a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
                                     data_range=255, channel_axis=2)
        with np.errstate(divide="ignore"):
            psnr = float(peak_signal_noise_ratio(a, b, data_range=255))
        tensors |= {f"{name}.a": torch.from_numpy(a.copy()), f"{name}.b": torch.from_numpy(b.copy())}
        rows[name] = {"psnr": psnr if math.isfinite(psnr) else None, "ssim": float(ssim)}
    return tensors, rows


def preprocess(image: np.ndarray, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    """((size, size, 3) uint8, (1, 3, size, size) fp32): shortest edge by PIL's bicubic, centre crop, normalize."""
    steps = dict(size={"shortest_edge": size}, crop_size={"height": size, "width": size}, resample=3,
                 image_mean=MEAN, image_std=STD)
    picture = Image.fromarray(image)
    plain = CLIPImageProcessorPil(**steps, do_rescale=False, do_normalize=False)(picture, return_tensors="pt")
    pixels = CLIPImageProcessorPil(**steps)(picture, return_tensors="pt").pixel_values
    return plain.pixel_values[0].permute(1, 2, 0).to(torch.uint8), pixels


@torch.no_grad()
def clip_score(folder: Path, images: list[np.ndarray], prefix: str) -> tuple[dict, dict]:
    model = CLIPModel.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    size = model.config.vision_config.image_size
    length = model.config.text_config.max_position_embeddings
    tokens = tokenizer(CAPTIONS, padding=True, truncation=True, max_length=length, return_tensors="pt")
    prepared = [preprocess(image, size) for image in images]
    out = model(pixel_values=torch.cat([pixels for _, pixels in prepared]), **tokens)
    text, image = out.text_embeds, out.image_embeds
    cosine = image @ text.T
    tensors = {f"{prefix}.text_embeds": text, f"{prefix}.image_embeds": image, f"{prefix}.cosine": cosine}
    for index, (crop, pixels) in enumerate(prepared):
        tensors[f"{prefix}.crop_rows_{index}"] = crop[::size // 16]
        if index == 0:
            tensors[f"{prefix}.pixel_rows_0"] = pixels[0, :, ::size // 8]
    row = {"folder": folder.relative_to(ROOT).as_posix(), "image_size": size, "captions": CAPTIONS,
           "sha256": hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest(),
           "score": (100 * cosine.clamp(min=0)).tolist(), "logit_scale": model.logit_scale.exp().item()}
    return tensors, row


def make_tiny_clip(folder: Path) -> None:
    vocab, merges = clip_bpe(60, 40, False, False)
    tokenizer = save_clip(folder, "json", vocab, merges, "<|endoftext|>", 24)
    text = dict(vocab_size=len(vocab), hidden_size=16, intermediate_size=40, num_hidden_layers=2, num_attention_heads=2,
                max_position_embeddings=24, bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id, hidden_act="gelu")
    vision = dict(hidden_size=24, intermediate_size=32, num_hidden_layers=2, num_attention_heads=3, image_size=32,
                  patch_size=8, hidden_act="quick_gelu")
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=12))
    randomize(model, torch.Generator().manual_seed(61))
    model.logit_scale.data = torch.tensor(2.5)
    model.visual_projection.weight.data[3:9] *= -1  # cosines of both signs
    round_weights(model)
    model.bfloat16().save_pretrained(folder)


def make(golden: Path) -> None:
    folder = golden / "metrics"
    make_tiny_clip(folder / "clip")
    tensors, rows = image_metrics()
    images = [picture(53, 37, 54), picture(21, 30, 55), picture(32, 32, 56)]
    tensors |= {f"clip.image_{index}": torch.from_numpy(image) for index, image in enumerate(images)}
    scores = {}
    places = {"clip.tiny": folder / "clip", "clip.default": ROOT / "resources/default_model/clip_score"}
    for prefix, place in places.items():
        more, scores[prefix] = clip_score(place, images, prefix)
        tensors |= more
    save_file({key: value.contiguous() for key, value in tensors.items()}, folder / "metrics.safetensors")
    text = json.dumps({"pairs": rows, "clip": scores}, indent=1)
    (folder / "metrics.json").write_text(text + "\n")
    print(f"metrics: {rows['noisy']}, {rows['smallest']}, {scores['clip.tiny']['score']}")
