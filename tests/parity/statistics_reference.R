# Golden values of study/statistics from R. Usage: Rscript statistics_reference.R OUT.json
# Debian: r-base-core r-cran-psyphy r-cran-bradleyterry2 r-cran-lme4 r-cran-jsonlite
suppressPackageStartupMessages({ library(psyphy); library(BradleyTerry2); library(lme4); library(jsonlite) })

# psyphy stops its root finding at 1e-4; the same functions with a tight tolerance.
tight <- function(f) {
  surroundings <- new.env(parent = environment(f))
  surroundings$uniroot <- function(f, interval) stats::uniroot(f, interval, tol = 1e-15)
  surroundings$integrate <- function(...) stats::integrate(..., rel.tol = 1e-13, subdivisions = 1000L)
  environment(f) <- surroundings
  f
}
mafc <- tight(dprime.mAFC); abx <- tight(dprime.ABX); same <- tight(dprime.SD); odd <- tight(dprime.oddity)
rates <- c(0.55, 0.6, 0.75, 0.9, 0.99)
dprimes <- list(
  list(kind = "mafc", m = 2, rates = rates, values = sapply(rates, mafc, m = 2)),
  list(kind = "mafc", m = 4, rates = rates, values = sapply(rates, mafc, m = 4)),
  list(kind = "mafc", m = 8, rates = rates, values = sapply(rates, mafc, m = 8)),
  list(kind = "abx-differencing", m = 2, rates = rates, values = sapply(rates, function(p) abx(Pc.unb = p, method = "diff"))),
  list(kind = "abx-independent", m = 2, rates = rates, values = sapply(rates, function(p) abx(Pc.unb = p, method = "IO"))),
  list(kind = "oddity", m = 3, rates = rates, values = sapply(rates, odd)))
pairs <- list(c(0.6, 0.3), c(0.75, 0.4), c(0.9, 0.2), c(0.55, 0.5))
same_different <- lapply(pairs, function(p) list(hit = p[1], false_alarm = p[2],
  differencing = same(H = p[1], FA = p[2], method = "diff"), independent = same(H = p[1], FA = p[2], method = "IO")))

# Bradley–Terry: five items, both orders.
set.seed(5)
items <- c("a", "b", "c", "d", "e")
games <- expand.grid(first = items, second = items, stringsAsFactors = FALSE)
games <- games[games$first != games$second, ]
truth <- c(a = 0, b = 0.4, c = -0.3, d = 1.0, e = 0.1)
games$wins <- rbinom(nrow(games), 12, plogis(truth[games$first] - truth[games$second] + 0.3))
games$losses <- 12 - games$wins
games$ties <- rbinom(nrow(games), 4, 0.5)
games$one <- data.frame(player = factor(games$first, items), left = 1)
games$two <- data.frame(player = factor(games$second, items), left = 0)
control <- glm.control(epsilon = 1e-14, maxit = 100)
plain <- BTm(cbind(wins, losses), one, two, ~player, id = "player", refcat = "a", data = games, control = control)
order <- BTm(cbind(wins, losses), one, two, ~player + left, id = "player", refcat = "a", data = games, control = control)
table_of <- function(fit) { s <- summary(fit)$coefficients; list(value = unname(s[, 1]), standard_error = unname(s[, 2]), log_likelihood = as.numeric(sum(dbinom(games$wins, 12, fitted(fit), log = TRUE) - lchoose(12, games$wins)))) }

# Davidson's ties and the bias-reduced fit as an independent maximization with optim.
davidson <- function(parameters, with_order) {
  ability <- c(0, parameters[1:4]); names(ability) <- items
  tie <- parameters[5]; gamma <- if (with_order) parameters[6] else 0
  i <- ability[games$first] + gamma; j <- ability[games$second]
  t <- tie + (ability[games$first] + ability[games$second]) / 2
  total <- log(exp(i) + exp(j) + exp(t))
  -sum(games$wins * (i - total) + games$losses * (j - total) + games$ties * (t - total))
}
polish <- function(f, start) {   # optim, then Newton on its own numeric derivatives
  at <- optim(start, f, method = "BFGS", control = list(reltol = 1e-16, maxit = 2000))$par
  for (k in 1:5) {
    g <- sapply(seq_along(at), function(i) { h <- replace(numeric(length(at)), i, 1e-4); (8 * (f(at + h) - f(at - h)) - (f(at + 2 * h) - f(at - 2 * h))) / 12e-4 })
    at <- at - solve(optimHess(at, f, control = list(ndeps = rep(1e-4, length(at)))), g)
  }
  at
}
ties <- polish(function(p) davidson(p, FALSE), rep(0, 5))
ties_order <- polish(function(p) davidson(p, TRUE), rep(0, 6))
error <- function(f, at) sqrt(diag(solve(optimHess(at, f, control = list(ndeps = rep(1e-4, length(at)))))))

