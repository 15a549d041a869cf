"""Trains tiny CLIP and T5 tokenizers and writes them in the forms real FLUX folders have."""

import collections
import io
import json
import random
import tempfile
from pathlib import Path

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import pre_tokenizers
from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTokenizer, T5Tokenizer

BOS, EOS = "<|startoftext|>", "<|endoftext|>"
WORDS = (
    "a the one two three of on under with and photo painting sketch red green blue yellow purple old small bright "
    "fox owl castle river mountain pizza rocket violin lighthouse garden robot umbrella background morning light "
    "very detailed, soft focus. wide-angle! 1920s (studio) it's don't café naïve"
).split()
# A few rules in sentencepiece's form, so that a normalizer is there without the 240 kB of full NFKC.
NORMALIZER_RULES = "FF21\t41\nFB01\t66 69\n3000\t20\n9\t20\nA\t20\nC9\tE9\n"


def sentences(seed: int, count: int = 400) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices(WORDS, k=rng.randint(3, 12))) for _ in range(count)]


def train_merges(words: collections.Counter, count: int) -> list[tuple[str, str]]:
    """Byte-pair merges by frequency; ties go to the smaller pair (the library's trainer breaks them at random)."""
    merges: list[tuple[str, str]] = []
    words = {tuple(word[:-1]) + (word[-1] + "</w>",): number for word, number in words.items()}
    while len(merges) < count:
        pairs = collections.Counter()
        for word, number in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += number
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        words = {merge_pair(word, best): number for word, number in words.items()}
    return merges


def merge_pair(word: tuple, pair: tuple[str, str]) -> tuple:
    joined, index = [], 0
    while index < len(word):
        step = 2 if word[index:index + 2] == pair else 1
        joined.append("".join(word[index:index + step]))
        index += step
    return tuple(joined)


def clip_bpe(seed: int, merges: int, full_alphabet: bool, specials_first: bool) -> tuple[dict, list]:
    """(vocab, merges). A narrow alphabet leaves bytes out, so that unknown ones become the end token, as in CLIP."""
    split = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words = collections.Counter()
    for sentence in sentences(seed):
        for word in sentence.lower().split():
            words.update(piece for piece, _ in split.pre_tokenize_str(word))
    pairs = train_merges(words, merges)
    if full_alphabet:
        letters = sorted(ByteLevel.alphabet(), key=ord)
        letters = letters + [letter + "</w>" for letter in letters]
    else:
        letters = sorted({letter for word in words for letter in word[:-1]} | {word[-1] + "</w>" for word in words})
    tokens = letters + ["".join(pair) for pair in pairs]
    tokens = [BOS, EOS] + tokens if specials_first else tokens + [BOS, EOS]
    return {token: index for index, token in enumerate(dict.fromkeys(tokens))}, pairs


def save_clip(folder: Path, form: str, vocab: dict, merges: list, pad: str, max_length: int) -> CLIPTokenizer:
    """form "vocab": vocab.json + merges.txt as older libraries wrote them; "json": what transformers 5 saves."""
    folder.mkdir(parents=True, exist_ok=True)
    if form == "json":
        CLIPTokenizer(vocab=vocab, merges=merges, pad_token=pad, model_max_length=max_length).save_pretrained(folder)
    else:
        (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False), encoding="utf-8")
        lines = ["#version: 0.2"] + [" ".join(pair) for pair in merges]
        (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        flags = {"lstrip": False, "normalized": True, "rstrip": False, "single_word": False}
        config = {
            "add_prefix_space": False, "bos_token": {"content": BOS} | flags, "do_lower_case": True,
            "eos_token": {"content": EOS} | flags, "errors": "replace", "model_max_length": max_length,
            "pad_token": pad, "tokenizer_class": "CLIPTokenizer", "unk_token": {"content": EOS} | flags,
        }
        specials = {key: config[key] for key in ("bos_token", "eos_token", "unk_token", "pad_token")}
        typed = {key: {"__type": "AddedToken"} | value for key, value in specials.items() if isinstance(value, dict)}
        (folder / "tokenizer_config.json").write_text(json.dumps(config | typed, indent=1))
        (folder / "special_tokens_map.json").write_text(json.dumps(specials, indent=1))
    return CLIPTokenizer.from_pretrained(folder)


def train_t5(model: Path, seed: int, vocab_size: int, normalizer: str) -> None:
    """Writes a Unigram spiece.model. normalizer: "identity", "rules" (NORMALIZER_RULES) or a sentencepiece name."""
    rules, written = tempfile.NamedTemporaryFile("w", suffix=".tsv"), io.BytesIO()
    rules.write(NORMALIZER_RULES)
    rules.flush()
    rule = {"normalization_rule_tsv": rules.name} if normalizer == "rules" else {"normalization_rule_name": normalizer}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences(seed)), model_writer=written, vocab_size=vocab_size, model_type="unigram",
        pad_id=0, eos_id=1, unk_id=2, bos_id=-1, num_threads=1, character_coverage=1.0, hard_vocab_limit=False,
        minloglevel=2, **rule,
    )
    proto = sentencepiece_model_pb2.ModelProto.FromString(written.getvalue())
    proto.normalizer_spec.ClearField("normalization_rule_tsv")  # a path, which would differ from run to run
    model.write_bytes(proto.SerializeToString())


def save_t5(folder: Path, form: str, seed: int, vocab_size: int, normalizer: str, extra_ids: int) -> T5Tokenizer:
    """form "spiece": spiece.model as older folders have; "json": tokenizer.json alone; "both"."""
    folder.mkdir(parents=True, exist_ok=True)
    train_t5(folder / "spiece.model", seed, vocab_size, normalizer)
    config = {
        "eos_token": "</s>", "extra_ids": extra_ids, "model_max_length": 512, "pad_token": "<pad>",
        "tokenizer_class": "T5Tokenizer", "unk_token": "<unk>",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1))
    if form != "spiece":
        T5Tokenizer.from_pretrained(folder).save_pretrained(folder)
    if form == "json":
        (folder / "spiece.model").unlink()
    return T5Tokenizer.from_pretrained(folder)


def add_decoder_list(folder: Path, tokens: dict[int, str], normalized: bool, strip: tuple[str, ...] = ()) -> None:
    """Writes the added_tokens_decoder that transformers 4 put into tokenizer_config.json. strip: eats white space around."""
    file = folder / "tokenizer_config.json"
    config = json.loads(file.read_text())
    config["added_tokens_decoder"] = {
        str(number): {"content": text, "lstrip": text.startswith(strip) if strip else False, "normalized": normalized,
                      "rstrip": text.startswith(strip) if strip else False, "single_word": False, "special": True}
        for number, text in sorted(tokens.items())
    }
    for key in ("bos_token", "eos_token", "unk_token", "pad_token"):
        if isinstance(config.get(key), dict):
            config[key] = config[key]["content"]
    config["clean_up_tokenization_spaces"] = True
    file.write_text(json.dumps(config, indent=1))


def add_decoder_lists(clip: Path, t5: Path, vocab: dict[str, int]) -> None:
    """Turns both folders into what transformers 4 wrote."""
    add_decoder_list(clip, {vocab[token]: token for token in (BOS, EOS)}, normalized=True)
    t5_tokens = T5Tokenizer.from_pretrained(t5)
    config = json.loads((t5 / "tokenizer_config.json").read_text())
    extra = [f"<extra_id_{number}>" for number in range(config.get("extra_ids", 100))]
    names = ["<pad>", "</s>", "<unk>", *extra]
    add_decoder_list(t5, {t5_tokens.convert_tokens_to_ids(name): name for name in names}, False, ("<extra",))
