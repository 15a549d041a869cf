#!/usr/bin/env python3
"""Checks an unpacked QuantSpot bundle without QuantSpot: hashes, the chain of records, and every figure of analysis.json
from responses.csv. Python's standard library only. What a mixed model was fitted to (LEFT_TO_R) is derived by rederive.R.

Usage: python3 rederive.py [FOLDER] [HEAD-HASH]      exit code 0: everything agrees
"""
import csv
import hashlib
import json
import math
import statistics
import sys
from pathlib import Path

from rederive_attestation import attestation, colour_vision, plates_of, plates_read
from rederive_curve import curves
from rederive_statistics import (abilities, always_valid_interval, at_least, binomial, bt500, chi_square_tail, connected, counted, dprime,
                                 estimate, exact_interval, fitted, grouped, krippendorff, opinion_interval, quantile, rounded,
                                 same_different, same_different_interval, subject_bias, Z)

TOLERANCE = 1e-6
LEFT_TO_R = ("value", "standard_error", "half_width", "participant_sd", "prompt_sd", "singular", "reason")   # of a mixed model
compared, problems = 0, []


def check(name, found, stated):
    """A figure, or lists and objects of them; what is infinite or undefined is null in JSON. No key may be missing or left over."""
    global compared
    if isinstance(found, dict) and isinstance(stated, dict):
        for key in sorted(found.keys() | stated.keys()):
            if key in found and key in stated:
                check(f"{name}.{key}", found[key], stated[key])
            else:
                problems.append(f"{name}.{key}: " + ("is not derived here" if key in stated else "is missing"))
        return
    if isinstance(found, (list, tuple)) and isinstance(stated, list):
        if len(found) != len(stated):
            problems.append(f"{name}: {len(found)} entries, stated {len(stated)}")
        for k, pair in enumerate(zip(found, stated)):
            check(f"{name}[{k}]", *pair)
        return
    compared += 1
    if isinstance(found, float) and not math.isfinite(found):
        found = None
    number = lambda value: isinstance(value, (int, float)) and not isinstance(value, bool)
    same = abs(found - stated) <= TOLERANCE * max(1, abs(stated)) if number(found) and number(stated) else found == stated and type(found) is type(stated)
    if not same:
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


# ---- figures

KINDS = ["spot", "abx", "preference", "triangle", "same-different", "rating", "ranking"]


def split(text):
    return text.split("|")


def right(rows):
    return sum(r["correct"] == "1" for r in rows)


def shares(rows, part, level):
    return [{part: name, "correct": right(mine), "trials": len(mine), "rate": right(mine) / len(mine), "interval": exact_interval(right(mine), len(mine), level)}
            for name, mine in grouped(rows, lambda r: r[part]).items()]


def detection(rows, stated, protocol):
    plan, stopping, figures = protocol["analysis"], protocol["stopping"], []
    rank = lambda r: (KINDS.index(r["kind"]), len(split(r["shown"])), protocol["variants"].index(split(r["variants"])[0]))
    for place, ((kind, slots, variant), mine) in enumerate(grouped([r for r in rows if r["role"] == "main" and r["correct"] != "NA"], rank).items()):
        k, n, chance, level = right(mine), len(mine), float(mine[0]["chance"]), plan["level"]
        corrected = lambda p: max(0.0, (p - chance) / (1 - chance))
        always = stopping["rule"] == "always-valid"
        interval = always_valid_interval(k, n, level, stopping["tuned_for"]) if always else exact_interval(k, n, level)
        p, mixed = at_least(k, n, chance), mixed_model(stated[place]["mixed"] if place < len(stated) else {}, chance, mine)
        figure = {"kind": KINDS[kind], "slots": slots, "variant": protocol["variants"][variant], "chance": chance, "correct": k, "trials": n,
                  "people": len({r["participant"] for r in mine}), "rate": k / n, "rate_interval": interval,
                  "interval_method": "always-valid" if always else "clopper-pearson", "p": p, "detection": corrected(k / n),
                  "detection_interval": [corrected(b) for b in interval], "margin": plan["margin"], "mixed": mixed,
                  "dprime": sensitivity(mine, KINDS[kind], slots, k / n, exact_interval(k, n, level), level),
                  "per_participant": shares(mine, "participant", level), "per_prompt": shares(mine, "comparison", level)}
        figure["verdict"] = verdict(figure, not always and p <= (1 - level) / 2)
        if stopping["rule"] == "sprt":
            figure["sprt"] = sequential(mine, stopping)
            if figure["verdict"] == "noticeable" and figure["sprt"]["verdict"] != "accept-alternative":
                figure["verdict"] = "undecided"
        figures.append(figure)
    largest = 0
    for rank, figure in enumerate(sorted(figures, key=lambda f: f["p"])):
        largest = max(largest, min(1, (len(figures) - rank) * figure["p"]))
        figure["p_holm"] = largest
    return figures


