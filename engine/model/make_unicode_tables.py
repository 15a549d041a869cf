"""Writes unicode_tables.cpp to stdout, from the packages of tests/parity/requirements.txt (and `regex`).

Classes and lower case are asked of the tokenizers library itself, because its regular expressions and its Rust code each
know another version of Unicode; grapheme classes come from `regex`, compositions from Python.
"""
import unicodedata

import regex
from tokenizers import Regex, normalizers, pre_tokenizers

CODES = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
MATCHED = {"Letter": r"\p{L}+", "Number": r"\p{N}+", "Space": r"\s+"}
GRAPHEME = {"Extend": r"[\p{GCB=Extend}\p{GCB=SpacingMark}\p{GCB=ZWJ}]", "Control": r"[\p{GCB=Control}\p{GCB=CR}\p{GCB=LF}]",
            "Prepend": r"\p{GCB=Prepend}"}


def matched(pattern):
    split = pre_tokenizers.Split(Regex(pattern), behavior="removed", invert=True)
    return sorted({ord(c) for piece, _ in split.pre_tokenize_str("".join(map(chr, CODES))) for c in piece})


def ranges(codes):
    """[first, last] of every run."""
    runs = []
    for code in codes:
        if runs and runs[-1][1] == code - 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return runs


def lower_runs():
    """[first, last, step, delta]: single-letter lower-casings in runs of equal distance. U+0130 gives two letters: code."""
    runs = []
    lowercase = normalizers.Lowercase()
    for code in CODES:
        lower = lowercase.normalize_str(chr(code))
        if lower == chr(code) or len(lower) != 1:
            continue
        delta = ord(lower) - code
        last = runs[-1] if runs else None
        if last and last[3] == delta and code - last[1] == (last[2] or code - last[1]) <= 2:
            last[2] = code - last[1]
            last[1] = code
        else:
            runs.append([code, code, 0, delta])
    return [[a, b, s or 1, d] for a, b, s, d in runs]


def decompositions():
    """[code, first, second, composes]: canonical ones; second is 0 for a singleton."""
    rows = []
    for code in CODES:
        parts = unicodedata.decomposition(chr(code)).split()
        if parts and not parts[0].startswith("<"):
            values = [int(p, 16) for p in parts] + [0]
            rows.append([code, values[0], values[1], int(unicodedata.normalize("NFC", chr(code)) == chr(code))])
    return rows


def combining():
    runs = []
    for code in CODES:
        value = unicodedata.combining(chr(code))
        if not value:
            continue
        if runs and runs[-1][1] == code - 1 and runs[-1][2] == value:
            runs[-1][1] = code
        else:
            runs.append([code, code, value])
    return runs


def emit(kind, name, rows):
    print(f"static constexpr {kind} {name.lower()}Data[] = {{")
    line = ""
    for row in rows:
        item = "{" + ",".join(map(str, row)) + "},"
        if len(line) + len(item) > 148:
            print(line)
            line = ""
        line += item
    print(line + "};")
    print(f"const std::span<const {kind}> k{name}{{{name.lower()}Data}};\n")


if __name__ == "__main__":
    print("// Written by make_unicode_tables.py; do not edit.")
    print('#include "engine/model/unicode_tables.h"\n\nnamespace quantspot::model::unicode {\n')
    for name, pattern in MATCHED.items():
        emit("Range", name, ranges(matched(pattern)))
    for name, pattern in GRAPHEME.items():
        emit("Range", name, ranges(c for c in CODES if regex.fullmatch(pattern, chr(c))))
    emit("LowerRun", "Lower", lower_runs())
    emit("Decomposition", "Decomposition", decompositions())
    emit("CombiningRun", "Combining", combining())
    print("}  // namespace quantspot::model::unicode")
