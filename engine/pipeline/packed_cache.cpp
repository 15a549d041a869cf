#include "engine/pipeline/packed_cache.h"

#include "engine/model/folder.h"
#include "engine/model/mapped_file.h"
#include "engine/model/sha256.h"
#include "engine/pipeline/auto_precision.h"
#include "engine/pipeline/packing_revision.h"
#include "engine/pipeline/scratch_file.h"

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <numeric>

namespace quantspot::pipeline {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// A file: the parts' bytes one after the other, a JSON index, its SHA-256 in hex, its length in 8 bytes (little endian), the mark. The hash stands
// for the shapes: kernels trust them.
constexpr std::string_view kMark = "QSPACK02", kExtension = ".qspacked";
constexpr std::size_t kAlignment = 64, kHash = 64, kFooter = kHash + 8 + kMark.size();
constexpr std::int64_t kSpare = std::int64_t{1} << 30;   // what stays free on the disk

fs::path fileOf(const PackedCacheOptions& options, const std::string& key) { return options.folder / (key + std::string(kExtension)); }

std::uint64_t readNumber(const std::byte* from) {
  std::uint64_t number = 0;
  for (int i = 7; i >= 0; --i) number = number << 8 | static_cast<std::uint64_t>(from[i]);
  return number;
}

json readIndex(const model::MappedFile& file, const std::string& key) {
  const auto bytes = file.bytes();
  const auto fail = [&](const char* what) { throw model::ModelError(file.path().string() + ": " + what); };
  if (bytes.size() < kFooter || std::memcmp(bytes.data() + bytes.size() - kMark.size(), kMark.data(), kMark.size()) != 0) fail("is not whole");
  const std::uint64_t length = readNumber(bytes.data() + bytes.size() - kMark.size() - 8);
  if (length > bytes.size() - kFooter) fail("is damaged");
  const auto* text = reinterpret_cast<const char*>(bytes.data() + bytes.size() - kFooter - length);
  if (model::sha256Hex(text, length) != std::string_view(text + length, kHash)) fail("is damaged");
  json index = json::parse(text, text + length);
  if (index.at("key") != key) fail("belongs to something else");
  return index;
}

at::TensorOptions typeOf(const json& part) { return at::TensorOptions(static_cast<at::ScalarType>(part.at("dtype").get<int>())); }

std::span<const std::byte> partBytes(const model::MappedFile& file, const json& part) {
  const auto offset = part.at("offset").get<std::uint64_t>();
  const std::size_t size = at::empty(part.at("shape").get<std::vector<std::int64_t>>(), typeOf(part).device(at::kMeta)).nbytes();
  if (offset > file.bytes().size() || size > file.bytes().size() - offset) throw model::ModelError(file.path().string() + ": is damaged");
  return file.bytes().subspan(offset, size);
}

at::Tensor copyPart(const model::MappedFile& file, const json& part) {
  const auto bytes = partBytes(file, part);
  at::Tensor tensor = at::empty(part.at("shape").get<std::vector<std::int64_t>>(), typeOf(part));
  file.copy(bytes, static_cast<std::byte*>(tensor.mutable_data_ptr()));
  return tensor;
}

struct Known {
  fs::path path;
  fs::file_time_type used;
  std::int64_t bytes;
};

// Files of the cache, and pieces that a killed program left a day ago or more.
std::vector<Known> known(const fs::path& folder) {
  std::vector<Known> all;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const fs::file_time_type used = entry.last_write_time(ignored);
    if (entry.path().extension() == kExtension) all.push_back({entry.path(), used, static_cast<std::int64_t>(entry.file_size(ignored))});
    else if (entry.path().extension() == ".part" && fs::file_time_type::clock::now() - used > std::chrono::hours(24))
      fs::remove(entry.path(), ignored);
  }
  std::ranges::sort(all, {}, &Known::used);
  return all;
}

void makeRoom(const PackedCacheOptions& options, const fs::path& keep) {
  std::vector<Known> files = known(options.folder);
  std::int64_t total = 0;
  for (const Known& file : files) total += file.bytes;
  for (const Known& file : files) {
    if (total <= options.limit) return;
    std::error_code ignored;
    if (file.path != keep && fs::remove(file.path, ignored)) total -= file.bytes;
  }
}

}  // namespace

