"""Distributions and fits that rederive.py needs; Python's standard library only."""
import math
import statistics

def binomial(k, n, p):
    if p in (0, 1):
        return float(k == n * p)
    return math.exp(math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(p) + (n - k) * math.log1p(-p))


def at_least(k, n, p):
    return math.fsum(binomial(i, n, p) for i in range(k, n + 1))


def chi_square_tail(x, freedom):
    x /= 2
    half, tail = (0.5, math.erfc(math.sqrt(x))) if freedom % 2 else (1.0, math.exp(-x))
    while half < freedom / 2:
        tail += math.exp(half * math.log(x) - x - math.lgamma(half + 1)) if x > 0 else 0
        half += 1
    return tail


def student_quantile(level, freedom):
    """Two-sided: t such that the share `level` lies between -t and t; the integral of cos(angle)**(freedom - 1) with t = sqrt(freedom) tan(angle)."""
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(math.pi)
    share = lambda angle: 2 * scale * simpson(lambda a: math.cos(a) ** (freedom - 1), 0, angle)
    return math.sqrt(freedom) * math.tan(bisect(lambda angle: share(angle) - level, 0, math.pi / 2))


def quantile(values, p):
    values = sorted(values)
    place = p * (len(values) - 1)
    below = math.floor(place)
    return values[below] + (place - below) * (values[min(below + 1, len(values) - 1)] - values[below])


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


def same_different_interval(kind, hits, different, alarms, same, level):
    """Least and largest d' on quarter ellipses from the rates to the ends of their exact intervals, at steps of 3 degrees."""
    def at(h, f):
        return 0.0 if h <= f else math.inf if f <= 0 or h >= 1 else same_different(kind, h, f)
    hit, alarm, (h0, h1), (f0, f1) = hits / different, alarms / same, exact_interval(hits, different, level), exact_interval(alarms, same, level)
    turns = [(math.cos(math.radians(a)), math.sin(math.radians(a))) for a in range(0, 91, 3)]
    return [min(at(hit - (hit - h0) * c, alarm + (f1 - alarm) * s) for c, s in turns), max(at(hit + (h1 - hit) * c, alarm - (alarm - f0) * s) for c, s in turns)]


def opinion_interval(values, roundings, level):
    """Of a mean on the scale from 1 to 5: Wilson's, of as many people as their variance, and what rounding hides of few, is worth, with Student's t."""
    n, place = len(values), (math.fsum(values) / len(values) - 1) / 4
    if n < 2:
        return [1.0, 5.0]
    variance, widest = (statistics.variance(values) + roundings * 3 / (n + 12)) / 16 / n, place * (1 - place)
    t2 = student_quantile(level, n - 1) ** 2 / (max(1.0, widest / variance) if widest > 1e-12 else n)
    middle, half = (place + t2 / 2) / (1 + t2), math.sqrt(t2 * widest + t2 * t2 / 4) / (1 + t2)
    return [1 + 4 * max(0.0, middle - half), 1 + 4 * min(1.0, middle + half)]


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
    """Conditional logit by Newton's method; sets: lists of (features, chosen). Parameters and standard errors, or None when they run away."""
    def bend(at):
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
        return gradient, information, inverse
    at, slope = [0.0] * count, lambda step, gradient: sum(s * g for s, g in zip(step, gradient))
    for _ in range(500):
        gradient, information, inverse = bend(at)
        step = solve(information, gradient)
        largest = max(map(abs, step))
        step = [s * min(1, 1 / largest if largest else 1) for s in step]
        to = [a + s for a, s in zip(at, step)]
        if largest < 1e-12:
            break
        rise, left = slope(step, gradient), slope(step, bend(to)[0])
        if left < -0.1 * rise:  # beyond the top, as Firth's information is too small for his likelihood: to where the slope between vanishes
            to = [a + s * rise / (rise - left) for a, s in zip(at, step)]
        at = to
        if not firth and max(map(abs, at)) > 30:
            return None
    return at, [math.sqrt(inverse[i][i]) for i in range(count)]


