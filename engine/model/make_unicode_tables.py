"""Writes unicode_tables.cpp: run it with a recent `regex` module (its Unicode version decides), print to the file."""
import unicodedata

import regex

CLASSES = {"Letter": r"\p{L}", "Number": r"\p{N}", "Mark": r"\p{M}", "Space": r"\p{White_Space}"}
CODES = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def ranges(pattern):
    """[first, last] of every run; None closes the last one."""
    runs = []
    for code in CODES:
        if regex.fullmatch(pattern, chr(code)):
            if runs and runs[-1][1] == code - 1:
                runs[-1][1] = code
            else:
                runs.append([code, code])
    return runs


def lower_runs():
    """[first, last, step, delta]: single-letter lower-casings in runs of equal distance. U+0130 gives two letters: code."""
    runs = []
    for code in CODES:
        lower = chr(code).lower()
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
    for name, pattern in CLASSES.items():
        emit("Range", name, ranges(pattern))
    emit("LowerRun", "Lower", lower_runs())
    emit("Decomposition", "Decomposition", decompositions())
    emit("CombiningRun", "Combining", combining())
    print("}  // namespace quantspot::model::unicode")
