"""The curve over bits per weight of rederive.py, with the intervals of its slope, threshold and just noticeable difference."""
import math

from rederive_statistics import grouped


class Curves:
    """Right answers over levels at places -1 to 1, by guess + (1 - guess) * logistic(a + b * place); moved: (level, answers right instead of wrong)."""

    def __init__(self, points, guess, moved=None):
        self.guess = guess
        self.points = [(x, k + (d := max(-k, min(w, moved[1])) if moved and moved[0] == i else 0), w - d) for i, (x, k, w) in enumerate(points)]
        self.shares = [min(1, max(guess, k / (k + w))) for _, k, w in self.points]
        self.logits = [math.log(s / (1 - s)) for s in (min(0.98, max(0.02, (k / (k + w) - guess) / (1 - guess))) for _, k, w in self.points)]
        self.line = self.constant([min(1, max(guess, sum(k for _, k, _ in self.points) / sum(k + w for _, k, w in self.points)))] * len(points))
        self.find()

    def constant(self, rates):
        log = lambda n, p: (n * math.log(p) if p > 0 else -math.inf) if n > 0 else 0
        return math.fsum(log(k, p) + log(w, 1 - p) for (_, k, w), p in zip(self.points, rates))

    def step(self, at, rising, standing):
        return self.constant([standing if x == at else 1 if (x > at) == rising else self.guess for x, _, _ in self.points])

    def steps(self, rising):
        return max(self.step(x, rising, share) for (x, _, _), share in zip(self.points, self.shares))

    def value(self, a, b):
        total, room = 0, 1 - self.guess
        for x, k, w in self.points:
            t = a + b * x
            tail = math.log1p(math.exp(-abs(t)))
            if k > 0:
                total += k * (math.log(self.guess + room * math.exp(-tail - max(-t, 0))) if self.guess > 0 else -tail - max(-t, 0))
            if w > 0:
                total += w * (math.log(room) - tail - max(t, 0))
        return total

    def slopes(self, a, b):
        """Gradient and expected information of a and b."""
        g, h = [0.0, 0.0], [0.0, 0.0, 0.0]
        for x, k, w in self.points:
            t = a + b * x
            s = 1 / (1 + math.exp(-t)) if t > -700 else 0.0
            c = 1 / (1 + math.exp(t)) if t < 700 else 0.0
            up = (1 - self.guess) * s * c / (self.guess + (1 - self.guess) * s) if self.guess > 0 else c
            gradient, weight = k * up - w * s, (k + w) * up * s
            g[0] += gradient
            g[1] += gradient * x
            h[0] += weight
            h[1] += weight * x
            h[2] += weight * x * x
        return g, h

    def climb(self, value, a, b, way=None, enough=1e-14):
        """Fisher scoring along one way of a and b, or in both."""
        for _ in range(300):
            (g0, g1), (h00, h01, h11) = self.slopes(a, b)
            if way:
                gradient, weight = g0 * way[0] + g1 * way[1], h00 * way[0] ** 2 + 2 * h01 * way[0] * way[1] + h11 * way[1] ** 2
                if not weight > 1e-250:
                    break
                da, db = (gradient / weight * w for w in way)
            else:
                determinant = h00 * h11 - h01 * h01
                if not determinant > 1e-13 * h00 * h11:
                    break
                da, db = (h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant
            if da * g0 + db * g1 < enough:
                break
            for halved in range(40):
                next_value = self.value(a + da / 2 ** halved, b + db / 2 ** halved)
                if next_value > value:
                    break
            else:
                break
            value, a, b = next_value, a + da / 2 ** halved, b + db / 2 ** halved
        return value, a, b

    def sharpened(self, a, b):
        """Newton's method by what the gradient does nearby: the value alone, nearly level, tells the top's place to four digits or so."""
        x, y = a, b
        for _ in range(20):
            by = []
            for j, at in enumerate((x, y)):
                h = 1e-4 * max(1, abs(at))
                up, down = (self.slopes(x + s * h * (j == 0), y + s * h * (j == 1))[0] for s in (1, -1))
                by.append([(u - d) / (2 * h) for u, d in zip(up, down)])
            (g0, g1), cross = self.slopes(x, y)[0], (by[0][1] + by[1][0]) / 2
            determinant = by[0][0] * by[1][1] - cross * cross
            if not (determinant > 0 and by[0][0] < 0):
                return a, b
            da, db = (by[1][1] * g0 - cross * g1) / determinant, (by[0][0] * g1 - cross * g0) / determinant
            x, y = x - da, y - db
            if not abs(x - a) + abs(y - b) < 0.1 * (1 + abs(a) + abs(b)):
                return a, b
            if abs(da) + abs(db) < 1e-11 * (1 + abs(x) + abs(y)):
                break
        return x, y

    def starts(self, b):
        middles = [-b * (p[0] + q[0]) / 2 for p, q in zip(self.points, self.points[1:])]
        return sorted(((self.value(a, b), a, b) for a in [t - b * p[0] for t, p in zip(self.logits, self.points)] + middles), reverse=True)[:3]

    def find(self):
        """best, and the curve that has it: intercept and slope, or (place, infinity) for a step."""
        starts = sorted((s for i in range(11) for sign in (-1, 1) for s in self.starts(sign * 0.3 * 2 ** i)), reverse=True)[:3]
        self.best, self.at = self.line, (0, 0)
        for start in starts:
            value, a, b = self.climb(*start)
            if value > self.best + 1e-10:
                self.best, self.at = value, (a, b)
        for rising in (False, True):
            for (x, _, _), share in zip(self.points, self.shares):
                there = self.step(x, rising, share)
                if there > self.best + (1e-9 if self.at[1] == 0 or math.isinf(self.at[1]) else -1e-9):
                    self.best, self.at = there, (x, math.inf if rising else -math.inf)

    def with_slope(self, b):
        if math.isinf(b):
            return self.steps(b > 0)
        if b == 0:
            return self.line
        ends = [self.constant([p] * len(self.points)) for p in (self.guess, 1)]
        return max(ends + [self.climb(*start, way=(1, 0))[0] for start in self.starts(b)])

    def with_threshold(self, x):
        if math.isinf(x):
            return self.line
        half = (1 + self.guess) / 2
        tried = [self.constant([half] * len(self.points)), self.step(x, False, half), self.step(x, True, half)]
        slopes = [sign * 0.25 * 4 ** i / max(1, abs(x)) for i in range(6) for sign in (-1, 1)]
        slopes += [t / (p[0] - x) for t, p in zip(self.logits, self.points) if abs(p[0] - x) > 1e-9]
        starts = sorted(((self.value(-b * x, b), -b * x, b) for b in slopes), reverse=True)[:3]
        return max(tried + [self.climb(*start, way=(-x, 1))[0] for start in starts])


def outermost(excess, places, inner):
    """From the outside, where what is held begins; inner is held."""
    outside, over = places[0], excess(places[0])
    for held in [p for p in places[1:] if (p > inner) == (outside > inner)] + [inner]:
        under = excess(held)
        if under <= 0 or held == inner:
            break
        outside, over = held, under
    for i in range(200):   # false position, its stuck end's excess halved (Illinois), every fourth time the middle
        if abs(held - outside) < 1e-11 * (1 + abs(held)):
            break
        between = (held + outside) / 2 if i % 4 == 3 or not math.isfinite(over) else (held * over - outside * under) / (over - under)
        here = excess(between)
        if here <= 0:
            held, under, over = between, here, over / 2
        else:
            outside, over, under = between, here, under / 2
        if here == 0:
            break
    return held


def curve_intervals(plain, moved, z, closest):
    """Ends of slope and threshold, with places from -1 to 1: what lies in twice the log likelihood no more than z squared below the best, of the
    answers or with three tenths of one moved at any level."""
    all_curves = [plain, *moved]
    slope_excess = lambda b: min(2 * (c.best - c.with_slope(b)) for c in all_curves) - z * z
    place_excess = lambda x: min(2 * (c.best - c.with_threshold(x)) for c in all_curves) - z * z
    steepest, slopes, thresholds = 60 / closest, [], []
    steep = [steepest / 3 ** i for i in range(99) if steepest / 3 ** i > 0.1]
    for side in (-1, 1):
        best = max(-steepest, min(steepest, plain.at[1]))
        slopes.append(side * math.inf if slope_excess(side * math.inf) <= 0 else
                      outermost(slope_excess, [side * b for b in steep] + [0] + [-side * b for b in reversed(steep)], best))
    if place_excess(math.inf) <= 0:
        return slopes, [-math.inf, math.inf]
    a, b = plain.at
    best = a if math.isinf(b) else max(-100, min(100, -a / b))
    for side in (-1, 1):
        far = [100 / 2 ** i for i in range(7)]
        places = [side * x for x in far + [i / 8 for i in range(8, -9, -1)] + [-x for x in reversed(far)]]
        thresholds.append(side * math.inf if place_excess(places[0]) <= 0 else outermost(place_excess, places, best))
    return slopes, thresholds


def psychometric(answers, guess, z):
    """Slope, threshold and just noticeable difference of right answers at x: (x, right, trials). Infinite or not a number: there is none."""
    levels = sorted({q[0] for q in answers if q[2]})
    pooled = {x: (sum(q[1] for q in answers if q[0] == x), sum(q[2] - q[1] for q in answers if q[0] == x)) for x in levels}
    middle, half = (min(pooled) + max(pooled)) / 2, (max(pooled) - min(pooled)) / 2
    points = [((x - middle) / half, k, w) for x, (k, w) in pooled.items()]
    plain = Curves(points, guess)
    moved = [Curves(points, guess, (i, by)) for i in range(len(points)) for by in (-0.3, 0.3)]
    slopes, places = curve_intervals(plain, moved, z, min(q[0] - p[0] for p, q in zip(points, points[1:])))
    (a, b), separated = plain.at, math.isinf(plain.at[1])
    errors, mean = [math.inf, math.nan], math.fsum(x for x, _, _ in answers) / len(answers)
    if not separated:
        if b == 0:
            share = sum(k for _, k, _ in points) / sum(k + w for _, k, w in points)
            a = math.log((share - guess) / (1 - share)) if guess < share < 1 else math.nan
        if not math.isnan(a):
            _, a, b = plain.climb(plain.value(a, b), a, b, enough=1e-22)
            a, b = plain.sharpened(a, b) if b else (a, b)
            _, (h00, h01, h11) = plain.slopes(a, b)
            determinant = h00 * h11 - h01 * h01
            errors[0] = math.sqrt(h00 / determinant) / half
    flat = abs(b) / half * max(abs(x - mean) for x, _, _ in answers) < 1e-7
    curved = not separated and not flat
    if curved:
        da, db = -1 / b, a / b ** 2
        errors[1] = half * math.sqrt((da * da * h11 - 2 * da * db * h01 + db * db * h00) / determinant)
    slope = {"value": b / half, "standard_error": errors[0], "interval": [end / half for end in slopes]}
    middle_of = middle - half * a / b if curved else math.nan
    threshold = {"value": middle_of, "standard_error": errors[1], "interval": [middle + half * end for end in places]}
    ends = sorted(map(abs, slope["interval"]))
    widest = math.inf if slope["interval"][0] <= 0 <= slope["interval"][1] else math.log(3) / ends[0]
    return {"separated": separated, "flat": flat, "slope": slope, "threshold_bits": threshold,
            "jnd_bits": math.log(3) * half / abs(b) if curved else None, "jnd_interval": [math.log(3) / ends[1], widest]}


def curves(figures, bits, z):
    found = []
    for (kind, slots), mine in grouped([f for f in figures if f["variant"] in bits], lambda f: (f["kind"], f["slots"])).items():
        points = [{"variant": f["variant"], "bits": bits[f["variant"]], "rate": f["rate"], "interval": f["rate_interval"], "trials": f["trials"]} for f in mine]
        if len({p["bits"] for p in points}) < 2:
            continue
        fit = psychometric([(bits[f["variant"]], f["correct"], f["trials"]) for f in mine], mine[0]["chance"], z)
        found.append({"kind": kind, "slots": slots, "guess": mine[0]["chance"], "points": points, **fit})
    return found or None
