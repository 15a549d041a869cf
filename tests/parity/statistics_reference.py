"""Golden values of study/statistics from Python. Usage: statistics_reference.py OUT.json

Needs scipy, statsmodels, choix, krippendorff, sureal, confseq and psignifit. What these lack is a closed form here.
"""
import contextlib
import io
import json
import math
import sys
import types

import choix
import krippendorff
import numpy as np
from confseq.boundaries import bernoulli_confidence_interval
from scipy import optimize, stats
from statsmodels.stats.multitest import multipletests


def intervals():
    rows = []
    for correct, trials in [(0, 10), (10, 10), (1, 3), (12, 16), (27, 100), (480, 1000)]:
        for level in (0.9, 0.95, 0.99):
            exact = stats.binomtest(correct, trials).proportion_ci(level, method="exact")
            rows.append({"correct": correct, "trials": trials, "level": level, "low": exact.low, "high": exact.high})
    return rows


def holm():
    p = [0.01, 0.04, 0.03, 0.005, 0.9, 0.04]
    return {"p": p, "adjusted": list(multipletests(p, method="holm")[1])}


def rankings():
    """choix stops early, so its answer is only the start of a Newton polish on the same likelihood."""
    rng = np.random.default_rng(3)
    truth = np.array([0.0, 0.6, -0.4, 1.1, 0.2])
    data = [list(map(int, np.argsort(-(truth + rng.gumbel(size=5))))) for _ in range(40)] + [[0, 3], [2, 1, 4], [4, 0, 2, 1]]

    def loss(theta):
        full = np.concatenate([[0.0], theta])
        return -sum(full[r[k]] - np.logaddexp.reduce(full[r[k:]]) for r in data for k in range(len(r) - 1))

    start = choix.opt_rankings(5, data, method="Newton-CG", tol=1e-10)
    start = start - start[0]
    best = optimize.minimize(loss, start[1:], method="BFGS", options={"gtol": 1e-9}).x
    return {"rankings": data, "items": 5, "value": [0.0, *best], "choix": list(start)}


def agreement():
    nan = float("nan")
    data = np.array([[1, 2, 3, 3, 2, 1, 4, 1, 2, nan, nan, nan], [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, nan, 3],
                     [nan, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, nan], [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, nan]])
    rows = [[None if math.isnan(x) else x for x in row] for row in data]
    return {"ratings": rows, "alpha": {level: krippendorff.alpha(reliability_data=data, level_of_measurement=level) for level in ("nominal", "ordinal", "interval")}}


def sureal_reader(ratings):
    """A dataset as sureal wants it: one list of scores for each thing."""
    from sureal.dataset_reader import RawDatasetReader
    things = range(ratings.shape[1])
    return RawDatasetReader(types.SimpleNamespace(
        ref_videos=[{"content_id": j, "path": str(j)} for j in things],
        dis_videos=[{"content_id": j, "asset_id": j, "path": str(j), "os": list(ratings[:, j])} for j in things]))


def opinions():
    from sureal.subjective_model import MosModel, SubjectMLEModelProjectionSolver
    rng = np.random.default_rng(8)
    people, things = 15, 30
    quality, bias, spread = rng.uniform(1.3, 4.7, things), rng.normal(0, 0.4, people), rng.uniform(0.3, 0.9, people)
    ratings = np.clip(np.round(quality + bias[:, None] + spread[:, None] * rng.normal(size=(people, things))), 1, 5)
    ratings[3] = rng.integers(1, 6, things)       # one person answers at random
    for j in range(0, things, 4):
        ratings[3, j] = 5 if quality[j] < 3 else 1
    ratings[7, 5] = np.nan
    mean = np.nanmean(ratings, axis=0)
    count = np.sum(~np.isnan(ratings), axis=0)
    half = stats.t.ppf(0.975, count - 1) * np.nanstd(ratings, axis=0, ddof=1) / np.sqrt(count)
    reader = sureal_reader(ratings)
    with contextlib.redirect_stdout(io.StringIO()):
        model = SubjectMLEModelProjectionSolver(reader).run_modeling()
        rejected = MosModel(reader).run_modeling(subject_rejection=True)["observer_rejected"]
    return {"ratings": [[None if math.isnan(x) else x for x in row] for row in ratings], "mean": list(mean), "half": list(half), "rejected": rejected,
            "quality": list(map(float, model["quality_scores"])), "quality_error": list(map(float, model["quality_scores_std"])),
            "bias": list(map(float, model["observer_bias"])), "inconsistency": list(map(float, model["observer_inconsistency"]))}


def sequences():
    rows = []
    for correct, trials, tuned, level in [(60, 100, 100, 0.95), (0, 20, 100, 0.95), (20, 20, 50, 0.9), (250, 1000, 200, 0.95), (3, 7, 10, 0.99)]:
        low, high = bernoulli_confidence_interval(correct, trials, 1 - level, tuned)
        rows.append({"correct": correct, "trials": trials, "tuned_for": tuned, "level": level, "low": low, "high": high})
    return rows


def tables():
    counts, table = [12, 18, 9, 21, 15], [[20, 11, 7], [9, 14, 16]]
    even, apart = stats.chisquare(counts), stats.chi2_contingency(table, correction=False)
    return {"counts": counts, "statistic": even.statistic, "p": even.pvalue, "table": table, "table_statistic": apart.statistic, "table_p": apart.pvalue}


