"""The training set of FLUX: latents, T5 ids and pooled CLIP features of many scenes, made once and kept in memory."""
import argparse
import os
from pathlib import Path

import torch
from transformers import CLIPTextModel, CLIPTokenizer, T5Tokenizer

import captions
import pictures
from scenes import SIZE_SHARES, SIZES, training_scene
from vocabulary import TOKENS
from workplace import chunk_rng, device

CHUNK, CAPTIONS = 64, 2  # scenes in a chunk, all of one size; captions of each scene
SHORT = 24  # pieces that nearly all captions fit into
CHECK = 512  # scenes of one size that are held back, so that the loss on them tells what was learnt by heart; at most a tenth


def pack(latents: torch.Tensor) -> torch.Tensor:
    """(b, c, h, w) to the (b, h/2·w/2, 4c) tokens of FLUX."""
    b, c, h, w = latents.shape
    return latents.view(b, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5).reshape(b, h * w // 4, c * 4)


def unpack(tokens: torch.Tensor, width: int, height: int) -> torch.Tensor:
    """The inverse of pack for a picture of width × height pixels: (b, c, height / 8, width / 8)."""
    rows, columns, channels = height // 16, width // 16, tokens.shape[2] // 4
    return tokens.view(-1, rows, columns, channels, 2, 2).permute(0, 3, 1, 4, 2, 5).reshape(-1, channels, 2 * rows, 2 * columns)


class Texts:
    """Both tokenizers and the frozen CLIP text encoder of a pipeline folder."""

    def __init__(self, pipeline: Path):
        os.environ["TOKENIZERS_PARALLELISM"] = "false"  # workers are forked
        self.clip_tokenizer = CLIPTokenizer.from_pretrained(pipeline / "tokenizer")
        self.t5_tokenizer = T5Tokenizer.from_pretrained(pipeline / "tokenizer_2")
        self.clip = CLIPTextModel.from_pretrained(pipeline / "text_encoder", dtype=torch.float32).eval().to(device())

    def ids(self, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """(n, 77) CLIP and (n, TOKENS) T5 ids, int16."""
        pad = dict(padding="max_length", truncation=True, return_tensors="pt")
        return (self.clip_tokenizer(texts, max_length=77, **pad).input_ids.short(),
                self.t5_tokenizer(texts, max_length=TOKENS, **pad).input_ids.short())

    @torch.no_grad()
    def pooled(self, clip_ids: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.clip(part.long().to(device())).pooler_output for part in clip_ids.split(1024)])

    def encode(self, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """(n, TOKENS) T5 ids and (n, width) pooled features, on the device."""
        clip_ids, t5_ids = self.ids(texts)
        return t5_ids.long().to(device()), self.pooled(clip_ids)


class Chunks:
    """Chunk number → (size index, pixels, CLIP ids, T5 ids); sizes follow their shares in a fixed cycle."""

    def __init__(self, texts: Texts, seed: str):
        self.texts, self.seed = texts, seed
        cycle = [size for size, share in enumerate(SIZE_SHARES) for _ in range(round(share * 50))]
        self.cycle = [cycle[i * 17 % len(cycle)] for i in range(len(cycle))]  # 17 and 50 share no factor: a fixed mixture

    def __call__(self, index: int):
        rng, size = chunk_rng("flux", self.seed, index), self.cycle[index % len(self.cycle)]
        scenes = [training_scene(rng, SIZES[size]) for _ in range(CHUNK)]
        clip_ids, t5_ids = self.texts.ids([captions.random_caption(scene, rng) for scene in scenes for _ in range(CAPTIONS)])
        return size, pictures.tensor(scenes), clip_ids, t5_ids


@torch.no_grad()
def make(pipeline: Path, file: Path, part: int, args: argparse.Namespace) -> None:
    """Writes args.scenes scenes, rounded up to whole chunks, sorted by size; other ones for every part."""
    texts = Texts(pipeline)
    vae = pictures.autoencoder(pipeline).to(device())
    parts = [([], [], []) for _ in SIZES]
    chunks = pictures.stream(Chunks(texts, f"{args.seed}/{part}"), 0, args.workers)
    for _ in range(-(-args.scenes // CHUNK)):
        size, pixels, clip_ids, t5_ids = next(chunks)
        with torch.autocast(device().type, torch.bfloat16, enabled=args.bf16):
            latents = vae.encode(pictures.to_unit(pixels.to(device()))).latents.float() * vae.config.scaling_factor
        pooled = texts.pooled(clip_ids).half().view(CHUNK, CAPTIONS, -1)
        for kept, value in zip(parts[size], (pack(latents).half(), t5_ids.view(CHUNK, CAPTIONS, -1), pooled)):
            kept.append(value.cpu())
    empty_ids, empty_pooled = texts.encode([""])
    stored = {f"{key}{size}": torch.cat(kept) for size, part in enumerate(parts) if part[0]
              for key, kept in zip(("latents", "ids", "pooled"), part)}
    torch.save(stored | dict(empty_ids=empty_ids.cpu(), empty_pooled=empty_pooled.cpu()), file)


class Dataset:
    """Batches on the device, of the scenes of one part; made and written to dataset-PART.pt in `folder` at first use, in place of other parts."""

    def __init__(self, pipeline: Path, folder: Path, part: int, args: argparse.Namespace):
        file = folder / f"dataset-{part}.pt"
        if not file.exists():
            for other in folder.glob("dataset-*.pt"):
                other.unlink()
            unfinished = file.with_suffix(".part")
            make(pipeline, unfinished, part, args)
            unfinished.replace(file)
        self.stored = {key: value.to(device()) for key, value in torch.load(file, weights_only=True).items()}
        self.sizes = [size for size in range(len(SIZES)) if f"latents{size}" in self.stored]
        keys = [f"{key}{self.sizes[0]}" for key in ("latents", "ids", "pooled")]
        checked = min(CHECK, len(self.stored[keys[0]]) // 10)
        self._unseen = [self.stored[key][-checked:] for key in keys]
        self.stored |= {key: self.stored[key][:-checked] for key in keys}
        self._seen = [self.stored[key][-checked:] for key in keys]
        self.short = {size: (self.stored[f"ids{size}"][..., SHORT:] == 0).all(-1).nonzero() for size in self.sizes}  # rows: scene, caption

    def __len__(self) -> int:
        return sum(len(self.stored[f"latents{size}"]) for size in self.sizes)

    def check(self, seen: bool) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(latents, T5 ids, pooled) of the same scenes every time: some that batch() draws from, or as many that it never gives."""
        latents, ids, pooled = self._seen if seen else self._unseen
        return latents.float(), ids[:, 0].long(), pooled[:, 0].float()

    def empty(self, count: int, length: int) -> tuple[torch.Tensor, torch.Tensor]:
        """(T5 ids, pooled) of no caption, `count` times, padded to `length` pieces."""
        ids, pooled = self.stored["empty_ids"][0], self.stored["empty_pooled"]
        ids = torch.nn.functional.pad(ids, (0, max(0, length - len(ids))))[:length]
        return ids.expand(count, -1), pooled.expand(count, -1)

    def batch(self, size: int, count: int, empty_share: float, short: bool, generator: torch.Generator):
        """(latents, T5 ids, pooled) of `count` random scenes of one size, with a random caption each; some with none. `short`: captions of at
        most SHORT pieces, with as many ids."""
        latents, ids, pooled = (self.stored[f"{key}{size}"] for key in ("latents", "ids", "pooled"))
        draw = lambda high: torch.randint(0, high, (count,), generator=generator, device=device())
        scene, which = self.short[size][draw(len(self.short[size]))].T if short else (draw(len(latents)), draw(CAPTIONS))
        length = SHORT if short else ids.shape[2]
        empty = (torch.rand(count, generator=generator, device=device()) < empty_share)[:, None]
        return (latents[scene].float(), torch.where(empty, self.stored["empty_ids"][:, :length], ids[scene, which, :length].long()),
                torch.where(empty, self.stored["empty_pooled"], pooled[scene, which].float()))
