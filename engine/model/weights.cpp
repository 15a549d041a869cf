#include "engine/model/weights.h"

#include "engine/model/config.h"
#include "engine/model/folder.h"
#include "engine/model/gguf_weights.h"
#include "engine/model/links.h"
#include "engine/model/single/contents.h"
#include "engine/model/viewed_safetensors.h"

#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <set>

namespace quantspot::model {
namespace {

constexpr const char* kStems[] = {"diffusion_pytorch_model", "model"};

std::vector<std::filesystem::path> shards(const std::filesystem::path& index) {
  const Config config(index);
  std::set<std::string> names;
  for (const auto& [tensor, file] : config.need<std::map<std::string, std::string>>("weight_map")) names.insert(file);
  std::vector<std::filesystem::path> files;
  for (const std::string& name : names) {
    files.push_back(index.parent_path() / name);
    if (std::filesystem::path(name).has_parent_path() || name == "..")
      throw ModelError(fmt::format("{}: {} names shard '{}', which lies outside of the folder; shards are names of files beside it",
                                   index.parent_path().string(), index.filename().string(), name));
    if (!isThere(files.back()))
      throw ModelError(fmt::format("{}: shard '{}' that {} names is missing; download the model again", index.parent_path().string(), name,
                                   index.filename().string()));
  }
  return files;
}

std::vector<std::filesystem::path> ggufFiles(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::error_code unreadable;
  for (const auto& entry : std::filesystem::directory_iterator(folder, unreadable))
    if (entry.path().extension() == ".gguf") files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

// Levenshtein distance: how many letters differ.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i] != b[j]);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, diagonal + 1, substituted});
    }
  }
  return row.back();
}

// Original files hold 1 × 1 convolutions where diffusers has matrices, some GGUF files the other way round.
bool sameButOnes(std::vector<std::int64_t> a, std::vector<std::int64_t> b) {
  std::erase(a, 1);
  std::erase(b, 1);
  return a == b;
}

void checkFloating(const SafeTensors& file, const std::string& name, const TensorEntry& entry) {
  if (!at::isFloatingType(entry.dtype))
    throw ModelError(fmt::format("{}: tensor '{}' is {}; only floating-point weights can be read", file.path().string(), name,
                                 c10::toString(entry.dtype)));
}

}  // namespace

std::vector<std::filesystem::path> weightFiles(const std::filesystem::path& folder) {
  if (std::filesystem::exists(folder / kViewsFile)) {
    std::filesystem::path file;
    readViews(folder, file);
    return {file};
  }
  for (const char* stem : kStems)
    if (const auto index = folder / fmt::format("{}.safetensors.index.json", stem); isThere(index)) return shards(index);
  for (const char* stem : kStems)
    if (const auto file = folder / fmt::format("{}.safetensors", stem); isThere(file)) return {file};
  const auto ggufs = ggufFiles(folder);
  if (ggufs.size() == 1) return ggufs;
  for (const char* pickle : {"diffusion_pytorch_model.bin", "pytorch_model.bin"})
    if (std::filesystem::exists(folder / pickle)) refusePickle(folder / pickle);
  if (ggufs.size() > 1)
    throw ModelError(fmt::format("{}: holds {} GGUF files, {} and {} among them; leave the one that is meant", folder.string(), ggufs.size(),
                                 ggufs[0].filename().string(), ggufs[1].filename().string()));
  throw ModelError(fmt::format("{}: holds neither diffusion_pytorch_model.safetensors nor model.safetensors (nor an index of shards) nor a .gguf file; "
                               "other weight formats are not read",
                               folder.string()));
}