PackedCacheOptions defaultPackedCache() {
  const auto variable = [](const char* name) -> std::string {
    const char* value = std::getenv(name);
    return value ? value : "";
  };
  PackedCacheOptions options;
  if (!variable("QUANTSPOT_CACHE").empty()) options.folder = variable("QUANTSPOT_CACHE");
  else if (!variable("XDG_CACHE_HOME").empty()) options.folder = fs::path(variable("XDG_CACHE_HOME")) / "quantspot" / "packed";
  else if (!variable("HOME").empty()) options.folder = fs::path(variable("HOME")) / ".cache" / "quantspot" / "packed";
  const std::string limit = variable("QUANTSPOT_CACHE_LIMIT");
  options.limit = limit.empty() ? std::int64_t{20} << 30 : parseBytes(limit);
  return options;
}

PackedCacheOptions scratchCache() { return {scratchFolder(), std::numeric_limits<std::int64_t>::max(), true}; }

std::string packedKey(const std::string& weightsHash, const std::string& part, const std::string& policy) {
  model::Sha256 hash;
  for (const std::string& line : {std::string(kPackingRevision), weightsHash, part, policy}) hash.add(line + '\n');
  return hash.hex();
}

struct PackedSet::Reader {
  Reader(const fs::path& path, const std::string& key) : file(path), index(readIndex(file, key)) {}
  const json& layers() const { return index.at("layers"); }
  model::MappedFile file;
  json index;
};

struct PackedSet::Writer {
  PackedCacheOptions options;
  std::string key;
  std::unique_ptr<ScratchFile> scratch;
  fs::path partial;
  std::ofstream out;
  std::uint64_t written = 0;
  json layers = json::object();
  bool failed = false;

  Writer(const PackedCacheOptions& given, const std::string& name) : options(given), key(name) {
    static std::atomic<int> count = 0;
    partial = options.folder / (key + "." + std::to_string(::getpid()) + "-" + std::to_string(count++) + ".part");
  }
  ~Writer() {
    std::error_code ignored;
    if (out.is_open() && !scratch) fs::remove(partial, ignored);
  }

  void giveUp(const std::string& why) {
    failed = true;
    spdlog::warn("packed weights are not kept in {}: {}", options.folder.string(), why);
  }

  bool ready() {
    if (failed || out.is_open()) return !failed;
    std::error_code error;
    if (!openScratch()) return false;
    if (!scratch) fs::create_directories(options.folder, error);
    out.open(partial, std::ios::binary);
    if (!out) giveUp("it cannot be written");
    return !failed;
  }

  // Where one is wanted.
  bool openScratch() try {
    if (options.scratch) scratch = std::make_unique<ScratchFile>(options.folder), partial = scratch->path();
    return true;
  } catch (const std::exception& error) {
    giveUp(error.what());
    return false;
  }

  fs::path file() const { return scratch ? partial : fileOf(options, key); }

  json addPart(const std::string& name, const at::Tensor& tensor) {
    const at::Tensor plain = tensor.cpu().contiguous();
    const std::uint64_t offset = (written + kAlignment - 1) / kAlignment * kAlignment;
    out << std::string(offset - written, '\0');
    out.write(static_cast<const char*>(plain.const_data_ptr()), static_cast<std::streamsize>(plain.nbytes()));
    written = offset + plain.nbytes();
    return {{"name", name}, {"offset", offset}, {"shape", plain.sizes().vec()}, {"dtype", static_cast<int>(plain.scalar_type())}};
  }

  void finish() {
    const std::string index = json{{"key", key}, {"layers", std::move(layers)}}.dump();
    out << index << model::sha256Hex(index.data(), index.size());
    for (int i = 0; i < 8; ++i) out.put(static_cast<char>(std::uint64_t{index.size()} >> (8 * i)));
    out << kMark << std::flush;
    std::error_code error;
    if (out && !scratch) fs::rename(partial, file(), error);
    if (!out || error) return giveUp("the disk is full or cannot be written");
    out.close();
    if (!scratch) makeRoom(options, fileOf(options, key));
  }
};