firth <- function(wins, losses, x) function(beta) {   # Jeffreys-penalized logistic likelihood
  p <- plogis(drop(x %*% beta))
  -sum(wins * log(p) + losses * log1p(-p)) - 0.5 * as.numeric(determinant(t(x) %*% (x * ((wins + losses) * p * (1 - p))))$modulus)
}
design <- function(first, second) { x <- sapply(items[-1], function(i) (first == i) - (second == i)); colnames(x) <- NULL; x }
never_lost <- games; never_lost$wins[never_lost$first == "d"] <- 12; never_lost$losses[never_lost$first == "d"] <- 0
never_lost$wins[never_lost$second == "d"] <- 0; never_lost$losses[never_lost$second == "d"] <- 12
reduced <- polish(firth(games$wins, games$losses, design(games$first, games$second)), rep(0, 4))
separated <- polish(firth(never_lost$wins, never_lost$losses, design(never_lost$first, never_lost$second)), rep(0, 4))

# Mixed logistic model: 14 people, 12 prompts, two variants.
set.seed(11)
mixed <- expand.grid(participant = 0:13, prompt = 0:11, variant = 0:1)
mixed <- mixed[runif(nrow(mixed)) < 0.8, ]
person <- rnorm(14, 0, 0.8); prompt <- rnorm(12, 0, 0.5)
mixed$y <- rbinom(nrow(mixed), 1, plogis(-0.3 + 0.9 * mixed$variant + person[mixed$participant + 1] + prompt[mixed$prompt + 1]))
sharp <- glmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 100000), tolPwrss = 1e-13, calc.derivs = TRUE)
glmer_of <- function(data) {
  fit <- glmer(y ~ variant + (1 | participant) + (1 | prompt), data, family = binomial, control = sharp)
  s <- summary(fit)$coefficients
  sd <- as.data.frame(VarCorr(fit))
  list(rows = list(participant = data$participant, prompt = data$prompt, variant = data$variant, y = data$y),
       fixed = unname(s[, 1]), standard_error = unname(s[, 2]), participant_sd = sd$sdcor[sd$grp == "participant"],
       prompt_sd = sd$sdcor[sd$grp == "prompt"], log_likelihood = as.numeric(logLik(fit)))
}

# Psychometric function with the guess rate of four alternatives.
bits <- c(2, 3, 4, 5, 6, 8, 16)
right <- c(56, 47, 33, 22, 17, 14, 16)
seen <- rep(60, 7)
curve <- glm(cbind(right, seen - right) ~ bits, family = binomial(mafc.logit(4)), control = glm.control(epsilon = 1e-15, maxit = 200), start = c(5, -1.5))
b <- unname(coef(curve)); v <- vcov(curve)
psychometric <- list(x = bits, correct = right, trials = seen, guess = 0.25, slope = b[2], slope_error = sqrt(v[2, 2]), threshold = -b[1] / b[2],
  threshold_error = sqrt(v[1, 1] / b[2]^2 - 2 * v[1, 2] * b[1] / b[2]^3 + v[2, 2] * b[1]^2 / b[2]^4), deviance = deviance(curve))

