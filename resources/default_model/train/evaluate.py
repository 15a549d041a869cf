"""Figures of the finished pipeline through diffusers: subject by the small CLIP, background colour in pixels, autoencoder PSNR.

Chance is 1 and 5 in the number of names for the subject, 1 in 12 for the colour.
"""
import argparse
import json
import random
from pathlib import Path

import numpy as np
import torch
from diffusers import FluxPipeline
from PIL import Image
from transformers import CLIPModel, CLIPTokenizer

import autoencoder
import clip
import data
from flux import STEPS, TOKENS


class Judge:
    """The small CLIP as a zero-shot classifier of the subject, the background colour being given."""

    def __init__(self, folder: Path):
        self.model = CLIPModel.from_pretrained(folder, dtype=torch.float32).eval()
        self.tokenizer = CLIPTokenizer.from_pretrained(folder)
        self.names = list(data.SUBJECTS)

    @torch.no_grad()
    def order(self, picture: np.ndarray, colour: str) -> list[str]:
        """All names, the best fitting first."""
        options = [data.caption(data.Scene((option,), colour, data.COLOURS[colour])) for option in self.names]
        pixels = clip.normalize(torch.from_numpy(picture.copy()).permute(2, 0, 1)[None])
        text = self.tokenizer(options, padding=True, return_tensors="pt")
        scores = self.model(**text, pixel_values=pixels).logits_per_image[0]
        return [self.names[i] for i in scores.argsort(descending=True).tolist()]


def close_ups(picture: np.ndarray, count: int) -> list[np.ndarray]:
    """One picture per subject: of two, each half is enlarged, since the small CLIP is no judge of small subjects."""
    half = data.SIZE // 2
    if count == 1:
        return [picture]
    squares = [picture[half // 2:half // 2 + half, left:left + half] for left in (0, half)]
    return [np.asarray(Image.fromarray(square).resize((data.SIZE, data.SIZE), Image.BICUBIC)) for square in squares]


def background(picture: np.ndarray) -> str:
    """The named colour nearest to the median of the outermost two pixels."""
    edge = np.concatenate([picture[:2].reshape(-1, 3), picture[-2:].reshape(-1, 3)])
    seen = np.median(edge, axis=0)
    return min(data.COLOURS, key=lambda name: np.abs(seen - np.array(data.COLOURS[name])).sum())


def questions(count: int, seed: int) -> list[data.Scene]:
    """Three scenes of one subject for every scene of two; other random numbers than training's."""
    singles, pairs = data.scenes(random.Random(seed), 1, count // 4)
    return random.Random(seed).sample(singles, count - len(pairs)) + pairs


def generate(pipeline: FluxPipeline, captions: list[str], seeds: list[int]) -> list[np.ndarray]:
    pictures = []
    for start in range(0, len(captions), 16):
        part = slice(start, start + 16)
        images = pipeline(captions[part], height=data.SIZE, width=data.SIZE, num_inference_steps=STEPS, max_sequence_length=TOKENS,
                          generator=[torch.Generator().manual_seed(seed) for seed in seeds[part]]).images
        pictures += [np.asarray(image) for image in images]
    return pictures


def summary(judge: Judge, scenes, pictures) -> dict:
    ranks, either = {1: [], 2: []}, []
    for scene, picture in zip(scenes, pictures):
        orders = [judge.order(view, scene.colour) for view in close_ups(picture, len(scene.subjects))]
        ranks[len(scene.subjects)] += [order.index(name) for order, name in zip(orders, scene.subjects)]
        if len(scene.subjects) == 2:
            either.append({order[0] for order in orders} == set(scene.subjects))
    share = lambda values, within: round(sum(r < within for r in values) / len(values), 3)
    return {
        "captions": len(scenes), "names": len(judge.names), "steps": STEPS,
        "one_subject_top1": share(ranks[1], 1), "one_subject_top5": share(ranks[1], 5),
        "two_subjects_top1": share(ranks[2], 1), "two_subjects_top5": share(ranks[2], 5),
        "two_subjects_both_in_either_order": round(sum(either) / len(either), 3),
        "all_subjects_top1": share(ranks[1] + ranks[2], 1), "all_subjects_top5": share(ranks[1] + ranks[2], 5),
        "background_right": round(sum(background(p) == s.colour for s, p in zip(scenes, pictures)) / len(scenes), 3),
    }


def sheet(pictures: list[np.ndarray], columns: int) -> Image.Image:
    rows = [np.concatenate(pictures[i:i + columns], axis=1) for i in range(0, len(pictures) - columns + 1, columns)]
    return Image.fromarray(np.concatenate(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipeline", type=Path, default=Path(__file__).resolve().parents[1])
    parser.add_argument("--captions", type=int, default=128)
    parser.add_argument("--dtype", default="float32", choices=("float32", "bfloat16"))
    parser.add_argument("--seed", type=int, default=99)
    parser.add_argument("--sheet", type=Path, help="PNG of the first twelve lines of prompts.txt, seed 7")
    parser.add_argument("--out", type=Path, help="JSON file of the figures")
    args = parser.parse_args()
    pipeline = FluxPipeline.from_pretrained(args.pipeline, torch_dtype=getattr(torch, args.dtype))
    pipeline.set_progress_bar_config(disable=True)
    scenes = questions(args.captions, args.seed)
    pictures = generate(pipeline, [data.caption(s) for s in scenes], list(range(len(scenes))))
    judge = Judge(args.pipeline / "clip_score")
    figures = {"dtype": args.dtype, **summary(judge, scenes, pictures)}
    figures["same_figures_on_real_pictures"] = summary(judge, scenes, [data.draw(s) for s in scenes])
    figures["autoencoder_psnr_db"] = round(autoencoder.psnr(pipeline.vae.float(), autoencoder.scene_pool(64, 1)), 2)
    text = json.dumps(figures, indent=2)
    print(text)
    if args.out:
        args.out.write_text(text + "\n")
    if args.sheet:
        prompts = (args.pipeline / "prompts.txt").read_text().splitlines()[:12]
        sheet(generate(pipeline, prompts, [7] * 12), 6).save(args.sheet, optimize=True)


if __name__ == "__main__":
    main()