def mixed_model(stated, chance, rows):
    """What follows from the fit; the fit itself is rederive.R's."""
    if len({r["participant"] for r in rows}) < 2:
        return {"reason": "one participant"}
    if "reason" in stated or "log_odds_against_chance" not in stated:
        return stated
    logit = stated["log_odds_against_chance"]
    around = {**{key: logit[key] for key in LEFT_TO_R[:3]}, "interval": [logit["value"] + side * logit["half_width"] for side in (-1, 1)]}
    rate = lambda x: 1 / (1 + math.exp(min(700, -(math.log(chance / (1 - chance)) + x))))
    corrected = lambda x: max(0.0, (rate(x) - chance) / (1 - chance))
    return {"log_odds_against_chance": around, "rate": rate(logit["value"]), "rate_interval": [rate(x) for x in around["interval"]],
            "detection": corrected(logit["value"]), "detection_interval": [corrected(x) for x in around["interval"]],
            **{key: stated[key] for key in ("participant_sd", "prompt_sd", "singular")}}


def verdict(figure, significant):
    interval, mixed = figure["rate_interval"], figure["mixed"].get("rate_interval")
    if figure["detection_interval"][1] < figure["margin"]:
        return "not-noticeable" if not mixed or (mixed[1] - figure["chance"]) / (1 - figure["chance"]) < figure["margin"] else "undecided"
    seen = interval[0] > figure["chance"] or significant
    return "noticeable" if seen and (not mixed or mixed[0] > figure["chance"]) else "undecided"


def sequential(rows, plan):
    ratio, trials, verdict_ = 0.0, 0, "continue"
    for r in rows:
        trials += 1
        k = right(rows[:trials])
        ratio = k * math.log(plan["alternative_rate"] / plan["null_rate"]) + (trials - k) * math.log((1 - plan["alternative_rate"]) / (1 - plan["null_rate"]))
        if ratio >= math.log((1 - plan["beta"]) / plan["alpha"]) or ratio <= math.log(plan["beta"] / (1 - plan["alpha"])):
            verdict_ = "accept-alternative" if ratio > 0 else "accept-null"
            break
    return {"verdict": verdict_, "trials": trials, "log_ratio": ratio}


def sensitivity(rows, kind, slots, rate, interval, level):
    models = {"spot": ["mafc"], "triangle": ["oddity"], "abx": ["differencing", "independent"]}.get(kind)
    if models:
        return {model: {"value": dprime(model, rate, slots), "interval": [dprime(model, p, slots) for p in interval]} for model in models}
    hits, alarms = (sum(r["truth"] == truth and r["answer"] == "different" for r in rows) for truth in ("different", "same"))
    different, same = (sum(r["truth"] == truth for r in rows) for truth in ("different", "same"))
    result = {"hits": hits, "different": different, "false_alarms": alarms, "same": same}
    if not different or not same:
        return result
    more = 0.5 if hits in (0, different) or alarms in (0, same) else 0
    n1, n0 = different + 2 * more, same + 2 * more
    h, f = (hits + more) / n1, (alarms + more) / n0
    for model in ("differencing", "independent"):
        result[model] = {"value": same_different(model, h, f), "interval": same_different_interval(model, hits, different, alarms, same, level),
                         "criterion": -math.sqrt(2) * Z(f / 2) if model == "differencing" else -(Z(h) + Z(f)) / 2}
    return result