PackedSet::PackedSet(const PackedCacheOptions& options, const std::string& key) {
  if (options.folder.empty() || options.limit <= 0) return;
  const fs::path path = fileOf(options, key);
  std::error_code ignored;
  if (!options.scratch && fs::exists(path, ignored)) {
    try {
      reader_ = std::make_unique<Reader>(path, key);
      fs::last_write_time(path, fs::file_time_type::clock::now(), ignored);
      return;
    } catch (const std::exception& damaged) {   // a file that cannot be read is made anew
      spdlog::warn("{}; it is made again", damaged.what());
      fs::remove(path, ignored);
    }
  }
  writer_ = std::make_unique<Writer>(options, key);
}

PackedSet::~PackedSet() = default;

std::optional<PackedSet::Layer> PackedSet::find(const std::string& layer, at::IntArrayRef shape) const {
  if (!reader_ || !reader_->layers().contains(layer)) return std::nullopt;
  try {
    const json& entry = reader_->layers().at(layer);
    Layer found{{entry.at("precision"), entry.at("shape").get<std::vector<std::int64_t>>(),
                 static_cast<at::ScalarType>(entry.at("dtype").get<int>()), {}},
                entry.value("asked", ""), entry.value("why", "")};
    if (std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>()) !=
        std::accumulate(found.weight.shape.begin(), found.weight.shape.end(), std::int64_t{1}, std::multiplies<>()))
      return std::nullopt;
    for (const json& part : entry.at("parts")) found.weight.parts.emplace_back(part.at("name"), copyPart(reader_->file, part));
    return found;
  } catch (const std::exception& damaged) {
    spdlog::warn("{}; {} is packed again", damaged.what(), layer);
    return std::nullopt;
  }
}

bool PackedSet::willNeed(const std::string& layer) const {
  if (!reader_ || !reader_->layers().contains(layer)) return false;
  try {
    for (const json& part : reader_->layers().at(layer).at("parts")) reader_->file.willNeed(partBytes(reader_->file, part));
    return true;
  } catch (const std::exception&) {      // find() says what is wrong
    return false;
  }
}

void PackedSet::add(const std::string& layer, const Layer& packed) {
  if (!writer_) return;
  const bool plain = packed.weight.parts.size() == 1 && packed.weight.parts[0].second.scalar_type() == packed.weight.dtype && packed.why.empty();
  if (plain || !writer_->ready()) return;
  std::error_code error;
  const fs::space_info space = fs::space(writer_->options.folder, error);
  const std::int64_t after = static_cast<std::int64_t>(writer_->written) + packed.weight.bytes();
  if (after > writer_->options.limit) return writer_->giveUp("they take more than the cache may");
  if (!error && static_cast<std::int64_t>(space.available) < packed.weight.bytes() + kSpare)
    return writer_->giveUp("less than 1 GiB would stay free");
  json entry = {{"precision", packed.weight.precision}, {"shape", packed.weight.shape}, {"dtype", static_cast<int>(packed.weight.dtype)},
                {"parts", json::array()}};
  if (!packed.why.empty()) entry.update({{"asked", packed.asked}, {"why", packed.why}});
  for (const auto& [name, tensor] : packed.weight.parts) entry["parts"].push_back(writer_->addPart(name, tensor));
  writer_->layers[layer] = std::move(entry);
}

void PackedSet::keep() {
  if (!writer_ || writer_->failed || writer_->layers.empty()) return;
  writer_->finish();
  kept_ = !writer_->failed;
  if (!kept_) return;
  try {
    reader_ = std::make_unique<Reader>(writer_->file(), writer_->key);
  } catch (const std::exception& error) {   // somebody else removed it
    spdlog::warn("{}", error.what());
  }
}

std::string_view PackedSet::state() const { return kept_ ? "written" : reader_ ? "read" : "unused"; }

}  // namespace quantspot::pipeline
