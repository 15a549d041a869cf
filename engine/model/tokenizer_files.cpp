#include "engine/model/tokenizer_files.h"

#include "engine/model/config.h"
#include "engine/model/unicode.h"

#include <spdlog/fmt/fmt.h>

#include <cstdlib>

namespace quantspot::model {
namespace {

nlohmann::json readIfThere(const std::filesystem::path& path) {
  return std::filesystem::exists(path) ? readJson(path) : nlohmann::json(nullptr);
}

// A token is a string, or an object with its content.
std::optional<std::string> content(const nlohmann::json& token) {
  if (token.is_string()) return token.get<std::string>();
  if (token.is_object() && token.contains("content") && token["content"].is_string()) return token["content"].get<std::string>();
  return std::nullopt;
}

std::optional<std::string> contentOf(const nlohmann::json& map, const std::string& key) {
  return map.is_object() && map.contains(key) ? content(map[key]) : std::nullopt;
}

std::int64_t idOfAdded(const nlohmann::json& token) {
  const nlohmann::json id = token.value("id", nlohmann::json(0));
  if (!id.is_number_integer()) throw nlohmann::json::type_error::create(302, "an id is no whole number", &id);
  return id.get<std::int64_t>();
}

bool isNormalized(const nlohmann::json& token) { return token.is_object() && token.value("normalized", false); }

const AddedToken* longestAt(std::u32string_view text, const std::vector<AddedToken>& tokens, bool normalized) {
  const AddedToken* best = nullptr;
  for (const AddedToken& token : tokens)
    if (token.normalized == normalized && !token.content.empty() && text.starts_with(token.content) &&
        (!best || token.content.size() > best->content.size()))
      best = &token;
  return best;
}

}  // namespace

void remember(std::vector<AddedToken>& tokens, AddedToken token) {
  std::erase_if(tokens, [&](const AddedToken& known) { return known.id == token.id; });
  tokens.push_back(std::move(token));
}

std::vector<Segment> splitAddedTokens(std::u32string_view text, const std::vector<AddedToken>& tokens, bool normalized) {
  std::vector<Segment> segments;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size();) {
    const AddedToken* const token = longestAt(text.substr(i), tokens, normalized);
    if (!token) {
      ++i;
      continue;
    }
    if (i > begin) segments.push_back({std::u32string(text.substr(begin, i - begin)), -1});
    segments.push_back({token->content, token->id});
    begin = i += token->content.size();
  }
  if (begin < text.size()) segments.push_back({std::u32string(text.substr(begin)), -1});
  return segments;
}

TokenizerFiles::TokenizerFiles(const std::filesystem::path& folder)
    : folder_(folder), config_(readIfThere(folder / "tokenizer_config.json")), specialMap_(readIfThere(folder / "special_tokens_map.json")),
      tokenizer_(readIfThere(folder / "tokenizer.json")) {
  if (!std::filesystem::is_directory(folder)) throw ModelError(fmt::format("{}: the tokenizer's folder is missing", folder.string()));
}

AddedToken TokenizerFiles::special(const std::string& key, const std::string& fallback, const IdOf& idOf) const {
  const bool configDecides = config_.is_object() && config_.contains("added_tokens_decoder");
  const nlohmann::json* source = &config_;
  if (!configDecides && contentOf(specialMap_, key)) source = &specialMap_;
  const std::string text = contentOf(*source, key).value_or(fallback);
  AddedToken token{unicode::decode(text), -1, source->is_object() && source->contains(key) && isNormalized((*source)[key])};
  token.id = idOf(text).value_or(-1);
  for (const AddedToken& added : addedTokens(idOf))
    if (added.content == token.content) token = added;
  if (token.id < 0) throw ModelError(fmt::format("{}: {} '{}' is not in the vocabulary", folder_.string(), key, text));
  return token;
}

std::optional<std::int64_t> TokenizerFiles::modelMaxLength() const {
  if (!config_.is_object() || !config_.contains("model_max_length") || !config_["model_max_length"].is_number()) return std::nullopt;
  const double value = config_["model_max_length"].get<double>();
  return value >= 1 && value < 1e6 ? std::optional(static_cast<std::int64_t>(value)) : std::nullopt;  // 1e30 stands for "not set"
}

std::int64_t TokenizerFiles::number(const std::string& key, std::int64_t fallback) const {
  return config_.is_object() && config_.contains(key) && config_[key].is_number_integer() ? config_[key].get<std::int64_t>() : fallback;
}

std::vector<AddedToken> TokenizerFiles::addedTokens(const IdOf& idOf) const {
  std::vector<AddedToken> tokens;
  const auto add = [&](const nlohmann::json& token, std::int64_t id) {
    const auto text = content(token);
    if (!text) return;
    tokens.push_back({unicode::decode(*text), idOf(*text).value_or(id), isNormalized(token)});
  };
  if (config_.is_object() && config_.contains("added_tokens_decoder"))
    for (const auto& [id, token] : config_["added_tokens_decoder"].items()) add(token, std::strtoll(id.c_str(), nullptr, 10));
  else if (tokenizer_.is_object() && tokenizer_.contains("added_tokens"))
    for (const auto& token : tokenizer_["added_tokens"]) add(token, idOfAdded(token));
  for (const char* list : {"additional_special_tokens", "extra_special_tokens"})
    if (config_.is_object() && config_.contains(list) && config_[list].is_array())
      for (const auto& token : config_[list])
        if (const auto text = content(token); text && idOf(*text)) add(token, 0);
  return tokens;
}

}  // namespace quantspot::model
