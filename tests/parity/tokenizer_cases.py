"""Group 3: token ids of awkward prompts, by every file form that a tokenizer folder can have."""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

from transformers import CLIPTokenizer, T5Tokenizer

from tiny_tokenizers import save_t5, train_t5

PROMPTS = [
    "", " ", "a", "a fox on a yellow background", "A FOX On A YeLLoW BackGround", "  two  spaces   and\ttab\nnewline\r\n ",
    "don't, can't, we're, I've, I'm, she'll, he'd, it's", "DON'T it'S o'clock 'tis rock'n'roll''", "3,14159 2024 1st 007 ½ ² ٣ Ⅷ",
    "naïve café Ångström ÇA ÑANDÚ İstanbul Straße ŒUVRE", "cafe\u0301 A\u030angstro\u0308m n\u0303",  # decomposed
    "漢字とかな カタカナ 한국어 русский ελληνικά عربى עברית हिन्दी ไทย", "🦊 on a 🟨 background 👩‍🚀🏳️‍🌈👍🏽 ☃︎ ❤️",
    "ﬁne ﬂuﬀ Ａ１２ ｶﾞ ① ㎏ … ‘quotes’ “double” — dash – en", "!!! ??? ... ,,, ;;; #hashtag @user $5 50% a/b\\c <tag> [x] {y} (z) ~`^*_+=|&",
    "under_score CamelCase kebab-case dot.dot a.b.c 1.5x v2.0", "http://example.org/?q=a+b&c=d#e me@example.org",
    "zero\u200bwidth no\u00a0break soft\u00adhyphen \ufeffbom ideographic\u3000space line\u2028separator nel\u0085x",
    "control\x01char \x7f \x00nul", "\u0130 \u1e9e \u03a3\u03a3 \ua64a \u01c5", "𝒻𝒶𝓃𝒸𝓎 𝐁𝐨𝐥𝐝 𐐀 🅰 \U0001f1eb\U0001f1f7",
    "<|endoftext|> a fox <|startoftext|>", "a fox<|endoftext|>on", "</s> a </s>b <pad> <unk> <extra_id_0> <extra_id_7>",
    "▁under ▁▁score a▁b", "a" * 60, "fox" * 30, "supercalifragilisticexpialidocious antidisestablishmentarianism",
    "a red fox and a blue owl and a green castle under soft morning light " * 8, ", " * 90, "🦊" * 40, "é" * 50,
]
HERE = Path(__file__).parent
DEFAULT, GOLDEN = "resources/default_model", "tests/parity/golden"
TOKENIZERS = [  # class, folder from the repository root, the files that are there
    (CLIPTokenizer, f"{DEFAULT}/tokenizer", ["vocab.json", "merges.txt"]),
    (CLIPTokenizer, f"{DEFAULT}/clip_score", ["tokenizer.json"]),
    (T5Tokenizer, f"{DEFAULT}/tokenizer_2", ["spiece.model"]),
    (CLIPTokenizer, f"{GOLDEN}/flux_a/pipeline/tokenizer", ["vocab.json", "merges.txt"]),
    (CLIPTokenizer, f"{GOLDEN}/flux_b/pipeline/tokenizer", ["tokenizer.json"]),
    (CLIPTokenizer, f"{GOLDEN}/flux_c/pipeline/tokenizer", ["vocab.json", "merges.txt"]),
    (T5Tokenizer, f"{GOLDEN}/flux_a/pipeline/tokenizer_2", ["spiece.model"]),
    (T5Tokenizer, f"{GOLDEN}/flux_b/pipeline/tokenizer_2", ["tokenizer.json"]),
    (T5Tokenizer, f"{GOLDEN}/flux_c/pipeline/tokenizer_2", ["spiece.model"]),
    (T5Tokenizer, f"{GOLDEN}/tokenizers/t5_json", ["tokenizer.json"]),  # as flux_c's, without a normalizer
    (T5Tokenizer, f"{GOLDEN}/tokenizers/t5_both", ["spiece.model", "tokenizer.json"]),  # they differ: json wins
]


def make_t5_forms(golden: Path) -> None:
    """t5_both holds a spiece.model with normalizer rules beside a tokenizer.json without, as the reference allows."""
    save_t5(golden / "tokenizers" / "t5_json", "json", 33, 150, "identity", 3)
    save_t5(golden / "tokenizers" / "t5_both", "json", 33, 150, "identity", 3)
    train_t5(golden / "tokenizers" / "t5_both" / "spiece.model", 33, 150, "rules")


def ids_of(kind: type, folder: Path, files: list[str]) -> list[list[int]]:
    """Ids with specials, neither cut nor padded, by a copy of the folder that holds these files alone."""
    with tempfile.TemporaryDirectory() as scratch:
        for name in [*files, "tokenizer_config.json"]:
            shutil.copy(folder / name, scratch)
        tokenizer = kind.from_pretrained(scratch)
        return [tokenizer(prompt).input_ids for prompt in PROMPTS]


def make(golden: Path) -> None:
    root, rows = HERE.parent.parent, []
    make_t5_forms(golden)
    for kind, folder, files in TOKENIZERS:
        digest = [hashlib.sha256((root / folder / name).read_bytes()).hexdigest() for name in files]
        rows.append({"class": kind.__name__, "folder": folder, "files": files, "sha256": digest,
                     "ids": ids_of(kind, root / folder, files)})
    lines = ",\n  ".join(json.dumps(row) for row in rows)
    text = f'{{"prompts": {json.dumps(PROMPTS)},\n "tokenizers": [\n  {lines}\n]}}\n'
    (golden / "tokenizers" / "cases.json").write_text(text)
    print(f"tokenizers: {len(rows)} forms, {len(PROMPTS)} prompts each")
