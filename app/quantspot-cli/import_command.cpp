#include "app/quantspot-cli/import_command.h"

#include "app/quantspot-cli/files.h"
#include "app/quantspot-cli/import_scores.h"
#include "engine/model/sha256.h"
#include "engine/pipeline/png.h"
#include "engine/pipeline/whole_folder.h"
#include "engine/protocol/base64.h"
#include "engine/service/service.h"
#include "evaluation/figures.h"
#include "evaluation/files.h"
#include "evaluation/html_report.h"
#include "evaluation/picture_file.h"
#include "evaluation/picture_list.h"
#include "evaluation/report.h"
#include "evaluation/tables.h"
#include "metrics/image.h"

#include <CLI/CLI.hpp>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

namespace quantspot::cli {
namespace {

namespace fs = std::filesystem;
using evaluation::ListedComparison, evaluation::ListedPicture;
using nlohmann::json;

struct ImportArguments {
  fs::path path, out;
  std::string model = "default";         // whose CLIP scores
};

class Import {
 public:
  explicit Import(const ImportArguments& arguments) : arguments_(arguments), listed_(evaluation::readPictureList(arguments.path)), service_({}) {}

  int run();

 private:
  std::pair<int, int> check() const;     // the size of the smallest picture
  metrics::Image decode(const ListedPicture& picture) const;
  json sample(const ListedComparison& comparison, const ListedPicture& picture, std::size_t index, const fs::path& folder);
  json scores(const std::string& png, const ListedComparison& comparison, const ListedPicture& picture, std::size_t index);

