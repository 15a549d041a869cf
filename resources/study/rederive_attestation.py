"""What a study's protocol attests of how its pictures were made, and its colour-vision check: part of rederive.py."""
import csv
import math

from rederive_statistics import counted


def obj(value, key):
    """value[key] where there are objects on the way, else an empty one."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def says(value):
    return isinstance(value, (dict, str)) and bool(value)


def repeats(attested):
    number = attested.get("reference_repeats")
    return isinstance(number, (int, float)) and not isinstance(number, bool) and number == int(number) and number > 0


def has_layers(variant):
    return any(isinstance(part, dict) and says(part.get("layers")) for part in obj(variant, "weights").values())


FACTS = [  # key, words, whether somebody must be believed without it, whether it is known of a comparison
    ("noise", "starting noise", True, lambda a, _: says(a.get("noise_sha256"))),
    ("recipe", "recipe", True, lambda a, _: says(a.get("recipe"))),
    ("weights", "weights of the model", True, lambda a, _: says(obj(a, "model").get("weights_sha256"))),
    ("program", "program", True, lambda a, _: says(obj(a, "engine").get("version"))),
    ("layers", "precision of every layer", True, lambda a, variants: all(map(has_layers, variants))),
    ("policy", "policy", True, lambda a, variants: all(says(v.get("policy")) for v in variants)),
    ("repeat", "the reference drawn twice (noise floor)", False, lambda a, _: repeats(a)),
    ("pixels", "pixels (their hashes lie with the mapping)", False, lambda a, _: says(a.get("pixels"))),
    ("gate", "passed or overruled sanity gate", False, lambda a, _: says(a.get("gate"))),
]


def noise_floor(told):
    drawn = [a for a in told if repeats(a)]
    apart = [a for a in drawn if a.get("reference_repeats_equal") is not True]
    known = [a["reference_repeats_psnr"] for a in apart if type(a.get("reference_repeats_psnr")) in (int, float)]
    worst = f", at worst PSNR {math.floor(min(known) * 10) / 10:.1f} dB" if known else ""
    same = len(drawn) - len(apart)
    of = counted(len(drawn), "comparison", "comparisons")
    return [f"Noise floor: drawn again, the reference had the same pixels in {same} of {of}{worst}."] * bool(drawn)


def attestation(protocol):
    told, model = [obj(c, "attested") for c in protocol["comparisons"]], protocol.get("model", "")
    variants = lambda a: [obj(obj(a, "variants"), v) for v in protocol["variants"]]
    counts = {key: sum(known(a, variants(a)) for a in told) for key, _, _, known in FACTS}
    n, some = len(told), [f"{words} ({counts[key]})" for key, words, _, _ in FACTS if 0 < counts[key] < len(told)]
    every, never = ([words for key, words, _, _ in FACTS if counts[key] == wanted] for wanted in (n, 0))
    overruled = sum(obj(a, "gate").get("overruled") is True for a in told)
    lines = [f"Model: {model or 'not stated'}."]
    lines += [f"Known of {'the one comparison' if n == 1 else f'all {n} comparisons'}: {', '.join(every)}."] * bool(every)
    lines += [f"Known of some of the {n} comparisons: {', '.join(some)}."] * bool(some)
    lines += [f"Not known: {', '.join(never)}."] * bool(never)
    if any(decisive and counts[key] < n for key, _, decisive, _ in FACTS):
        lines.append("That nothing but the variant differs between the pictures is not proved: it is the experimenter's word.")
    lines += noise_floor(told)
    if overruled:
        lines.append(f"The sanity gate was overruled for {overruled} of {counted(n, 'comparison', 'comparisons')}.")
    return {"model": model, "comparisons": n, "facts": [{"fact": key, "comparisons": counts[key]} for key, *_ in FACTS], "lines": lines}


AXES = ("control", "protan", "deutan", "tritan")


def plates_of(folder):
    """The rows of colour_vision.csv; none where the protocol has no colour-vision check."""
    path = folder / "colour_vision.csv"
    return list(csv.DictReader(path.open(encoding="utf-8", newline=""))) if path.exists() else []


def plates_read(rows, participant):
    """Of the three axes, without the control."""
    return sum(r["answer"] == r["numeral"] for r in rows if r["participant"] == participant and r["axis"] != "control")


def colour_vision(protocol, rows):
    """The figures of the check; nothing without one."""
    each = protocol.get("colour_vision", {}).get("plates_per_axis", 0)
    if not each:
        return {}
    read = lambda mine, axis: sum(r["answer"] == r["numeral"] for r in mine if r["axis"] == axis)
    people = {name: [r for r in rows if r["participant"] == name] for name in sorted({r["participant"] for r in rows})}
    return {"colour_vision": {
        "plates_per_axis": each, "needed": protocol["exclusion"].get("min_plates_read", 0),
        "axes": [{"axis": axis, "read": read(rows, axis), "shown": sum(r["axis"] == axis for r in rows)} for axis in AXES],
        "participants": [{"participant": name, **{axis: read(mine, axis) for axis in AXES}} for name, mine in people.items()]}}
