#!/usr/bin/env python3
"""Checks an unpacked QuantSpot bundle without QuantSpot: hashes, the chain of records, and the figures of analysis.json
from responses.csv. Python's standard library only. The mixed models and psychometric functions are derived by rederive.R.

Usage: python3 rederive.py [FOLDER] [HEAD-HASH]      exit code 0: everything agrees
"""
import csv
import hashlib
import json
import math
import statistics
import sys
from pathlib import Path

TOLERANCE = 1e-6
compared, problems = 0, []


def check(name, found, stated):
    """One figure; None stands for undefined or infinite on both sides."""
    global compared
    compared += 1
    if isinstance(found, (list, tuple)):
        for k, pair in enumerate(zip(found, stated)):
            check(f"{name}[{k}]", *pair)
    elif found is None or stated is None or isinstance(found, str):
        infinite = isinstance(found, float) and math.isinf(found) and stated is None
        if found != stated and not infinite:
            problems.append(f"{name}: {found}, stated {stated}")
    elif abs(found - stated) > TOLERANCE * max(1, abs(stated)):
        problems.append(f"{name}: {found}, stated {stated}")


def sha(data):
    return hashlib.sha256(data).hexdigest()


# ---- evidence

def check_files(folder, manifest):
    for name, digest in manifest["files"].items():
        if sha((folder / name).read_bytes()) != digest:
            problems.append(f"{name}: its hash is not the manifest's")
    frozen = (folder / "frozen.json").read_bytes()
    check("study hash", sha(frozen), manifest["study"])
    check("mapping", sha((folder / "mapping.json").read_bytes()), json.loads(frozen)["mapping_sha256"])
    for digest in json.loads(frozen)["images_sha256"]:
        check("picture " + digest[:8], sha((folder / "images" / (digest + ".png")).read_bytes()), digest)


def check_chain(rows, study, head):
    previous, erased, named = study, set(), set()
    for place, row in enumerate(rows, 1):
        if int(row["number"]) != place:
            problems.append(f"record {row['number']} stands at place {place}")
        if sha(f"{previous}\n{row['number']}\n{row['commitment']}".encode()) != row["hash"]:
            problems.append(f"record {row['number']}: its hash does not follow from the one before")
        if not row["salt"] and not row["record"]:
            erased.add(place)
        elif sha((row["salt"] + row["record"]).encode()) != row["commitment"]:
            problems.append(f"record {row['number']}: its content is not what was recorded")
        else:
            record = json.loads(row["record"])
            named.update(record.get("records", []) if record["kind"] == "erasure" else [])
        previous = row["hash"]
    if erased != named:
        problems.append(f"erased records and erasures differ: {sorted(erased ^ named)}")
    check("head hash", previous, head)


# ---- distributions and solvers

def binomial(k, n, p):
    if p in (0, 1):
        return float(k == n * p)
    return math.exp(math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(p) + (n - k) * math.log1p(-p))


def at_least(k, n, p):
    return math.fsum(binomial(i, n, p) for i in range(k, n + 1))


def bisect(function, low, high):
    rising = function(high) > 0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (low, middle) if (function(middle) > 0) == rising else (middle, high)
    return (low + high) / 2


def exact_interval(k, n, level):
    tail = (1 - level) / 2
    return (0.0 if k == 0 else bisect(lambda p: at_least(k, n, p) - tail, 0, 1), 1.0 if k == n else bisect(lambda p: tail - 1 + at_least(k + 1, n, p), 0, 1))


def always_valid_interval(k, n, level, tuned):
    def excess(p):
        odds, variance = math.log(20), p * (1 - p)
        r = max(variance * tuned / (2 * odds + math.log1p(2 * odds)) - variance, 1e-3 * variance)
        a, b = r / (1 - p), r / p
        beta = lambda x, y: math.lgamma(x) + math.lgamma(y) - math.lgamma(x + y)
        return beta(a + k, b + n - k) - beta(a, b) - k * math.log(p) - (n - k) * math.log1p(-p) + math.log(1 - level)
    edge, seen = 1e-12, min(max(k / n, 1e-12), 1 - 1e-12)
    low = bisect(excess, edge, seen) if k > 0 and excess(edge) > 0 else 0.0
    return low, bisect(excess, seen, 1 - edge) if k < n and excess(1 - edge) > 0 else 1.0


NORMAL = statistics.NormalDist()
CDF, Z = NORMAL.cdf, NORMAL.inv_cdf