def connected(count, edges):
    """Whether everything reaches everything along the directed edges."""
    def reach(step):
        seen, open_ = {0}, [0]
        while open_:
            new = {b for a, b in map(step, edges) if a == open_[-1]} - seen
            open_.pop()
            seen |= new
            open_ += new
        return len(seen) == count
    return reach(lambda e: e) and reach(lambda e: (e[1], e[0]))


def fitted(sets, count, linked):
    """Plain fit, or Firth's where there is no finite one: parameters, standard errors, whether it is separated."""
    plain = None
    if linked:
        try:
            plain = choices(sets, count, False)
        except (ZeroDivisionError, OverflowError, ValueError):   # it runs away until nothing of its information is left
            pass
    if plain and max(map(abs, plain[0])) < 15:
        return *plain, False
    return *choices(sets, count, True), True


def subject_bias(ratings):
    """ratings: per person a dict of thing to score. Quality per thing; score = quality + the person's bias + noise of the person's own spread.
    None where somebody has no noise at all: the likelihood then has no maximum."""
    things = sorted({t for row in ratings for t in row})
    mean = lambda values: math.fsum(values) / len(values)
    quality = {t: mean([row[t] for row in ratings if t in row]) for t in things}
    bias = [mean([row[t] - quality[t] for t in row]) for row in ratings]
    for step in range(1000):
        spread = []
        for row, b in zip(ratings, bias):
            rest = [row[t] - quality[t] - b for t in row]
            spread.append(math.fsum((r - mean(rest)) ** 2 for r in rest) / len(rest))
        if step == 0:  # people who mirror each other are in balance, which rounding alone would decide on
            spread = [v * (1 + 0.01 * (i + 1) / len(spread)) ** 2 for i, v in enumerate(spread)]
        new = {}
        for t in things:
            weights = [(1 / (v + 1e-8), row[t] - b) for row, b, v in zip(ratings, bias, spread) if t in row]
            new[t] = math.fsum(w * x for w, x in weights) / math.fsum(w for w, _ in weights)
        moved = math.sqrt(math.fsum((new[t] - quality[t]) ** 2 for t in things))
        quality, bias = new, [mean([row[t] - new[t] for t in row]) for row in ratings]
        if moved < 1e-8:
            break
    return {t: q + mean(bias) for t, q in quality.items()} if min(spread) >= 1e-4 else None


def bt500(ratings):
    """Whom ITU-R BT.500 would reject: indices of people."""
    things = sorted({t for row in ratings for t in row})
    above, below = [0] * len(ratings), [0] * len(ratings)
    for t in things:
        values = [row[t] for row in ratings if t in row]
        mean = math.fsum(values) / len(values)
        second, fourth = (math.fsum((v - mean) ** power for v in values) / len(values) for power in (2, 4))
        reach = math.sqrt(second) * (2 if second > 0 and 2 <= fourth / second ** 2 <= 4 else math.sqrt(20))
        for i, row in enumerate(ratings):
            above[i] += t in row and row[t] >= mean + reach
            below[i] += t in row and row[t] <= mean - reach
    rejected = [i for i, (a, b) in enumerate(zip(above, below)) if (a + b) / len(things) > 0.05 and abs(a - b) / (a + b) < 0.3]
    return rejected if len(rejected) < len(ratings) else []


