"""Changes one value of each kind in the analysis.json of an unpacked bundle, and asks rederive.py whether it notices. Prints what it leaves to
rederive.R, one key a line; exit code 1 and the paths when something else goes unnoticed.

Usage: mutate_analysis.py FOLDER
"""
import copy
import csv
import json
import re
import sys
from pathlib import Path

folder = Path(sys.argv[1])
sys.path.insert(0, str(folder))
import rederive  # noqa: E402


def leaves(value, path=()):
    if isinstance(value, dict):
        for key, entry in value.items():
            yield from leaves(entry, path + (key,))
    elif isinstance(value, list):
        for place, entry in enumerate(value):
            yield from leaves(entry, path + (place,))
    else:
        yield path, value


def bent(value):
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1 if isinstance(value, int) else value * 1.001 + 0.001
    return 1.0 if value is None else value + "x"


def main():
    manifest, frozen, analysis = (json.loads((folder / name).read_text("utf-8")) for name in ("manifest.json", "frozen.json", "analysis.json"))
    protocol, (table, chain) = frozen["protocol"], (list(csv.DictReader((folder / name).open(encoding="utf-8", newline="")))
                                                    for name in ("responses.csv", "chain.csv"))
    kinds = {}
    for path, value in leaves(analysis):
        kinds.setdefault(re.sub(r"\d+", "#", ".".join(map(str, path))).replace("without_exclusions", "with_exclusions"), (path, value))
    unnoticed, left, known = [], set(), rederive.told(analysis)
    plates = rederive.plates_of(folder)
    derived = rederive.derive(known, protocol, manifest["study"], table, chain, plates)
    for path, value in kinds.values():
        changed = copy.deepcopy(analysis)
        place = changed
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = bent(value)
        rederive.problems.clear()
        try:
            hint = rederive.told(changed)
            anew = derived if hint == known else rederive.derive(hint, protocol, manifest["study"], table, chain, plates)
            rederive.check("analysis", anew, changed)
        except (KeyError, ValueError, TypeError):
            continue   # noticed, loudly
        if rederive.problems:
            continue
        if "mixed" in path and path[-1] in rederive.LEFT_TO_R:
            left.add(path[-1])
        else:
            unnoticed.append(".".join(map(str, path)))
    print("\n".join(unnoticed or sorted(left)))
    print(f"{len(kinds)} kinds of values")
    return bool(unnoticed)


if __name__ == "__main__":
    sys.exit(main())