def visibility(figures, stated, level):
    """In the order stated, which must fall: equal values may stand either way."""
    entries = []
    for variant, mine in grouped(figures, lambda f: f["variant"]).items():
        n = sum(f["trials"] for f in mine)
        value = sum(f["trials"] * (f["rate"] - f["chance"]) / (1 - f["chance"]) for f in mine) / n
        reach = [0, 0]
        for f in mine:
            for side, end in enumerate(exact_interval(f["correct"], f["trials"], level)):
                reach[side] += (f["trials"] * (end - f["rate"]) / (1 - f["chance"])) ** 2
        around = [value - math.sqrt(reach[0]) / n, value + math.sqrt(reach[1]) / n]
        entries.append({"variant": variant, "detection": value, "interval": around, "trials": n})
    order = [e["variant"] for e in stated]
    return sorted(entries, key=lambda e: (-round(e["detection"], 9), order.index(e["variant"]) if e["variant"] in order else 0))


def items_of(rows, reference):
    return [reference] + sorted({name for r in rows for name in split(r["shown"])} - {reference})


def preference(rows, stated, reference, z):
    mine = [dict(r, pair=split(r["shown"])) for r in rows if r["role"] == "main" and r["kind"] == "preference"]
    if not mine:
        return None
    items, against = items_of(mine, reference), []
    for variant in items[1:]:
        those = [r for r in mine if set(r["pair"]) == {reference, variant}]
        won = [r["pair"]["AB".index(r["answer"])] for r in those if r["answer"] != "tie"]
        better, n = won.count(variant), len(won)
        p = min(1.0, math.fsum(q for q in (binomial(i, n, 0.5) for i in range(n + 1)) if q <= binomial(better, n, 0.5) * (1 + 1e-7)))
        if those:
            against.append({"variant": variant, "better": better, "worse": n - better, "ties": len(those) - n, "p": p})
    result = {"trials": len(mine), "against_reference": against}
    if "reason" in stated:   # no fit
        return dict(result, reason=stated["reason"])
    ties = any(r["answer"] == "tie" for r in mine)
    tie, order = len(items) - 1, len(items) - 1 + ties
    item = lambda name, factor: {items.index(name) - 1: factor} if name != items[0] else {}
    sets, edges = [], set()
    for (a, b), those in grouped(mine, lambda r: tuple(r["pair"])).items():
        count = {answer: sum(r["answer"] == answer for r in those) for answer in ("A", "B", "tie")}
        options = [({**item(a, 1), order: 1}, count["A"]), (item(b, 1), count["B"])]
        sets.append(options + ([({tie: 1, **item(a, 0.5), **item(b, 0.5)}, count["tie"])] if ties else []))
        edges |= {(items.index(x), items.index(y)) for x, y, n in ((a, b, count["A"] + count["tie"]), (b, a, count["B"] + count["tie"])) if n}
    values, errors, separated = fitted(sets, order + 1, connected(len(items), edges))
    found = abilities(values, errors, items, z)
    for entry in found[1:]:
        entry["verdict"] = "worse" if entry["interval"][1] < 0 else "better" if entry["interval"][0] > 0 else "undecided"
    if ties:
        result["log_tie"] = estimate(values[tie], errors[tie], z)
    return dict(result, abilities=found, log_order=estimate(values[order], errors[order], z), separated=separated, bias_reduced=separated)


def ranking(rows, stated, reference, z):
    mine = [r for r in rows if r["role"] == "main" and r["kind"] == "ranking"]
    if not mine:
        return None
    if "reason" in stated:
        return {"trials": len(mine), "reason": stated["reason"]}
    items, sets, edges = items_of(mine, reference), [], set()
    for r in mine:
        best_first = [items.index(split(r["shown"])["ABCDEFGHI".index(slot)]) for slot in r["answer"].split(",")]
        for stage in range(len(best_first) - 1):
            sets.append([({i - 1: 1} if i else {}, int(k == 0)) for k, i in enumerate(best_first[stage:])])
            edges |= {(best_first[stage], other) for other in best_first[stage + 1:]}
    values, errors, separated = fitted(sets, len(items) - 1, connected(len(items), edges))
    return {"trials": len(mine), "abilities": abilities(values, errors, items, z), "separated": separated}


