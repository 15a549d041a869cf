# Derives the mixed models (which rederive.py leaves out) and, a second time, p-values and psychometric functions of analysis.json again from responses.csv, in an unpacked QuantSpot bundle.
# Needs lme4 and jsonlite. Usage: Rscript rederive.R [FOLDER]      exit code 0: everything agrees
suppressPackageStartupMessages({ library(lme4); library(jsonlite) })
folder <- c(commandArgs(TRUE), ".")[1]
rows <- read.csv(file.path(folder, "responses.csv"), stringsAsFactors = FALSE, colClasses = c(answer = "character", variants = "character"))
analysis <- fromJSON(file.path(folder, "analysis.json"), simplifyVector = FALSE)
protocol <- fromJSON(file.path(folder, "frozen.json"), simplifyVector = FALSE)$protocol
compared <- 0; loose <- 0; problems <- character()
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
    if (stated$standard_error > 0.7) { loose <- loose + 1; next }   # nearly separated: the likelihood is flat, optimizers stop anywhere
    mine$offset <- qlogis(figure$chance)
    grouping <- c("(1 | participant)", if (length(unique(mine$comparison)) > 1) "(1 | comparison)")
    fit <- suppressMessages(suppressWarnings(glmer(as.formula(paste("correct ~ 1 +", paste(grouping, collapse = " + "))), mine, family = binomial, offset = offset,
      control = glmerControl(optimizer = "bobyqa", tolPwrss = 1e-12, optCtrl = list(rhoend = 1e-9, maxfun = 1e5)))))
    check(paste(name, "mixed model"), unname(fixef(fit)[1]), stated$value)
    spread <- as.data.frame(VarCorr(fit))
    of <- function(group) { found <- spread$sdcor[spread$grp == group]; if (length(found)) found else 0 }
    # A spread of 0 is held there: it has no part in the error.
    there <- grouping[c(of("participant"), of("comparison"))[seq_along(grouping)] > 1e-3]
    error <- if (length(there) == length(grouping)) sqrt(as.matrix(vcov(fit))[1, 1]) else
      if (length(there) == 0) sqrt(vcov(glm(correct ~ 1, binomial, mine, offset = offset))[1, 1]) else
      sqrt(as.matrix(vcov(suppressMessages(suppressWarnings(glmer(as.formula(paste("correct ~ 1 +", there)), mine, family = binomial, offset = offset,
        control = glmerControl(optimizer = "bobyqa", tolPwrss = 1e-12, optCtrl = list(rhoend = 1e-9, maxfun = 1e5)))))))[1, 1])
    check(paste(name, "mixed model's error"), error, stated$standard_error, 5e-3)
    check(paste(name, "spread of participants"), of("participant"), figure$mixed$participant_sd, 1e-2)
    check(paste(name, "spread of prompts"), of("comparison"), figure$mixed$prompt_sd, 1e-2)
    # The interval's error: what groups differ by, before shrinking, against what they do by the fit.
    mean_of <- plogis(predict(fit, re.form = NULL)); information <- mean_of * (1 - mean_of)
    between <- function(group) {
      weight_of <- tapply(information, mine[[group]], sum)
      shift <- ranef(fit)[[group]][names(weight_of), 1] + tapply(mine$correct - mean_of, mine[[group]], sum) / weight_of
      weight <- 1 / (of(group)^2 + 1 / weight_of); n <- length(shift)
      list(fitted = 1 / sum(weight), seen = sum((weight * shift)^2) / sum(weight)^2 * n / (n - 1), freedom = n - 1)
    }
    people <- between("participant"); fitted <- people$fitted; seen <- people$seen; spent <- seen^2 / people$freedom
    if (length(unique(mine$comparison)) > 1) {
      pictures <- between("comparison"); chance <- 1 / sum(information)
      fitted <- fitted + pictures$fitted - chance
      if (pictures$seen > chance) { seen <- seen + pictures$seen - chance; spent <- spent + pictures$seen^2 / pictures$freedom }
    }
    check(paste(name, "error of the interval"), error * sqrt(seen / fitted), stated$interval_error, 5e-3)
    check(paste(name, "degrees of freedom"), max(1, seen^2 / spent), stated$freedom, 1e-2)
    # Near 0 optimizers stop where they like: a spread that is clearly there must not be called none, nor the other way round.
    smallest <- min(spread$sdcor)
    if (figure$mixed$singular && smallest > 2e-2 || !figure$mixed$singular && smallest < 1e-5)
      problems <- c(problems, sprintf("%s: singular is stated as %s, the smallest spread is %.3g", name, figure$mixed$singular, smallest))
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
    if (curve$separated || curve$flat) next
    figures <- Filter(function(f) f$kind == curve$kind && f$slots == curve$slots && !is.null(protocol$bits[[f$variant]]), analysis[[part]]$detection)
    x <- sapply(figures, function(f) protocol$bits[[f$variant]]); k <- sapply(figures, function(f) f$correct); n <- sapply(figures, function(f) f$trials)
    loss <- function(p) { q <- curve$guess + (1 - curve$guess) * plogis(p[1] + p[2] * (x - mean(x))); -sum(k * log(q) + (n - k) * log1p(-q)) }
    best <- optim(optim(c(0, 0), loss)$par, loss, method = "BFGS", control = list(reltol = 1e-15))$par
    check(paste(part, curve$kind, "slope"), best[2], curve$slope$value)
    check(paste(part, curve$kind, "threshold"), mean(x) - best[1] / best[2], curve$threshold_bits$value)
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
cat(sprintf("everything agrees: %d figures; %d mixed models with a standard error above 0.7 were left out\n", compared, loose))
