#include "engine/model/config.h"
#include "engine/model/dit/dit.h"

#include <ATen/ATen.h>
#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <charconv>

namespace quantspot::model {
namespace {

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t\n\r"), last = text.find_last_not_of(" \t\n\r");
  return first == std::string::npos ? "" : text.substr(first, last - first + 1);
}

class ClassLabels final : public TextEncoders {
 public:
  ClassLabels(const std::filesystem::path& folder, const LoadOptions& options);

  PromptEmbedding encode(const std::vector<std::string>& prompts, const EncodeOptions& options) const override;
  PromptEmbedding encodeNegative(const std::optional<std::string>&, const EncodeOptions&) const override {
    return {.condition = {{"labels", labels({kEmptyClass})}}, .truncated = {}};
  }
  std::int64_t bytes() const override { return 0; }
  std::vector<LayerInfo> layers() const override { return {}; }

 private:
  at::Tensor labels(const std::vector<std::int64_t>& numbers) const { return at::tensor(numbers, at::kLong).to(device_); }
  std::int64_t numberOf(const std::string& prompt) const;
  [[noreturn]] void failUnknown(const std::string& name) const;

  std::filesystem::path index_;
  at::Device device_;
  std::int64_t classes_;
  std::map<std::string, std::int64_t> numbers_;
};

// Of a name that several classes have, the last counts, in the order of the file, whose keys are sorted as text.
ClassLabels::ClassLabels(const std::filesystem::path& folder, const LoadOptions& options)
    : index_(folder / "model_index.json"), device_(options.device),
      classes_(Config(folder / "transformer" / "config.json").positive("num_embeds_ada_norm", 1000)) {
  const Config config(index_);
  if (!config.has("id2label")) return;
  if (!config.json()["id2label"].is_object()) config.fail("id2label", "must map class numbers to names");
  for (const auto& [key, value] : config.json()["id2label"].items()) {
    std::int64_t number = -1;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), number);
    if (error != std::errc() || end != key.data() + key.size() || number < 0 || number >= classes_ || !value.is_string())
      throw ModelError(fmt::format("{}: id2label has \"{}\"; its keys must be numbers below num_embeds_ada_norm={} and its values names",
          index_.string(), key, classes_));
    const std::string names = value.get<std::string>() + ",";
    for (std::size_t at = 0, comma; (comma = names.find(',', at)) != std::string::npos; at = comma + 1)
      numbers_[trimmed(names.substr(at, comma - at))] = number;
  }
}

std::int64_t ClassLabels::numberOf(const std::string& prompt) const {
  const std::string name = trimmed(prompt);
  std::int64_t number = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (!name.empty() && error == std::errc() && end == name.data() + name.size()) {
    if (number < 0 || number >= classes_)
      throw ModelError(fmt::format("there is no class {}; this model has the classes 0 to {}", number, classes_ - 1));
    return number;
  }
  const auto found = numbers_.find(name);
  if (found == numbers_.end()) failUnknown(name);
  return found->second;
}

void ClassLabels::failUnknown(const std::string& name) const {
  if (numbers_.empty())
    throw ModelError(fmt::format("'{}' is no class number, and {} has no names (id2label); use 0 to {}", name, index_.string(), classes_ - 1));
  std::vector<std::string> near;
  for (const auto& [known, number] : numbers_)
    if (!name.empty() && (known.find(name) != std::string::npos || name.find(known) != std::string::npos) && !known.empty() && near.size() < 5)
      near.push_back(fmt::format("{} ({})", known, number));
  throw ModelError(fmt::format("there is no class '{}'; use a number from 0 to {} or a name of {}{}", name, classes_ - 1, index_.string(),
                               near.empty() ? "" : fmt::format(", as {}", fmt::join(near, ", "))));
}

PromptEmbedding ClassLabels::encode(const std::vector<std::string>& prompts, const EncodeOptions&) const {
  std::vector<std::int64_t> numbers;
  for (const std::string& prompt : prompts) numbers.push_back(numberOf(prompt));
  return {.condition = {{"labels", labels(numbers)}}, .truncated = {}};
}

}  // namespace

std::unique_ptr<TextEncoders> loadClassLabels(const std::filesystem::path& folder, const LoadOptions& options) {
  return std::make_unique<ClassLabels>(folder, options);
}

}  // namespace quantspot::model