def rating(rows, stated, reference, level):
    mine = [r for r in rows if r["role"] == "main" and r["kind"] == "rating"]
    if not mine:
        return None
    if "reason" in stated:
        return {"trials": len(mine), "reason": stated["reason"]}
    people = grouped(mine, lambda r: r["participant"])
    table = [{(r["shown"], r["comparison"]): int(r["answer"]) for r in those} for those in people.values()]
    quality, scores, agreement = subject_bias(table), [], krippendorff(table, level)
    for variant in items_of(mine, reference):
        answers = [said for said in ([int(r["answer"]) for r in those if r["shown"] == variant] for those in people.values()) if said]
        means = [statistics.fmean(said) for said in answers]
        roundings = statistics.fmean(1 / len(said) if len(set(said)) > 1 else 1 for said in answers)
        scores.append({"variant": variant, "mos": statistics.fmean(means), "interval": opinion_interval(means, roundings, level),
                       "people": len(means), "quality_without_bias": statistics.fmean(q for (name, _), q in quality.items() if name == variant) if quality else None})
    return {"scores": scores, "bt500_rejected": [list(people)[i] for i in bt500(table)], **agreement}


def quality(rows):
    gold = [r for r in rows if r["role"] == "gold" and r["correct"] != "NA"]
    first = {(r["participant"], r["trial"]): r for r in rows if r["role"] == "main"}
    again = [(r, first[r["participant"], r["repeat_of"]]) for r in rows if r["role"] == "repeat" and r["correct"] != "NA" and (r["participant"], r["repeat_of"]) in first]
    null = {answer: len(mine) for answer, mine in grouped([r for r in rows if r["role"] == "null" and not r["truth"]], lambda r: r["answer"]).items()}
    mean = sum(null.values()) / len(null) if null else 0
    even = chi_square_tail(sum((n - mean) ** 2 / mean for n in null.values()), len(null) - 1) if len(null) > 1 else None
    result = {"gold": {"correct": right(gold), "trials": len(gold)}, "repeats": {"same": sum(a["correct"] == b["correct"] for a, b in again), "trials": len(again)},
              "null": {"answers": null, "p_even": even}}
    times = [int(r["response_ms"]) for r in rows if r["role"] == "main"]
    if times:
        result["response_ms"] = {"median": quantile(times, 0.5), "quartiles": [quantile(times, 0.25), quantile(times, 0.75)]}
    return result


def confusion(rows, variants):
    found, main_rows = [], [r for r in rows if r["role"] == "main" and r["correct"] != "NA"]
    for (kind, slots), mine in grouped(main_rows, lambda r: (KINDS.index(r["kind"]), len(split(r["shown"])))).items():
        answers = {4: ["same", "different"], 1: ["A", "B"]}.get(kind, list("ABCDEFGHI"[:slots]))
        for variant in ["all"] + [v for v in variants if any(split(r["variants"])[0] == v for r in mine)]:
            those = [r for r in mine if variant in ("all", split(r["variants"])[0])]
            table = [[sum(r["truth"] == truth and r["answer"] == answer for r in those) for answer in answers] for truth in answers]
            found.append({"kind": KINDS[kind], "slots": slots, "variant": variant, "answers": answers, "counts": table})
    return found


def response_times(rows):
    groups = {}
    for r in rows:
        if r["role"] == "main":
            groups.setdefault((KINDS.index(r["kind"]), "", "all"), []).append(int(r["response_ms"]))
            if r["correct"] != "NA":
                groups.setdefault((KINDS.index(r["kind"]), split(r["variants"])[0], "right" if r["correct"] == "1" else "wrong"), []).append(int(r["response_ms"]))
    return [{"kind": KINDS[kind], "variant": variant or "all", "answers": which, "trials": len(ms), "quantiles_ms": [quantile(ms, p) for p in (0.05, 0.25, 0.5, 0.75, 0.95)]}
            for (kind, variant, which), ms in sorted(groups.items())]