Weights::Weights(const std::filesystem::path& folder) : folder_(folder) {
  if (std::filesystem::exists(folder / kViewsFile)) {
    std::filesystem::path file;
    Views views = readViews(folder, file);
    if (file.extension() == ".gguf") source_ = std::make_unique<GgufWeights>(file, std::move(views));
    else source_ = std::make_unique<ViewedSafeTensors>(file, std::move(views));
    return;
  }
  for (const auto& path : weightFiles(folder)) {
    if (path.extension() == ".gguf") {
      source_ = std::make_unique<GgufWeights>(path);
      continue;
    }
    files_.emplace_back(path);
    for (const auto& [name, entry] : files_.back().entries())
      if (!where_.emplace(name, files_.size() - 1).second)
        throw ModelError(fmt::format("{}: tensor '{}' is also in another shard", path.string(), name));
  }
}

const SafeTensors& Weights::fileOf(const std::string& name) const {
  const auto found = where_.find(name);
  if (found == where_.end()) failMissing(name);
  return files_[found->second];
}

std::vector<std::string> Weights::names() const {
  if (source_) return source_->names();
  std::vector<std::string> names;
  for (const auto& [name, file] : where_) names.push_back(name);
  return names;
}

void Weights::check(const std::string& name, const std::vector<std::int64_t>& shape) const {
  if (source_) return checkSource(name, shape);
  const SafeTensors& file = fileOf(name);
  const TensorEntry& entry = file.entries().at(name);
  if (entry.shape != shape) failShape(file.path(), name, entry.shape, shape);
  checkFloating(file, name, entry);
}

at::Tensor Weights::read(const std::string& name, const std::vector<std::int64_t>& shape) const {
  check(name, shape);
  return source_ ? read(name).view(shape) : read(name);
}

at::Tensor Weights::read(const std::string& name) const {
  if (source_) {
    if (!source_->has(name)) failMissing(name);
    return source_->read(name);
  }
  const SafeTensors& file = fileOf(name);
  const TensorEntry& entry = file.entries().at(name);
  checkFloating(file, name, entry);
  return file.copy(entry);
}

void Weights::willNeed(const std::string& name) const {
  if (source_) return source_->willNeed(name);
  const SafeTensors& file = fileOf(name);
  file.willNeed(file.entries().at(name));
}

std::vector<std::int64_t> Weights::shape(const std::string& name) const {
  if (!has(name)) failMissing(name);
  return source_ ? source_->shape(name) : files_[where_.at(name)].entries().at(name).shape;
}

std::string_view Weights::blocksOf(const std::string& name, const std::vector<std::int64_t>& shape) const {
  if (!source_) return {};
  checkSource(name, shape);
  return source_->blocksOf(name);
}

std::optional<quant::QuantizedTensor> Weights::packed(const std::string& name, const std::vector<std::int64_t>& shape) const {
  if (!source_) return {};
  checkSource(name, shape);
  return source_->packed(name);
}

void Weights::checkSource(const std::string& name, const std::vector<std::int64_t>& shape) const {
  if (!source_->has(name)) failMissing(name);
  if (const auto has = source_->shape(name); !sameButOnes(has, shape)) failShape(source_->path(), name, has, shape);
  source_->checkType(name);
}

void Weights::failMissing(const std::string& name) const {
  throw ModelError(fmt::format("{}: tensor '{}' is missing{}", folder_.string(), name, closest(name)));
}

void Weights::failShape(const std::filesystem::path& path, const std::string& name, const std::vector<std::int64_t>& has,
                        const std::vector<std::int64_t>& wanted) const {
  throw ModelError(fmt::format("{}: tensor '{}' has shape [{}], config.json asks for [{}]", path.string(), name, fmt::join(has, ", "),
                               fmt::join(wanted, ", ")));
}

std::string Weights::closest(const std::string& name) const {
  std::vector<std::string> names;
  if (source_) names = source_->names();
  for (const auto& [known, file] : where_) names.push_back(known);
  std::erase_if(names, [](const std::string& known) { return known.size() > 300; });   // a distance takes the product of both lengths
  const auto nearest = std::ranges::min_element(names, {}, [&](const std::string& known) { return distance(known, name); });
  return nearest == names.end() ? "; the files hold no tensors" : fmt::format("; the closest name there is '{}'", *nearest);
}

}  // namespace quantspot::model
