// Distances of sets of pictures: those of a precision to real ones, or to the baseline's.
#pragma once

#include "evaluation/plan.h"
#include "evaluation/store.h"
#include "evaluation/summary.h"

#include <filesystem>

namespace quantspot::cli {

// Adds FID and KID of each precision's finished pictures to `sets`; while Inception's weights are not there, the Fréchet distance of the embedded
// CLIP's features under a name of its own, FD-CLIP-tiny. real: a folder of pictures or statistics (.npz); empty: the baseline's pictures, which
// then have no figure themselves. Returns {"against", "network", "warnings"}; null where a set has fewer than six pictures.
// Throws as service::scoreSets() and picturesIn() do.
nlohmann::json addSetScores(const evaluation::Plan& plan, const evaluation::Store& store, const std::filesystem::path& real, evaluation::SetFigures& sets);

}  // namespace quantspot::cli