def participants(rows):
    found = []
    for name, mine in grouped(rows, lambda r: r["participant"]).items():
        gold = [r for r in mine if r["role"] == "gold" and r["correct"] != "NA"]
        found.append({"participant": name, "responses": len(mine), "gold_correct": right(gold), "gold_trials": len(gold), "excluded": mine[0]["reasons"],
                      "focus_losses": sum(int(r["focus_losses"]) for r in mine), "median_ms": quantile([int(r["response_ms"]) for r in mine], 0.5)})
    return found


def reasons(rows, rules, restarted, plates):
    """Of one participant, by the rules that were fixed beforehand; restarted: who began anew as somebody else; plates: how many were read."""
    gold, times = [r for r in rows if r["role"] == "gold" and r["correct"] != "NA"], sorted(int(r["response_ms"]) for r in rows)
    losses = sum(int(r["focus_losses"]) for r in rows)
    found = ["gold"] if gold and right(gold) < rules["min_gold_rate"] * len(gold) else []
    found += ["too fast"] if times and times[len(times) // 2] < rules["min_median_ms"] else []
    found += ["focus lost"] if 0 <= rules["max_focus_losses"] < losses else []
    found += ["colour vision"] if plates < rules.get("min_plates_read", 0) else []
    return "; ".join(found + (["restarted"] if rows[0]["participant"] in restarted else []))


def asked(protocol, chain):
    """The rows of questionnaires.csv, from the chain: of a questionnaire given twice the last; one that does not fit its questions is none."""
    joined, latest = set(), {}
    for line in chain:
        record = json.loads(line["record"]) if line["record"] else {"kind": "erased"}
        if record["kind"] == "join":
            joined.add(record["participant"])
        if record["kind"] != "questionnaire" or record["participant"] not in joined:
            continue
        answers = record.get("answers", {})
        questions = protocol.get("questionnaires", {}).get(record.get("when"), [])
        given = {q["id"]: answers[q["id"]] for q in questions if answers.get(q["id"]) not in (None, "")}
        if set(answers) <= {q["id"] for q in questions} and all(takes(q, given[q["id"]]) for q in questions if q["id"] in given):
            latest.pop((record["participant"], record["when"]), None)
            latest[record["participant"], record["when"]] = [
                {"record": line["number"], "participant": record["participant"], "when": record["when"], "question": q["id"], "kind": q["type"],
                 "answer": str(given[q["id"]])} for q in questions if q["id"] in given]
    return [row for rows in latest.values() for row in rows]


def steps(question):
    return question.get("choices") or ["1", "2", "3", "4", "5"]


def takes(question, answer):
    if question["type"] == "likert":
        return isinstance(answer, int) and 1 <= answer <= len(steps(question))
    return isinstance(answer, str) and (question["type"] == "text" or answer in question["choices"])


def said(protocol, rows):
    """The figures of every question."""
    figures = []
    for when in ("before", "after"):
        for q in protocol.get("questionnaires", {}).get(when, []):
            mine = [r for r in rows if (r["when"], r["question"]) == (when, q["id"])]
            figure = {"when": when, "question": q["id"], "kind": q["type"], "text": q["text"], "answers": len(mine)}
            if q["type"] == "text":
                figures.append(dict(figure, texts=[{"participant": r["participant"], "answer": r["answer"]} for r in mine]))
                continue
            places = [int(r["answer"]) - 1 if q["type"] == "likert" else steps(q).index(r["answer"]) for r in mine]
            figure.update(choices=steps(q), counts=[places.count(place) for place in range(len(steps(q)))])
            if q["type"] == "likert":
                figure["median"] = statistics.median(places) + 1 if places else None
            figures.append(figure)
    return figures


def opinions(variant, kinds, level, reference):
    """What is said of a variant that nobody was asked to find or to prefer; kinds: the figures of preference, rating and ranking."""
    _, ratings, ranks = kinds
    rated = {s["variant"]: f"{rounded(s['mos'], 2)} ({level} % CI {rounded(s['interval'][0], 2)} to {rounded(s['interval'][1], 2)})" for s in (ratings or {}).get("scores", [])}
    clauses = [f"is rated {rated[variant]}" + (f", {reference} {rated[reference]}" if reference in rated else "")] if variant in rated else []
    for a in (ranks or {}).get("abilities", []):
        if a["variant"] == variant:
            low, high = a["interval"]
            how = "is not shown to be ranked below or above" if low <= 0 <= high else "is ranked below" if high < 0 else "is ranked above"
            clauses.append(f"{how} {reference} (Plackett–Luce {rounded(a['value'], 2)}, {level} % CI {rounded(low, 2)} to {rounded(high, 2)}"
                           + (", separated)" if ranks["separated"] else ")"))
    return clauses


def decision(variant, figures, kinds, protocol):
    """The sentence about a variant."""
    pairs = kinds[0]
    percent, plan, clauses = lambda x: rounded(x * 100, 0), protocol["analysis"], []
    margin, level, reference = percent(plan["margin"]), percent(plan["level"]), protocol["reference"]
    for f in (f for f in figures if f["variant"] == variant):
        low, high = map(percent, f["rate_interval"])
        always = "always-valid " if f["interval_method"] == "always-valid" else ""
        numbers = (f"({f['kind']}: {percent(f['rate'])} % right, {level} % {always}CI {low}–{high} %, chance {percent(f['chance'])} %, "
                   f"{counted(f['people'], 'person', 'people')}, {counted(f['trials'], 'trial', 'trials')}{sequential_clause(f, protocol['stopping'])})")
        clauses.append({"not-noticeable": f"is not noticeable at margin {margin} % {numbers}", "noticeable": f"is noticeable {numbers}"}.get(
            f["verdict"], f"is neither shown to be noticeable nor shown to be within the margin of {margin} %: up to "
            f"{percent(max(f['detection_interval'][1], f['mixed'].get('detection_interval', [0, 0])[1]))} % of the differences may be seen {numbers}"))
    for a in (pairs or {}).get("abilities", []):
        if a["variant"] == variant:
            low, high = (rounded(bound, 2) for bound in a["interval"])
            numbers = f"(Bradley–Terry {rounded(a['value'], 2)}, {level} % CI {low} to {high}" + (", separated)" if pairs["separated"] else ")")
            clauses.append({"undecided": f"is not shown to be worse or better than {reference} {numbers}"}.get(a["verdict"], f"is judged {a['verdict']} than {reference} {numbers}"))
    clauses = clauses or opinions(variant, kinds, level, reference)
    own, other = (protocol.get("costs", {}).get(name, {"memory_bytes": 0, "seconds": 0}) for name in (variant, reference))
    memory = lambda count: rounded(count / 1e6, 0) + " MB" if count < 1e9 else rounded(count / 1e9, 1) + " GB"
    if clauses and own["memory_bytes"] > 0 and other["memory_bytes"] > 0:
        clauses.append(f"needs {memory(own['memory_bytes'])} instead of {memory(other['memory_bytes'])}")
    if clauses and own["seconds"] > 0 and other["seconds"] > 0:
        clauses.append(f"takes {rounded(own['seconds'] / other['seconds'], 1)}× the time")
    few = any("reason" in (kind or {}) for kind in kinds)
    return f"`{variant}` {'; it '.join(clauses or ['has too few answers for an estimate' if few else 'has no answers that count'])}."


def sequential_clause(figure, plan):
    if "sprt" not in figure:
        return ""
    null, other = (rounded(plan[key] * 100, 0) for key in ("null_rate", "alternative_rate"))
    verdict_, trials = figure["sprt"]["verdict"], counted(figure["sprt"]["trials"], "trial", "trials")
    if verdict_ == "continue":
        return f"; the sequential test has not chosen between {null} % and {other} % in {trials}"
    first, second = (other, null) if verdict_ == "accept-alternative" else (null, other)
    return f"; the sequential test chose {first} % over {second} % after {trials}"


def figures_of(rows, stated, protocol):
    level, reference = protocol["analysis"]["level"], protocol["reference"]
    z, found = Z((1 + level) / 2), detection(rows, stated["detection"], protocol)
    kinds = (preference(rows, stated["preference"] or {}, reference, z), rating(rows, stated["rating"] or {}, reference, level),
             ranking(rows, stated["ranking"] or {}, reference, z))
    return {"people": len({r["participant"] for r in rows}), "responses": len(rows), "detection": found,
            "visibility": visibility(found, stated["visibility"], level), "preference": kinds[0], "rating": kinds[1],
            "ranking": kinds[2], "psychometric": curves(found, protocol["bits"], z), "quality": quality(rows),
            "confusion": confusion(rows, protocol["variants"]), "response_times": response_times(rows), "participants": participants(rows),
            "decisions": [decision(v, found, kinds, protocol) for v in protocol["variants"] if v != reference]}


def told(analysis):
    """All that is taken from the analysis itself: the fits left to R, what could not be fitted, records that do not fit, and in which order equals stand."""
    def part(stated):
        fit = lambda mixed: {key: {k: mixed[key][k] for k in LEFT_TO_R[:3]} if key == "log_odds_against_chance" else mixed[key]
                             for key in (*LEFT_TO_R[3:], "log_odds_against_chance") if key in mixed}
        reason = lambda name: {"reason": stated[name]["reason"]} if "reason" in (stated[name] or {}) else {}
        return {"detection": [{"mixed": fit(f["mixed"])} for f in stated["detection"]], "visibility": [{"variant": e["variant"]} for e in stated["visibility"]],
                **{name: reason(name) for name in ("preference", "rating", "ranking")}}
    return {"problems": analysis["problems"], **{name: part(analysis[name]) for name in ("with_exclusions", "without_exclusions")}}


def derive(stated, protocol, study, table, chain, plates):
    """analysis.json anew; stated: told(analysis); plates: the rows of colour_vision.csv."""
    every = [r for r in table if r["role"] != "practice"]
    records = [json.loads(r["record"]) for r in chain if r["record"]]
    restarted = {r["restarts"] for r in records if r["kind"] == "join" and r.get("restarts")}
    flagged = {name: reasons(mine, protocol["exclusion"], restarted, plates_read(plates, name)) for name, mine in grouped(every, lambda r: r["participant"]).items()}
    headline = "with_exclusions" if protocol["analysis"]["exclude"] else "without_exclusions"
    parts = {"with_exclusions": figures_of([r for r in every if not flagged[r["participant"]]], stated["with_exclusions"], protocol),
             "without_exclusions": figures_of(every, stated["without_exclusions"], protocol)}
    joined = sum(r["kind"] == "join" for r in records)
    return {"schema": 1, "version": 8, "study": study, "title": protocol["title"], "joined": joined, "headline": headline, "decisions": parts[headline]["decisions"],
            "excluded": [{"participant": name, "reasons": why} for name, why in flagged.items() if why], "problems": stated["problems"],
            "questionnaires": said(protocol, asked(protocol, chain)), "attestation": attestation(protocol), **colour_vision(protocol, plates), **parts}


def examine(folder, head):
    read = lambda name: json.loads((folder / name).read_text("utf-8"))
    rows = lambda name: list(csv.DictReader((folder / name).open(encoding="utf-8", newline="")))
    manifest = read("manifest.json")
    check_files(folder, manifest)
    protocol, analysis, table, chain = read("frozen.json")["protocol"], read("analysis.json"), rows("responses.csv"), rows("chain.csv")
    check_chain(chain, manifest["study"], head or manifest["head"])
    check("questionnaires.csv", asked(protocol, chain), rows("questionnaires.csv"))
    check("version of the analysis", analysis["version"], manifest["analysis"])
    check("analysis", derive(told(analysis), protocol, manifest["study"], table, chain, plates_of(folder)), analysis)


def main():
    try:
        examine(Path(sys.argv[1] if len(sys.argv) > 1 else "."), sys.argv[2] if len(sys.argv) > 2 else "")
    except Exception as error:   # of what was changed, some cannot even be read
        problems.append(f"the rest cannot be derived: {type(error).__name__}: {error}")
    print("\n".join(problems) if problems else f"everything agrees: {compared} figures and hashes")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