def simpson(function, low, high, steps=600):
    h = (high - low) / steps
    return h / 3 * math.fsum(function(low + i * h) * (1 if i in (0, steps) else 4 if i % 2 else 2) for i in range(steps + 1))


def rate_of(kind, d, m):
    if kind == "mafc":
        return CDF(d / math.sqrt(2)) if m == 2 else simpson(lambda x: NORMAL.pdf(x - d) * CDF(x) ** (m - 1), d - 9, d + 9)
    if kind == "oddity":
        return simpson(lambda x: 2 * (CDF(-x * math.sqrt(3) + d * math.sqrt(2 / 3)) + CDF(-x * math.sqrt(3) - d * math.sqrt(2 / 3))) * NORMAL.pdf(x), 0, 9)
    other = math.sqrt(6) if kind == "differencing" else 2
    return CDF(d / math.sqrt(2)) * CDF(d / other) + CDF(-d / math.sqrt(2)) * CDF(-d / other)


def dprime(kind, rate, m):
    if rate <= {"mafc": 1 / m, "oddity": 1 / 3}.get(kind, 0.5):
        return 0.0
    low, high = 0.0, 40.0
    if rate >= 1:
        return math.inf
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if rate_of(kind, middle, m) < rate else (low, middle)
    return (low + high) / 2


def same_different(kind, hit, alarm):
    if kind == "independent":
        best = CDF((Z(hit) - Z(alarm)) / 2)
        return math.copysign(2 * Z((1 + math.sqrt(abs(2 * best - 1))) / 2), best - 0.5)
    if hit <= alarm:
        return 0.0
    k = math.sqrt(2) * Z(alarm / 2)
    return bisect(lambda d: CDF((k + d) / math.sqrt(2)) + CDF((k - d) / math.sqrt(2)) - hit, 0, 40)