  const ImportArguments& arguments_;
  const std::vector<ListedComparison> listed_;
  service::Service service_;
  std::optional<ImportScores> scores_;
  std::string reference_;                // of the comparison at hand: base64 PNG
};

metrics::Image Import::decode(const ListedPicture& picture) const { return metrics::decodeImage(readFile(picture.file)); }

// Everything is looked at before anything is written, and everything that is wrong is told.
std::pair<int, int> Import::check() const {
  std::vector<std::string> wrong;
  std::pair<int, int> least{0, 0};
  for (const ListedComparison& comparison : listed_) {
    int width = 0, height = 0;
    for (const ListedPicture& picture : comparison.pictures) {
      const std::string name = picture.file.filename().string(), label = fmt::format("{} ({})", name, picture.precision);
      const std::vector<std::uint8_t> file = readFile(picture.file);
      if (const std::string why = evaluation::pictureRefusal(file); !why.empty()) {
        wrong.push_back(label + " " + why);
        continue;
      }
      try {
        const metrics::Image image = decode(picture);
        if (!metrics::isOpaque(file)) wrong.push_back(label + " " + evaluation::kTransparent);
        if (width == 0) width = image.width, height = image.height;
        least = {least.first > 0 ? std::min(least.first, width) : width, least.second > 0 ? std::min(least.second, height) : height};
        const std::string first = comparison.pictures.front().file.filename().string();
        if (image.width != width || image.height != height)
          wrong.push_back(fmt::format("{} is {} x {}, {} is {} x {}", label, image.width, image.height, first, width, height));
      } catch (const std::invalid_argument& error) {
        wrong.push_back(label + ": " + error.what());
      }
    }
  }
  if (!wrong.empty()) throw std::runtime_error(evaluation::offenders(wrong));
  return least;
}

json Import::scores(const std::string& png, const ListedComparison& comparison, const ListedPicture& picture, std::size_t index) {
  const bool first = &picture == &comparison.pictures.front();
  if (first) reference_ = png;
  scores_->keep(picture.precision, index, png);
  return scores_->picture(png, first ? std::string() : reference_,
                          comparison.promptTold && !comparison.prompt.empty() ? std::optional(comparison.prompt) : std::nullopt);
}

json Import::sample(const ListedComparison& comparison, const ListedPicture& picture, std::size_t index, const fs::path& folder) {
  const metrics::Image image = decode(picture);
  const std::vector<std::uint8_t> png = pipeline::encodePng({image.width, image.height, image.pixels});   // pixels alone: no EXIF, no text
  const fs::path relative = fs::path(evaluation::fileName(picture.precision)) / fmt::format("{:04}-seed{}.png", index, comparison.seed);
  fs::create_directories((folder / relative).parent_path());
  pipeline::writeFile(folder / relative, png);
  const std::vector<std::uint8_t> source = readFile(picture.file);
  const json report = {{"schema", 1}, {"imported", true}, {"precision", picture.precision},
                       {"recipe", {{"prompt", comparison.prompt}, {"seed", comparison.seed}}},
                       {"source_sha256", model::sha256Hex(source.data(), source.size())},
                       {"image_sha256", model::sha256Hex(image.pixels.data(), image.pixels.size())},
                       {"weights", {{"transformer", {{"bytes", picture.bytes ? json(*picture.bytes) : json(nullptr)}}}}},
                       {"peak_bytes", json::object()}, {"seconds", {{"total", picture.seconds ? json(*picture.seconds) : json(nullptr)}}}};
  return {{"precision", picture.precision}, {"image", relative.generic_string()}, {"report", report},
          {"scores", scores(protocol::toBase64(png), comparison, picture, index)}};
}

int Import::run() {
  const auto [width, height] = check();
  scores_.emplace(service_, arguments_.model, width, height);
  pipeline::WholeFolder folder(arguments_.out, false);
  json report = {{"schema", 1}, {"model", "imported"}, {"prompt_set", arguments_.path.stem().string()}, {"comparisons", json::array()}};
  std::vector<std::string> precisions;   // the first is what the others are compared with
  std::size_t pictures = 0;
  for (std::size_t i = 0; i < listed_.size(); ++i) {
    json samples = json::array();
    for (const ListedPicture& picture : listed_[i].pictures) {
      samples.push_back(sample(listed_[i], picture, i, folder.path()));
      if (std::ranges::find(precisions, picture.precision) == precisions.end()) precisions.push_back(picture.precision);
      ++pictures;
    }
    const metrics::Image first = decode(listed_[i].pictures.front());
    const json recipe = {{"prompt", listed_[i].prompt}, {"seed", listed_[i].seed}, {"steps", 0}, {"width", first.width}, {"height", first.height}};
    report["comparisons"].push_back({{"recipe", recipe}, {"samples", samples}});
  }
  report["precisions"] = precisions;
  report["labels"] = scores_->labels();
  const evaluation::SetReport sets = scores_->sets(precisions);
  report["sets"] = sets.told;
  report.update(evaluation::analyze(report["comparisons"], precisions, evaluation::defaultThresholds(), sets.figures, scores_->labels()));
  evaluation::writeJson(folder.path() / "report.json", report);
  evaluation::writeWhole(folder.path() / "report.html", evaluation::htmlReport(report, folder.path()));
  evaluation::writeTables(report, folder.path());
  folder.publish();
  printJson({{"report", (arguments_.out / "report.json").string()}, {"html", (arguments_.out / "report.html").string()},
             {"comparisons", listed_.size()}, {"samples", pictures}});
  return 0;
}

}  // namespace

void addImport(CLI::App& app, std::function<int()>& run) {
  const auto a = std::make_shared<ImportArguments>();
  CLI::App& i = *app.add_subcommand("import", "Pictures made elsewhere as a comparison: scored, with report.json and report.html, metadata stripped");
  i.add_option("path", a->path, "A folder of folders named by precision, or a .csv or .json list: prompt, seed, precision, file, seconds, bytes")
      ->required();
  i.add_option("--out", a->out, "A folder that is not there yet")->required();
  i.add_option("--model", a->model, "Whose CLIP scores")->capture_default_str();
  i.callback([&run, a] { run = [a] { return Import(*a).run(); }; });
}

}  // namespace quantspot::cli
