# Golden values of study/statistics from further R packages. Usage: Rscript statistics_packages.R OUT.json
# Debian: r-base-core r-cran-brglm2 r-cran-pwr r-cran-jsonlite
suppressPackageStartupMessages({ library(brglm2); library(pwr); library(jsonlite) })

# Bradley–Terry by Firth's bias reduction: five items, both orders; then with one that never loses.
set.seed(19)
items <- c("a", "b", "c", "d", "e")
games <- expand.grid(first = items, second = items, stringsAsFactors = FALSE)
games <- games[games$first != games$second, ]
truth <- c(a = 0, b = 0.6, c = -0.4, d = 0.9, e = 0.2)
games$wins <- rbinom(nrow(games), 5, plogis(truth[games$first] - truth[games$second]))
design <- sapply(items[-1], function(i) (games$first == i) - (games$second == i))
reduced <- function(wins) {
  fit <- glm(cbind(wins, 5 - wins) ~ design - 1, family = binomial, method = "brglmFit", type = "AS_mean", epsilon = 1e-12, maxit = 1000)
  list(wins = wins, value = unname(coef(fit)), standard_error = unname(summary(fit)$coefficients[, 2]))
}
never <- ifelse(games$first == "d", 5, ifelse(games$second == "d", 0, games$wins))
bradley_terry <- list(first = match(games$first, items) - 1, second = match(games$second, items) - 1, usual = reduced(games$wins), never = reduced(never))

# Power by the arcsine approximation, which is near the exact one where n is large.
power <- lapply(list(c(100, 0.35, 0.25), c(60, 0.5, 1 / 3), c(200, 0.6, 0.5), c(480, 0.3, 0.25)), function(s)
  list(trials = s[1], rate = s[2], chance = s[3],
       arcsine = pwr.p.test(h = ES.h(s[2], s[3]), n = s[1], sig.level = 0.05, alternative = "greater")$power))
golden <- list(made_with = paste(R.version.string, "brglm2", packageVersion("brglm2"), "pwr", packageVersion("pwr")),
  bradley_terry = bradley_terry, power = power)
write(toJSON(golden, digits = NA, auto_unbox = TRUE), commandArgs(TRUE)[1])