def solve(matrix, right):
    n = len(right)
    rows = [list(row) + [value] for row, value in zip(matrix, right)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda r: abs(rows[r][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for r in range(n):
            if r != i:
                factor = rows[r][i] / rows[i][i]
                rows[r] = [x - factor * y for x, y in zip(rows[r], rows[i])]
    return [rows[i][n] / rows[i][i] for i in range(n)]


def choices(sets, count, firth):
    """Conditional logit by Newton's method; sets: lists of (features, chosen). Returns parameters and standard errors."""
    at = [0.0] * count
    for _ in range(500):
        gradient, information, moments = [0.0] * count, [[0.0] * count for _ in at], []
        for options in sets:
            weights = [math.exp(sum(f.get(i, 0) * at[i] for i in f)) for f, _ in options]
            total, n = sum(weights), sum(chosen for _, chosen in options)
            mean = [sum(w * f.get(i, 0) for w, (f, _) in zip(weights, options)) / total for i in range(count)]
            for w, (f, chosen) in zip(weights, options):
                x = [f.get(i, 0) - mean[i] for i in range(count)]
                moments.append((n * w / total, x))
                for i in range(count):
                    gradient[i] += chosen * x[i]
                    for j in range(count):
                        information[i][j] += n * w / total * x[i] * x[j]
        inverse = [solve(information, [float(i == j) for j in range(count)]) for i in range(count)]
        if firth:
            for weight, x in moments:
                spread = sum(x[i] * inverse[i][j] * x[j] for i in range(count) for j in range(count))
                for i in range(count):
                    gradient[i] += weight * spread * x[i] / 2
        step = solve(information, gradient)
        largest = max(map(abs, step))
        at = [a + s * min(1, 1 / largest if largest else 1) for a, s in zip(at, step)]
        if largest < 1e-12:
            break
    return at, [math.sqrt(inverse[i][i]) for i in range(count)]


# ---- figures

def detection(rows, stated, plan, stopping):
    for figure in stated:
        name = f"{figure['kind']} {figure['variant']}"
        mine = [r for r in rows if r["role"] == "main" and r["kind"] == figure["kind"] and r["variants"] == figure["variant"]
                and r["correct"] != "NA" and len(r["shown"].split("|")) == figure["slots"]]
        k, n, chance, level = sum(r["correct"] == "1" for r in mine), len(mine), figure["chance"], plan["level"]
        interval = always_valid_interval(k, n, level, stopping["tuned_for"]) if stopping["rule"] == "always-valid" else exact_interval(k, n, level)
        corrected = lambda p: max(0.0, (p - chance) / (1 - chance))
        check(name + " counts", [k, n, len({r["participant"] for r in mine})], [figure["correct"], figure["trials"], figure["people"]])
        check(name + " chance", float(mine[0]["chance"]), chance)
        check(name + " rate", [k / n, *interval, at_least(k, n, chance)], [figure["rate"], *figure["rate_interval"], figure["p"]])
        check(name + " detection", [corrected(k / n), *map(corrected, interval)], [figure["detection"], *figure["detection_interval"]])
        for key, part in (("per_participant", "participant"), ("per_prompt", "comparison")):
            for entry in figure[key]:
                those = [r for r in mine if r[part] == entry[part]]
                check(f"{name} {entry[part]}", [sum(r["correct"] == "1" for r in those), len(those)], [entry["correct"], entry["trials"]])
        sensitivity(name, mine, figure, k / n, exact_interval(k, n, level))
    adjusted, order, largest = [None] * len(stated), sorted(range(len(stated)), key=lambda i: stated[i]["p"]), 0
    for rank, i in enumerate(order):
        largest = max(largest, min(1, (len(stated) - rank) * stated[i]["p"]))
        adjusted[i] = largest
    check("p after Holm", adjusted, [figure["p_holm"] for figure in stated])


def sensitivity(name, mine, figure, rate, interval):
    stated = figure["dprime"]
    if figure["kind"] != "same-different":
        for kind, value in stated.items():
            check(f"{name} d' {kind}", [dprime(kind, p, figure["slots"]) for p in (rate, *interval)], [value["value"], *value["interval"]])
        return
    cells = [sum(r["truth"] == truth and r["answer"] == "different" for r in mine) for truth in ("different", "same")]
    sizes = [sum(r["truth"] == truth for r in mine) for truth in ("different", "same")]
    check(name + " counts", [cells[0], sizes[0], cells[1], sizes[1]], [stated[key] for key in ("hits", "different", "false_alarms", "same")])
    more = 0.5 if any(c in (0, s) for c, s in zip(cells, sizes)) else 0
    for kind in ("differencing", "independent"):
        if kind in stated:
            check(f"{name} d' {kind}", same_different(kind, *((c + more) / (s + 2 * more) for c, s in zip(cells, sizes))), stated[kind]["value"])


def visibility(stated, detected, level):
    for entry in stated:
        mine = [f for f in detected if f["variant"] == entry["variant"]]
        n, z = sum(f["trials"] for f in mine), Z((1 + level) / 2)
        value = sum(f["trials"] * (f["rate"] - f["chance"]) / (1 - f["chance"]) for f in mine) / n
        spread = 0
        for f in mine:
            p = (f["correct"] + 2) / (f["trials"] + 4)
            spread += f["trials"] ** 2 * p * (1 - p) / (f["trials"] + 4) / (1 - f["chance"]) ** 2
        half = z * math.sqrt(spread) / n
        check("visibility " + entry["variant"], [value, value - half, value + half, n], [entry["detection"], *entry["interval"], entry["trials"]])
    check("visibility's order", sorted((e["detection"] for e in stated), reverse=True), [e["detection"] for e in stated])


def preference(rows, stated, reference):
    mine = [dict(r, pair=r["shown"].split("|")) for r in rows if r["role"] == "main" and r["kind"] == "preference"]
    for entry in stated["against_reference"]:
        those = [r for r in mine if set(r["pair"]) == {reference, entry["variant"]}]
        won = [r["pair"]["AB".index(r["answer"])] for r in those if r["answer"] != "tie"]
        better, worse = won.count(entry["variant"]), won.count(reference)
        n = better + worse
        p = min(1.0, math.fsum(q for q in (binomial(i, n, 0.5) for i in range(n + 1)) if q <= binomial(better, n, 0.5) * (1 + 1e-7)))
        check("preference " + entry["variant"], [better, worse, len(those) - n, p], [entry[key] for key in ("better", "worse", "ties", "p")])
    if "abilities" not in stated:
        return
    items = [entry["variant"] for entry in stated["abilities"]]
    tie, order = len(items) - 1, len(items) - 1 + ("log_tie" in stated)
    item = lambda name, factor: {items.index(name) - 1: factor} if name != items[0] else {}
    grouped = {}
    for r in mine:
        counts = grouped.setdefault(tuple(r["pair"]), {"A": 0, "B": 0, "tie": 0})
        counts[r["answer"]] += 1
    sets = []
    for (a, b), counts in grouped.items():
        options = [({**item(a, 1), order: 1}, counts["A"]), (item(b, 1), counts["B"])]
        if "log_tie" in stated:
            options.append(({tie: 1, **item(a, 0.5), **item(b, 0.5)}, counts["tie"]))
        sets.append(options)
    values, errors = choices(sets, order + 1, stated["bias_reduced"])
    expected = stated["abilities"][1:] + ([stated["log_tie"]] if "log_tie" in stated else []) + [stated["log_order"]]
    check("Bradley-Terry", values, [e["value"] for e in expected])
    check("Bradley-Terry errors", errors, [e["standard_error"] for e in expected])


def ranking(rows, stated):
    items = [entry["variant"] for entry in stated["abilities"]]
    sets = []
    for r in rows:
        if r["kind"] == "ranking" and r["role"] == "main":
            best_first = [items.index(r["shown"].split("|")["ABCDEFGHI".index(slot)]) for slot in r["answer"].split(",")]
            for stage in range(len(best_first) - 1):
                sets.append([({i - 1: 1} if i else {}, int(k == 0)) for k, i in enumerate(best_first[stage:])])
    values, errors = choices(sets, len(items) - 1, stated["separated"])
    check("Plackett-Luce", values, [e["value"] for e in stated["abilities"][1:]])
    check("Plackett-Luce errors", errors, [e["standard_error"] for e in stated["abilities"][1:]])


def rating(rows, stated):
    mine = [r for r in rows if r["kind"] == "rating" and r["role"] == "main"]
    for score in stated["scores"]:
        by_person = {}
        for r in mine:
            if r["shown"] == score["variant"]:
                by_person.setdefault(r["participant"], []).append(int(r["answer"]))
        check("MOS " + score["variant"], [statistics.fmean(map(statistics.fmean, by_person.values())), len(by_person)], [score["mos"], score["people"]])


def quality(rows, stated):
    gold = [r for r in rows if r["role"] == "gold" and r["correct"] != "NA"]
    check("gold", [sum(r["correct"] == "1" for r in gold), len(gold)], [stated["gold"]["correct"], stated["gold"]["trials"]])
    first = {(r["participant"], r["trial"]): r for r in rows if r["role"] == "main"}
    again = [(r, first[r["participant"], r["repeat_of"]]) for r in rows if r["role"] == "repeat" and r["correct"] != "NA" and (r["participant"], r["repeat_of"]) in first]
    check("repeats", [sum(a["correct"] == b["correct"] for a, b in again), len(again)], [stated["repeats"]["same"], stated["repeats"]["trials"]])
    answers = [r["answer"] for r in rows if r["role"] == "null" and not r["truth"]]
    check("null answers", [answers.count(a) for a in stated["null"]["answers"]], list(stated["null"]["answers"].values()))
    times = [int(r["response_ms"]) for r in rows if r["role"] == "main"]
    if times:
        check("median response", statistics.median(times), stated["response_ms"]["median"])


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    manifest, frozen, analysis = (json.loads((folder / name).read_text("utf-8")) for name in ("manifest.json", "frozen.json", "analysis.json"))
    table = lambda name: list(csv.DictReader((folder / name).open(encoding="utf-8", newline="")))
    check_files(folder, manifest)
    check_chain(table("chain.csv"), manifest["study"], sys.argv[2] if len(sys.argv) > 2 else manifest["head"])
    protocol = frozen["protocol"]
    every = [r for r in table("responses.csv") if r["role"] != "practice"]
    for part, rows in (("with_exclusions", [r for r in every if r["excluded"] == "0"]), ("without_exclusions", every)):
        stated = analysis[part]
        check(part, [len({r["participant"] for r in rows}), len(rows)], [stated["people"], stated["responses"]])
        detection(rows, stated["detection"], protocol["analysis"], protocol["stopping"])
        visibility(stated["visibility"], stated["detection"], protocol["analysis"]["level"])
        quality(rows, stated["quality"])
        for name, function in (("ranking", ranking), ("rating", rating)):
            if stated[name]:
                function(rows, stated[name])
        if stated["preference"]:
            preference(rows, stated["preference"], protocol["reference"])
    print("\n".join(problems) if problems else f"everything agrees: {compared} figures and hashes")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
