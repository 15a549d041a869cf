"""Figures of the finished model at every precision: draws the held-out captions with quantspot-cli and measures the pictures.

The same measures on real composed pictures, and on these after the autoencoder alone, stand beside them: what the measures can reach.
"""
import argparse
import collections
import json
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image

import emoji
import grid
import heldout
import judge
import pictures
import render
from workplace import work_dir

PRECISIONS = ",".join("""bf16 fp32 fp16 fp8-layerwise fp8-layerwise-e5m2 torchao-fp8wo torchao-fp8dq quanto-fp8 bnb-int8 torchao-int8wo torchao-int8dq
quanto-int8 quanto-int8a8 int8-dynamic gguf-q8_0 gguf-q6_k gguf-q5_k gguf-q5_1 gguf-q5_0 bnb-nf4 bnb-nf4-dq bnb-fp4 bnb-fp4-dq torchao-int4wo
quanto-int4 gguf-q4_k gguf-q4_1 gguf-q4_0 gguf-q3_k gguf-q2_k quanto-int2""".split())
STEPS = 20


def run_cli(cli: Path, model: Path, entries: list[dict], precisions: list[str], folder: Path, threads: int) -> dict[str, dict[str, np.ndarray]]:
    """Pictures by precision and caption; one call of `compare` for every size and seed, skipped where its report exists."""
    drawn, groups = collections.defaultdict(dict), collections.defaultdict(list)
    for entry in entries:
        groups[entry["scene"].width, entry["scene"].height, entry["seed"]].append(entry["caption"])
    for (width, height, seed), texts in groups.items():
        place = folder / f"{width}x{height}-seed{seed}"
        if not (place / "report.json").exists():
            place.mkdir(parents=True, exist_ok=True)
            (place / "prompts.txt").write_text("\n".join(texts) + "\n")
            subprocess.run([cli, "compare", "--model", model, "--precisions", ",".join(precisions), "--prompts", place / "prompts.txt",
                            "--seeds", str(seed), "--steps", str(STEPS), "--width", str(width), "--height", str(height), "--batch", "8",
                            "--threads", str(threads), "--out", place, "--metrics", "psnr", "--no-repeat"], check=True, stdout=subprocess.DEVNULL)
        for comparison in json.loads((place / "report.json").read_text())["comparisons"]:
            for sample in comparison["samples"]:
                with Image.open(place / sample["image"]) as image:
                    drawn[sample["precision"]][comparison["recipe"]["prompt"]] = np.asarray(image.convert("RGB"))
    return drawn


def share(values: list[bool]) -> float | None:
    return round(sum(values) / len(values), 3) if values else None


def figures(judged: judge.Judge, entries: list[dict], drawn: dict[str, np.ndarray]) -> dict:
    """All measures of one set of pictures (by caption). Shares of 1, or null where nothing was asked."""
    ranks, colours, counts, read = collections.defaultdict(list), [], [], []
    for entry in entries:
        scene, picture = entry["scene"], drawn[entry["caption"]]
        ranks[scene.kind] += judged.ranks(picture, scene)
        colours.append(judge.background_right(picture, scene))
        counts += [judge.count_things(picture, scene) == len(scene.subjects)] if scene.kind == "count" else []
        read += [judge.read_sign(picture, scene) == scene.sign.word] if scene.sign else []
    every = sum(ranks.values(), [])
    return dict(subject_top1=share([r < 1 for r in every]), subject_top5=share([r < 5 for r in every]),
                one_subject_top1=share([r < 1 for r in ranks["one"]]), one_subject_top5=share([r < 5 for r in ranks["one"]]),
                background=share(colours), count=share(counts), sign=share(read))


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255 ** 2 / max(1e-9, np.mean((a.astype(float) - b) ** 2))))


def table(result: dict) -> str:
    """Markdown: one row per precision, then what the measures reach on real pictures."""
    columns = ("subject_top1", "subject_top5", "one_subject_top1", "one_subject_top5", "background", "count", "sign")
    lines = ["| | " + " | ".join(c.replace("_", " ") for c in columns) + " | PSNR to the first |", "|---" * (len(columns) + 2) + "|"]
    for name, row in (result["precisions"] | result["real"]).items():
        cells = ["–" if row[c] is None else f"{row[c]:.1%}" for c in columns] + [f"{row['psnr_to_first']} dB" if "psnr_to_first" in row else ""]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def evaluate(args: argparse.Namespace) -> dict:
    entries = heldout.read(args.captions)
    entries = entries[::max(1, len(entries) // args.limit)][:args.limit] if args.limit else entries
    names = list(emoji.table())
    judged = judge.Judge(args.model / "clip_score", names)
    precisions = args.precisions.split(",")
    drawn = run_cli(args.cli, args.model, entries, precisions, args.pictures, args.threads)
    real = {entry["caption"]: render.render(entry["scene"]) for entry in entries}
    vae = pictures.autoencoder(args.model)
    decoded = {text: pictures.decoded(vae, picture, bf16=False) for text, picture in real.items()}
    result = dict(captions=len(entries), names=len(names), steps=STEPS, precisions={}, real={})
    for precision in precisions:
        row = figures(judged, entries, drawn[precision])
        if precision != precisions[0]:
            row["psnr_to_first"] = round(float(np.mean([psnr(drawn[precision][t], drawn[precisions[0]][t]) for t in real])), 1)
        result["precisions"][precision] = row
    for label, kept in (("real pictures", real), ("real pictures, autoencoder only", decoded)):
        result["real"][label] = figures(judged, entries, kept)
    result["autoencoder_psnr_db"] = round(float(np.mean([psnr(real[t], decoded[t]) for t in real])), 2)
    square = [e["caption"] for e in entries if e["scene"].width == e["scene"].height]
    result["clip_retrieval"] = dict(among=len(square), share=round(judged.retrieval(square, [real[t] for t in square]), 3))
    if args.grid:
        grid.grid(entries, {precision: drawn[precision] for precision in precisions}).save(args.grid, quality=85)
        result["grid"] = [entry["caption"] for entry in grid.columns(entries)]
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path(__file__).resolve().parents[1])
    parser.add_argument("--cli", type=Path, default=Path(__file__).resolve().parents[3] / "build/release/bin/quantspot-cli")
    parser.add_argument("--captions", type=Path, default=heldout.FILE)
    parser.add_argument("--precisions", default=PRECISIONS, help="policies separated by commas; PSNR is against the first")
    parser.add_argument("--limit", type=int, help="only so many captions, evenly chosen")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pictures", type=Path, default=work_dir() / "evaluation", help="where pictures are kept; finished ones are not drawn again")
    parser.add_argument("--grid", type=Path, help="picture (.webp, .png) with a row for every precision; its captions are printed")
    parser.add_argument("--out", type=Path, help="JSON file of the figures")
    args = parser.parse_args()
    if not args.cli.exists():
        raise SystemExit(f"{args.cli}: no such program; build it with `cmake --build build/release --target quantspot-cli` or give --cli")
    result = evaluate(args)
    print(table(result))
    print(json.dumps({key: value for key, value in result.items() if key not in ("precisions", "real")}, indent=2))
    if args.out:
        args.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