def correlations():
    rng = np.random.default_rng(2)
    a = np.round(rng.normal(size=25), 1)
    b = np.round(a + rng.normal(size=25), 1)
    rho, tau = stats.spearmanr(a, b).statistic, stats.kendalltau(a, b).statistic
    n = 25

    def ends(of, theory, swaps):
        """Fisher's z with the jackknife's variance (every pair left out by scipy), mixed with the theory's of normal data."""
        r = of(a, b).statistic
        without = np.arctanh([of(np.delete(a, i), np.delete(b, i)).statistic for i in range(n)])
        freedom = min(max(2 * (n - 1) / (stats.kurtosis(without, fisher=False) - 1), 2), n - 1)
        expected = theory + 0.06 / swaps
        variance = ((n - 2) * without.var() * (n - 1) * (1 - 1.5 / n) + 2 * expected) / n
        assert variance > 0.75 * expected
        return [math.tanh(math.atanh(r) - r * variance + side * stats.t.ppf(0.975, freedom + 2) * math.sqrt(variance)) for side in (-1, 1)]

    def mean_shown(true):
        return ((n - 2) * true + 6 / math.pi * math.asin(2 * math.sin(math.pi / 6 * true))) / (n + 1)

    shown = ends(stats.spearmanr, (1 + 0.4 * rho * rho) / (n - 3), (1 - rho) * n * (n * n - 1) / 12)
    return {"a": list(a), "b": list(b), "spearman": rho, "kendall": tau,
            "spearman_interval": [optimize.brentq(lambda true, at=at: mean_shown(true) - at, -0.999, 0.999, xtol=1e-13) for at in shown],
            "kendall_interval": ends(stats.kendalltau, 0.4 / (n - 4), (1 - tau) * n * (n - 1) / 4)}


def power():
    rows = []
    for n, rate, chance in [(16, 0.75, 0.5), (100, 0.35, 0.25), (480, 0.3, 0.25), (7, 0.9, 1 / 3)]:
        needed = next(k for k in range(n + 2) if stats.binom.sf(k - 1, n, chance) <= 0.05)
        rows.append({"trials": n, "rate": rate, "chance": chance, "needed": needed, "power": stats.binom.sf(needed - 1, n, rate)})
    return rows


def psychometric():
    """psignifit's maximum a posteriori; its priors move it a little, so this is a check of meaning, not of digits."""
    import psignifit
    data = np.array([[-x, k, 60] for x, k in zip([16, 8, 6, 5, 4, 3, 2], [16, 14, 17, 22, 33, 47, 56])])
    result = psignifit.psignifit(data, experiment_type="4AFC", sigmoid="logistic", fixed_parameters={"gamma": 0.25, "lambda": 0.0, "eta": 1e-4})
    fit = result.parameter_estimate if hasattr(result, "parameter_estimate") else result.parameter_estimate_MAP
    return {"threshold": -float(fit["threshold"])}


def davidson():
    """Ties and an order effect by scipy's own minimization of the likelihood written out, and Firth's penalty from a numeric Hessian of it."""
    rng = np.random.default_rng(12)
    pairs = [(a, b) for a in range(4) for b in range(4) if a != b]
    first, second = np.array(pairs).T

    def log_shares(p):
        ability = np.concatenate([[0.0], p[:3]])
        scores = np.stack([ability[first] + p[4], ability[second], p[3] + (ability[first] + ability[second]) / 2], axis=1)
        return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))

    usual = [list(map(int, rng.multinomial(9, row))) for row in np.exp(log_shares(np.array([0.7, -0.5, 0.3, -0.3, 0.25])))]
    # Item 1 is never beaten and never tied.
    never = [[sum(row), 0, 0] if a == 1 else [0, sum(row), 0] if b == 1 else row for (a, b), row in zip(pairs, usual)]

    def loss(p, counts):
        return -float((counts * log_shares(p)).sum())

    def hessian(p, counts, h=1e-3):
        steps = np.eye(5) * h
        f = lambda x: loss(x, counts)
        return np.array([[(f(p + i + j) - f(p + i - j) - f(p - i + j) + f(p - i - j)) / (4 * h * h) for j in steps] for i in steps])

    def firth(p, counts):
        return loss(p, counts) - np.linalg.slogdet(hessian(p, counts))[1] / 2

    def best(function, counts):
        at = optimize.minimize(function, np.zeros(5), args=(np.array(counts),), method="BFGS", options={"gtol": 1e-6}).x
        return list(optimize.minimize(function, at, args=(np.array(counts),), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-12, "maxfev": 6000}).x)

    plain = best(loss, usual)
    return {"pairs": pairs, "usual": usual, "plain": plain, "error": list(np.sqrt(np.diag(np.linalg.inv(hessian(np.array(plain), np.array(usual)))))),
            "reduced": best(firth, usual), "never": never, "never_reduced": best(firth, never)}


def main():
    golden = {"intervals": intervals(), "holm": holm(), "rankings": rankings(), "agreement": agreement(), "opinions": opinions(), "sequences": sequences(),
              "tables": tables(), "correlations": correlations(), "power": power(), "psignifit": psychometric(), "davidson": davidson()}
    with open(sys.argv[1], "w", encoding="utf-8") as out:
        json.dump(golden, out, default=lambda value: value.item())
        out.write("\n")


if __name__ == "__main__":
    main()