def krippendorff(ratings, level):
    """Ordinal alpha, its interval (docs/study-analysis.md), and why there is none; None where undefined."""
    units = [u for u in ([row[t] for row in ratings if t in row] for t in sorted({t for row in ratings for t in row})) if len(u) > 1]
    n, value = len(units), alpha(units)
    found = {"krippendorff_ordinal": value, "krippendorff_interval": None}
    if value is None:
        return found
    if n < 30:
        return found | {"krippendorff_reason": "fewer than 30 things were rated by two people"}
    if one_sidedness(units) > 0.006:
        return found | {"krippendorff_reason": "ratings are too one-sided for so few things"}
    per_thing = math.fsum(map(len, units)) / n
    reach = per_thing / (per_thing - 1)
    without, share = [alpha(units[:i] + units[i + 1:]) / reach for i in range(n)], min(1, max(0, (1 - value) / reach))
    mean = math.fsum(without) / n
    second, fourth = math.fsum((x - mean) ** 2 for x in without), math.fsum((x - mean) ** 4 for x in without)
    spread, freedom, widest = 0, n - 1, share * (1 - share)
    if second > 1e-12:
        spread, freedom = second * (n - 1) / n, min(n - 1, max(2, 2 * (n - 1) / max(1e-9, n * fourth / second ** 2 - 1)))
    variance = (freedom * spread + 40 * max(spread, widest / n)) / (freedom + 40)
    things = max(1, widest / variance) if variance > 1e-12 and widest > 1e-12 else n
    t = student_quantile(level, freedom)
    middle, half = share + t * t / things / 2, math.sqrt(t * t * widest / things + (t * t / things) ** 2 / 4)
    return found | {"krippendorff_interval": [1 - end * reach / (1 + t * t / things) for end in (middle + half, max(0, middle - half))]}


def ordinal(totals):
    """Distance of two values: how many ratings lie from one to the other."""
    return lambda a, b: (math.fsum(n for v, n in totals.items() if min(a, b) <= v <= max(a, b)) - (totals[a] + totals[b]) / 2) ** 2


def one_sidedness(units):
    """Relative variance of how far ratings lie from all, over things."""
    totals = {v: float(sum(unit.count(v) for unit in units)) for unit in units for v in unit}
    everything, distance = math.fsum(totals.values()), ordinal(totals)
    far = {a: math.fsum(n / everything * distance(a, b) for b, n in totals.items() if a != b) for a in totals}
    mean, square = (math.fsum(n / everything * far[a] ** power for a, n in totals.items()) for power in (1, 2))
    return (square / mean ** 2 - 1) / len(units)


def alpha(units):
    """Ordinal; None where all ratings are equal."""
    values = sorted({v for unit in units for v in unit})
    pairs = {(a, b): 0.0 for a in values for b in values}
    for unit in units:
        for i, a in enumerate(unit):
            for j, b in enumerate(unit):
                if i != j:
                    pairs[a, b] += 1 / (len(unit) - 1)
    totals = {a: math.fsum(pairs[a, b] for b in values) for a in values}
    everything, distance = math.fsum(totals.values()), ordinal(totals)
    expected = math.fsum(totals[a] * totals[b] * distance(a, b) for a in values for b in values if a != b) / (everything - 1) if everything > 1 else 0
    return 1 - math.fsum(pairs[a, b] * distance(a, b) for a in values for b in values if a != b) / expected if expected else None


def estimate(value, error, z):
    return {"value": value, "standard_error": error, "interval": [value - z * error, value + z * error]}


def abilities(values, errors, items, z):
    return [dict(estimate(v, e, z), variant=name) for v, e, name in zip([0.0] + values, [0.0] + errors, items)]


def grouped(rows, key):
    found = {}
    for r in rows:
        found.setdefault(key(r), []).append(r)
    return dict(sorted(found.items()))


def counted(count, one, many):
    """As in "1 person", "2 people"."""
    return f"{count} {one if count == 1 else many}"


def rounded(value, digits):
    """Half away from zero, after the sixth decimal was rounded so; never "-0.00": the rule of all sentences."""
    units = math.floor(math.floor(abs(value) * 1e6 + 0.5) / 10 ** (6 - digits) + 0.5)
    text = str(units).rjust(digits + 1, "0")
    return ("-" if value < 0 and units else "") + (text[:-digits] + "." + text[-digits:] if digits else text)
