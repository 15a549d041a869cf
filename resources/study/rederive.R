# Derives the mixed models (which rederive.py leaves out) and, a second time, p-values and psychometric functions of analysis.json again from responses.csv, in an unpacked QuantSpot bundle.
# Needs lme4 and jsonlite. Usage: Rscript rederive.R [FOLDER]      exit code 0: everything agrees
suppressPackageStartupMessages({ library(lme4); library(jsonlite) })
folder <- c(commandArgs(TRUE), ".")[1]
rows <- read.csv(file.path(folder, "responses.csv"), stringsAsFactors = FALSE, colClasses = c(answer = "character", variants = "character"))
analysis <- fromJSON(file.path(folder, "analysis.json"), simplifyVector = FALSE)
protocol <- fromJSON(file.path(folder, "frozen.json"), simplifyVector = FALSE)$protocol
compared <- 0; problems <- character()
check <- function(name, found, stated, tolerance = 1e-3) {
  compared <<- compared + 1
  if (!isTRUE(abs(found - stated) <= tolerance * max(1, abs(stated)))) problems <<- c(problems, sprintf("%s: %.8g, stated %.8g", name, found, stated))
}
# The rule of all sentences: half away from zero, after the sixth decimal was rounded so; never "-0.00".
rounded <- function(value, digits) {
  units <- floor(floor(abs(value) * 1e6 + 0.5) / 10^(6 - digits) + 0.5)
  text <- formatC(units, format = "d", width = digits + 1, flag = "0", big.mark = "")
  point <- nchar(text) - digits
  paste0(if (value < 0 && units > 0) "-" else "", if (digits > 0) paste0(substr(text, 1, point), ".", substr(text, point + 1, nchar(text))) else text)
}
# At the stated ends of slope and threshold twice the best log likelihood, of the answers or with three tenths of one moved at any level, has
# fallen by chi square's quantile; it has fallen further beyond, and not so far where an end is open.
check_ends <- function(name, x, k, n, curve) {
  pooled <- sort(unique(x)); k <- as.vector(tapply(k, factor(x, pooled), sum)); n <- as.vector(tapply(n, factor(x, pooled), sum)); x <- pooled
  limit <- qchisq(protocol$analysis$level, 1); guess <- curve$guess; span <- diff(range(x)); near <- min(diff(x))
  log_of <- function(k, p) { product <- k * log(p); product[is.nan(product)] <- 0; product }   # 0 times minus infinity is 0
  likelihood <- function(k, a, b) {   # of as many curves as there are a or b
    t <- outer(x, b) + rep(a, each = length(x))
    colSums(log_of(k, guess + (1 - guess) * plogis(t)) + (n - k) * (log1p(-guess) + plogis(-t, log.p = TRUE)))
  }
  top <- function(f, places) {   # the highest of the peaks around the best few of these places
    values <- f(places); values[is.nan(values)] <- -Inf
    around <- function(i) optimize(f, c(places[max(1, i - 1)], places[min(length(places), i + 1)]), maximum = TRUE, tol = 1e-7)$objective
    max(values, sapply(order(-values)[1:4], around))
  }
  crossings <- function(b) sort(unique(c(seq(min(x) - 12 / abs(b), max(x) + 12 / abs(b), length.out = 40), outer(x, (-3:3) * 2 / abs(b), "+"))))
  with_slope <- function(k, b) if (b == 0) level_line(k) else top(function(m) likelihood(k, -b * m, rep(b, length(m))), crossings(b))
  steep <- seq(log(0.001 / span), log(200 / near), length.out = 45)
  with_threshold <- function(k, m) max(sapply(c(-1, 1), function(sign) top(function(s) likelihood(k, -sign * exp(s) * m, sign * exp(s)), steep)))
  level_line <- function(k) { p <- min(1, max(guess, sum(k) / sum(n))); sum(log_of(k, p) + log_of(n - k, 1 - p)) }
  moved <- function(i) lapply(c(-0.3, 0.3), function(by) { k[i] <- min(n[i], max(0, k[i] + by)); k })
  sets <- c(list(k), unlist(lapply(seq_along(x), moved), recursive = FALSE))
  slopes <- seq(log(0.001 / span), log(200 / near), length.out = 22)
  steepest <- function(k, sign) top(Vectorize(function(s) with_slope(k, sign * exp(s))), slopes)
  best <- sapply(sets, function(k) max(level_line(k), steepest(k, -1), steepest(k, 1)))
  excess <- function(with) min(sapply(seq_along(sets), function(i) 2 * (best[i] - with(sets[[i]])))) - limit
  line <- excess(level_line)
  ends <- function(what, stated, with, open, width) for (side in 1:2) {
    compared <<- compared + 1
    end <- stated[[side]]
    wrong <- if (is.null(end)) { if (open(side) > 2e-3) "is not open" } else {
      here <- excess(function(k) with(k, end)); beyond <- excess(function(k) with(k, end + c(-1, 1)[side] * width))
      if (beyond <= 0) "holds more" else if (abs(here) > 2e-3 && !any(abs(end - x) < 1e-6)) "is elsewhere"   # at a level it may leap
    }
    if (length(wrong)) problems <<- c(problems, sprintf("%s %s: the %s end %s", name, what, c("lower", "upper")[side], wrong))
  }
  ends("slope", curve$slope$interval, with_slope, function(side) excess(function(k) with_slope(k, c(-1, 1)[side] * 150 / near)), 0.1 / span)
  # open: a level line is held, or a threshold a hundred half-widths away
  far <- function(side) excess(function(k) with_threshold(k, mean(range(x)) + c(-1, 1)[side] * 50 * span))
  ends("threshold", curve$threshold_bits$interval, with_threshold, function(side) if (line <= 2e-3) line else far(side), 0.05 * span)
  ends_of <- sapply(curve$slope$interval, function(end) if (is.null(end)) Inf else abs(end))
  ranges <- curve$slope$interval
  holds_zero <- (is.null(ranges[[1]]) || ranges[[1]] <= 0) && (is.null(ranges[[2]]) || ranges[[2]] >= 0)
  check(paste(name, "just noticeable difference, least"), log(3) / max(ends_of), curve$jnd_interval[[1]])
  if (holds_zero != is.null(curve$jnd_interval[[2]])) problems <<- c(problems, paste(name, "just noticeable difference: its upper end"))
  else if (!holds_zero) check(paste(name, "just noticeable difference, most"), log(3) / min(ends_of), curve$jnd_interval[[2]])
}
main <- rows[rows$role == "main" & !is.na(rows$correct), ]
main$slots <- lengths(strsplit(main$shown, "|", fixed = TRUE))
for (part in c("with_exclusions", "without_exclusions")) {
  kept <- if (part == "with_exclusions") main[main$excluded == 0, ] else main
  for (figure in analysis[[part]]$detection) {
    mine <- kept[kept$kind == figure$kind & kept$variants == figure$variant & kept$slots == figure$slots, ]
    name <- paste(part, figure$kind, figure$variant)
    test <- binom.test(sum(mine$correct), nrow(mine), figure$chance, alternative = "greater")
    check(paste(name, "p"), test$p.value, figure$p, 1e-6)
    stated <- figure$mixed$log_odds_against_chance
    if (is.null(stated)) {
      if (length(unique(mine$participant)) > 1 && figure$mixed$reason != "separation: all right, all wrong, or too few answers")
        problems <- c(problems, paste0(name, ": no mixed model, stated reason: ", figure$mixed$reason))
      next
    }
    mine$offset <- qlogis(figure$chance)
    groups <- c("participant", if (length(unique(mine$comparison)) > 1) "comparison")
    model <- glFormula(as.formula(paste("correct ~ 1 +", paste0("(1 | ", groups, ")", collapse = " + "))), mine, family = binomial, offset = offset)
    deviance <- do.call(mkGlmerDevfun, c(model, list(control = glmerControl(tolPwrss = 1e-12))))
    start <- suppressWarnings(optimizeGlmer(deviance)$par)
    deviance <- updateGlmerDevfun(deviance, model$reTrms)
    groups <- names(model$reTrms$cnms)   # as lme4 orders them
    spread_of <- c(participant = figure$mixed$participant_sd, comparison = figure$mixed$prompt_sd)
    if (length(groups) == 1) check(paste(name, "spread of prompts"), 0, figure$mixed$prompt_sd, 0)
    at <- c(spread_of[groups], stated$value)
    # Where a likelihood is flat optimizers stop anywhere near its top. So what is stated need not be where lme4's stop, but must be as good: its
    # deviance, as lme4 computes it, no more than 1e-5 (0.003 standard errors) above the best that a search from lme4's start, or from here, finds.
    search <- function(from) suppressWarnings(nloptwrap(from, deviance, c(rep(0, length(groups)), -Inf), rep(Inf, length(at)),
      list(xtol_abs = 1e-9, ftol_abs = 1e-12, maxeval = 2000))$fval)
    check(paste(name, "mixed model: deviance"), min(0, search(c(start, qlogis(mean(mine$correct)) - qlogis(figure$chance))) - deviance(at), search(at) - deviance(at)), 0, 1e-5)
    # Wald's error there; a spread of 0 is held: it has no part in the error. Of Laplace's deviance with modes found to the last digit: lme4's own
    # depends on where its iterations came from, by too much for second differences.
    spread <- as.matrix(model$reTrms$Zt); sizes <- sapply(model$reTrms$flist[groups], nlevels)
    laplace <- function(to) {
      loading <- spread * rep(to[-length(to)], sizes); modes <- rep(0, nrow(loading))
      eta_of <- function(modes) mine$offset + to[length(to)] + drop(modes %*% loading)
      cost <- function(modes) { eta <- eta_of(modes); -2 * sum(plogis(ifelse(mine$correct == 1, eta, -eta), log.p = TRUE)) + sum(modes^2) }
      for (turn in 1:200) {
        right <- plogis(eta_of(modes)); bend <- loading %*% (t(loading) * (right * (1 - right))) + diag(nrow(loading))
        step <- solve(bend, drop(loading %*% (mine$correct - right)) - modes)
        while (cost(modes + step) > cost(modes) + 1e-13 && max(abs(step)) > 1e-12) step <- step / 2
        modes <- modes + step
        if (max(abs(step)) < 1e-12) break
      }
      right <- plogis(eta_of(modes))
      cost(modes) + c(determinant(loading %*% (t(loading) * (right * (1 - right))) + diag(nrow(loading)))$modulus)
    }
    free <- c(spread_of[groups] > 1e-3, TRUE); h <- 1e-3 * max(1, spread_of[groups])
    bent <- function(i, j) { move <- function(a, b) { to <- at; to[i] <- to[i] + a; to[j] <- to[j] + b; laplace(to) }
      (move(h, h) - move(h, -h) - move(-h, h) + move(-h, -h)) / (8 * h^2) }
    hessian <- outer(which(free), which(free), Vectorize(bent)); error <- sqrt(solve(hessian)[sum(free), sum(free)])
    check(paste(name, "mixed model's error"), error, stated$standard_error, 5e-3)
    # Half the interval: what groups differ by, before shrinking, against what they do by the fit; among participants with what rounding to whole answers hides.
    deviance(at); mean_of <- environment(deviance)$resp$mu; information <- mean_of * (1 - mean_of)
    modes <- split(environment(deviance)$pp$b(1), rep(groups, sapply(model$reTrms$flist[groups], nlevels)))
    between <- function(group, rounding = 0) {
      weight_of <- tapply(information, model$reTrms$flist[[group]], sum)
      # ... and against what logits shrink by, since the other effects are known in part only (Zeger, Liang and Albert 1988).
      unknown <- rep(0, nrow(mine))
      for (other in setdiff(groups, group)) {
        by <- model$reTrms$flist[[other]]; unknown <- unknown + (1 / (1 / spread_of[[other]]^2 + tapply(information, by, sum)))[by]
      }
      shift <- (modes[[group]] + tapply(mine$correct - mean_of, model$reTrms$flist[[group]], sum) / weight_of) *
        sqrt(1 + (16 * sqrt(3) / (15 * pi))^2 * tapply(information * unknown, model$reTrms$flist[[group]], sum) / weight_of)
      weight <- 1 / (spread_of[[group]]^2 + 1 / weight_of); n <- length(shift)
      list(fitted = 1 / sum(weight), seen = sum(weight^2 * (shift^2 + rounding / weight_of^2)) / sum(weight)^2 * n / (n - 1), t = qt(tail, n - 1))
    }
    tail <- (1 + protocol$analysis$level) / 2
    people <- between("participant", 1 / 12); fitted <- people$fitted; reach <- people$t^2 * people$seen
    if (length(groups) > 1) {
      pictures <- between("comparison"); chance <- 1 / sum(information)
      fitted <- fitted + pictures$fitted - chance
      reach <- reach + pictures$t^2 * max(pictures$seen, chance) - qnorm(tail)^2 * chance
    }
    check(paste(name, "half the interval"), error * sqrt(reach / fitted), stated$half_width, 5e-3)
    if (figure$mixed$singular != any(!free))
      problems <- c(problems, sprintf("%s: singular is stated as %s", name, figure$mixed$singular))
    compared <- compared + 1
  }
  tested <- Filter(function(v) v != protocol$reference, unlist(protocol$variants))
  for (item in analysis[[part]]$preference$abilities) {   # as the decisions have them in words
    if (item$variant == protocol$reference) next
    said <- sprintf("Terry %s, %s %% CI %s to %s", rounded(item$value, 2), rounded(protocol$analysis$level * 100, 0), rounded(item$interval[[1]], 2),
      rounded(item$interval[[2]], 2))
    sentence <- analysis[[part]]$decisions[[match(item$variant, tested)]]
    if (!grepl(said, sentence, fixed = TRUE)) problems <- c(problems, paste0(part, " ", item$variant, ": the decision does not say '", said, "'"))
    compared <- compared + 1
  }
  for (curve in analysis[[part]]$psychometric) {
    name <- paste(part, curve$kind)
    figures <- Filter(function(f) f$kind == curve$kind && f$slots == curve$slots && !is.null(protocol$bits[[f$variant]]), analysis[[part]]$detection)
    x <- sapply(figures, function(f) protocol$bits[[f$variant]]); k <- sapply(figures, function(f) f$correct); n <- sapply(figures, function(f) f$trials)
    check_ends(name, x, k, n, curve)
    if (curve$separated || curve$flat) next
    loss <- function(p) { q <- curve$guess + (1 - curve$guess) * plogis(p[1] + p[2] * (x - mean(x))); -sum(k * log(q) + (n - k) * log1p(-q)) }
    best <- optim(optim(c(0, 0), loss)$par, loss, method = "BFGS", control = list(reltol = 1e-15))$par
    check(paste(name, "slope"), best[2], curve$slope$value)
    check(paste(name, "threshold"), mean(x) - best[1] / best[2], curve$threshold_bits$value)
    check(paste(name, "just noticeable difference"), log(3) / abs(best[2]), curve$jnd_bits)
  }
}
answers <- read.csv(file.path(folder, "questionnaires.csv"), stringsAsFactors = FALSE, colClasses = "character")
for (figure in analysis$questionnaires) {
  mine <- answers$answer[answers$when == figure$when & answers$question == figure$question]
  name <- paste(figure$when, figure$question)
  check(paste(name, "answers"), length(mine), figure$answers, 0)
  if (figure$kind == "text") next
  places <- if (figure$kind == "likert") as.integer(mine) else match(mine, unlist(figure$choices))
  check(paste(name, "counts"), max(abs(tabulate(places, length(figure$choices)) - unlist(figure$counts))), 0, 0)
  if (figure$kind == "likert" && length(mine)) check(paste(name, "median"), median(places), figure$median, 0)
}
if (length(problems)) { writeLines(problems); quit(status = 1) }
cat(sprintf("everything agrees: %d figures\n", compared))