# Intervals of its slope and threshold by the likelihood ratio, of the answers or with three tenths of one moved at any level; found by R's own
# optimizers. An end that is not there is NA.
profile_of <- function(x, k, n, guess, limit = qchisq(0.95, 1)) {
  log_of <- function(k, p) { product <- k * log(p); product[is.nan(product)] <- 0; product }   # 0 times minus infinity is 0
  likelihood <- function(k, a, b) {   # of as many curves as there are a or b
    t <- outer(x, b) + rep(a, each = length(x))
    colSums(log_of(k, guess + (1 - guess) * plogis(t)) + (n - k) * (log1p(-guess) + plogis(-t, log.p = TRUE)))
  }
  span <- diff(range(x)); near <- min(diff(sort(x)))
  top <- function(f, places) {   # the highest of the peaks around the best few of these places
    values <- f(places); values[is.nan(values)] <- -Inf
    best <- order(-values)[1:4]
    around <- function(i) optimize(f, c(places[max(1, i - 1)], places[min(length(places), i + 1)]), maximum = TRUE, tol = 1e-6)$objective
    max(values, sapply(best, around))
  }
  crossings <- function(b) {
    sort(unique(c(seq(min(x) - 12 / abs(b), max(x) + 12 / abs(b), length.out = 60), outer(x, seq(-6, 6, length.out = 13) / abs(b), "+"))))
  }
  with_slope <- function(k, b) if (b == 0) level_line(k) else top(function(m) likelihood(k, -b * m, rep(b, length(m))), crossings(b))
  steep <- exp(seq(log(0.004), log(50 / near), length.out = 26))
  through <- function(k, m, sign) top(function(s) likelihood(k, -sign * exp(s) * m, sign * exp(s)), log(steep))
  with_threshold <- function(k, m) max(through(k, m, -1), through(k, m, 1))
  level_line <- function(k) { p <- min(1, max(guess, sum(k) / sum(n))); sum(log_of(k, p) + log_of(n - k, 1 - p)) }
  slopes <- c(-rev(steep), steep)
  moved <- function(i) lapply(c(-0.3, 0.3), function(by) { k[i] <- min(n[i], max(0, k[i] + by)); k })
  sets <- c(list(k), unlist(lapply(seq_along(x), moved), recursive = FALSE))
  best <- lapply(sets, function(k) {
    values <- sapply(slopes, function(b) with_slope(k, b))
    i <- which.max(values)
    peak <- optimize(function(b) with_slope(k, b), c(slopes[max(1, i - 1)], slopes[min(length(slopes), i + 1)]), maximum = TRUE, tol = 1e-6)
    c(max(values, peak$objective, level_line(k)), if (peak$objective > max(values)) peak$maximum else slopes[i])
  })
  excess <- function(with) function(value) min(sapply(seq_along(sets), function(i) 2 * (best[[i]][1] - with(sets[[i]], value)))) - limit
  end <- function(f, inner, outer) {   # nothing where the outermost is held
    if (f(outer[1]) <= 0) return(NA)
    for (i in seq_along(outer)) if (f(outer[i]) <= 0) return(uniroot(f, sort(outer[i - 1:0]), tol = 1e-6)$root)
    uniroot(f, sort(c(outer[length(outer)], inner)), tol = 1e-6)$root
  }
  inner <- best[[1]][2]; by_slope <- excess(with_slope); by_threshold <- excess(with_threshold)
  out <- function(side) { far <- side * exp(seq(log(60 / near), log(0.02), length.out = 12)); far[side * far > side * inner] }
  slope <- c(end(by_slope, inner, out(-1)), end(by_slope, inner, out(1)))
  held <- x[1] + seq(-0.5, 1.5, length.out = 81) * span; held <- held[which.min(sapply(held, by_threshold))]
  flat <- min(sapply(seq_along(sets), function(i) 2 * (best[[i]][1] - level_line(sets[[i]])))) <= limit
  threshold_end <- function(side) {
    far <- mean(range(x)) + side * span * c(50, 20, 8, 3, 1.5, 1, 0.75, 0.5)
    end(by_threshold, held, far[side * far > side * held])
  }
  threshold <- if (flat) c(NA, NA) else sapply(c(-1, 1), threshold_end)
  list(x = x, correct = k, trials = n, guess = guess, slope = slope, threshold = threshold)
}
profiles <- list(profile_of(c(2, 4, 8), c(9, 6, 2), rep(10, 3), 0.25),
  profile_of(c(2, 4, 5, 8), c(10, 6, 3, 2), rep(10, 4), 0.25), profile_of(c(2, 4, 6, 8), c(60, 40, 15, 15), rep(60, 4), 0.25),
  profile_of(c(4.5, 4.8), c(10, 9), c(12, 12), 0.5), profile_of(c(2, 4, 8), c(8, 20, 29), rep(30, 3), 1 / 3),
  profile_of(c(2, 4), c(11, 11), c(20, 20), 0.25))

columns <- function(g) list(first = match(g$first, items) - 1, second = match(g$second, items) - 1, wins = g$wins, losses = g$losses, ties = g$ties)
golden <- list(made_with = paste(R.version.string, "psyphy", packageVersion("psyphy"), "BradleyTerry2", packageVersion("BradleyTerry2"), "lme4", packageVersion("lme4")),
  dprime = dprimes, same_different = same_different,
  bradley_terry = list(games = columns(games), plain = table_of(plain), order = table_of(order), reduced = list(value = reduced),
    ties = list(value = ties, standard_error = error(function(p) davidson(p, FALSE), ties)),
    ties_order = list(value = ties_order, standard_error = error(function(p) davidson(p, TRUE), ties_order)),
    never_lost = c(columns(never_lost), list(value = separated))),
  mixed = glmer_of(mixed), psychometric = psychometric, profiles = profiles)
write(toJSON(golden, digits = NA, auto_unbox = TRUE), commandArgs(TRUE)[1])
