"""Group: squared distances of pairs (KID's and CMMD's kernels), by their definitions in numpy.

The kernels' maps are written out: (x·y / D + 1)³ is a product of third powers of [x / √D, 1], the Gaussian kernel a root of its table. Then the
value is a sum over pairs, tr Σ² the mean over all ordered fours of different pairs, the interval's ends roots found by halving.
"""

import itertools
import json
from pathlib import Path

import numpy as np
from scipy import optimize, stats

from score_cases import uniform

CASES = (("kid", 7, 3, 0.2, 0.4), ("kid", 9, 2, 0.0, 0.3), ("kid", 8, 4, 1.5, 0.1), ("cmmd", 7, 3, 0.2, 0.4), ("cmmd", 9, 2, 0.0, 0.3), ("cmmd", 8, 4, 3.0, 1.0))


def mapped(kernel: str, a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    both = np.concatenate([a, b])
    if kernel == "kid":
        z = np.concatenate([both / np.sqrt(both.shape[1]), np.ones((len(both), 1))], 1)
        vectors = np.einsum("ni,nj,nk->nijk", z, z, z).reshape(len(both), -1)
    else:
        values, directions = np.linalg.eigh(1000 * np.exp(-((both[:, None] - both[None]) ** 2).sum(-1) / (2 * 10 ** 2)))
        vectors = directions * np.sqrt(np.maximum(values, 0))
    return vectors[:len(a)], vectors[len(a):]


def square(delta: np.ndarray) -> float:
    """tr Σ² without bias: of δ₁ − δ₂ and δ₃ − δ₄ of different pairs, E (difference · difference)² = 4 tr Σ²."""
    terms = [((delta[i] - delta[j]) @ (delta[k] - delta[m])) ** 2 / 4 for i, j, k, m in itertools.permutations(range(len(delta)), 4)]
    return float(np.mean(terms))


def interval(value: float, along: float, tr2: float, n: int) -> tuple[float, float]:
    t = stats.t.ppf(0.975, n - 1)
    off = lambda theta: (value - theta) ** 2 - t * t * (4 * max(theta, 0) * along / n + 2 * tr2 / n ** 2)  # noqa: E731
    far = 10 * (abs(value) + t * t * along + t * np.sqrt(tr2))
    return optimize.brentq(off, value - far, value, xtol=1e-15), max(0.0, optimize.brentq(off, value, value + far, xtol=1e-15))


def make(golden: Path) -> None:
    rows = []
    for kernel, n, width, shift, noise in CASES:
        a = uniform(f"a{n}", [n, width]).double().numpy() - 0.5
        b = a + shift + noise * (uniform(f"b{n}", [n, width]).double().numpy() - 0.5)
        x, y = mapped(kernel, a, b)
        delta = x - y
        mean = delta.mean(0)
        value = float(np.mean([delta[i] @ delta[j] for i, j in itertools.permutations(range(n), 2)]))
        along = float(np.var(delta @ mean / np.sqrt(mean @ mean), ddof=1))
        low, high = interval(value, along, square(delta), n)
        rows.append({"kernel": kernel, "n": n, "width": width, "shift": shift, "noise": noise, "value": value, "along": along, "square": square(delta),
                     "low": low, "high": high})
    (golden / "scores" / "set_pairs.json").write_text(json.dumps(rows, indent=1) + "\n")
    print(f"set_pairs: {rows[1]}")
