#include "engine/model/safetensors.h"

#include "engine/model/config.h"
#include "engine/model/folder.h"

#include <ATen/ops/empty.h>
#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <functional>
#include <limits>
#include <set>
#include <string_view>

namespace quantspot::model {
namespace {

constexpr std::uint64_t kMaxHeader = 100'000'000;  // the limit of the reference implementation
constexpr std::size_t kMostDimensions = 16;

constexpr std::pair<const char*, at::ScalarType> kDtypes[] = {
    {"F64", at::kDouble}, {"F32", at::kFloat},     {"F16", at::kHalf},
    {"BF16", at::kBFloat16}, {"F8_E4M3", at::kFloat8_e4m3fn}, {"F8_E5M2", at::kFloat8_e5m2},
    {"I64", at::kLong},   {"I32", at::kInt},       {"I16", at::kShort},
    {"I8", at::kChar},    {"U8", at::kByte},       {"BOOL", at::kBool}};

std::uint64_t littleEndian(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (int i = 7; i >= 0; --i) value = value << 8 | static_cast<std::uint8_t>(bytes[i]);
  return value;
}

// The product of the shape times the element size; false when it does not fit, empty extents left out (torch's strides multiply the others).
bool tensorBytes(const std::vector<std::int64_t>& shape, std::size_t elementSize, std::uint64_t& bytes) {
  if (shape.size() > kMostDimensions) return false;
  std::int64_t all = static_cast<std::int64_t>(elementSize);
  for (const std::int64_t extent : shape)
    if (extent < 0 || __builtin_mul_overflow(all, std::max<std::int64_t>(extent, 1), &all)) return false;
  const bool empty = std::ranges::find(shape, 0) != shape.end();
  bytes = empty ? 0 : static_cast<std::uint64_t>(all);
  return true;
}

// The header as JSON; nlohmann would keep the last of equal names.
nlohmann::json parseHeader(std::string_view text, const std::function<void(const std::string& what)>& fail) {
  using Event = nlohmann::json::parse_event_t;
  std::set<std::string> names;
  const auto checked = [&](int depth, Event event, const nlohmann::json& value) {
    if ((event == Event::object_start || event == Event::array_start) && depth > 4) fail("has a header that is nested too deeply");
    if (event == Event::key && depth == 1 && !names.insert(value.get<std::string>()).second)
      fail(fmt::format("names tensor '{}' twice", value.get<std::string>()));
    return true;
  };
  return nlohmann::json::parse(text.begin(), text.end(), checked, false);
}

// Only whole numbers from 0; the library would convert −1 or 1e30 to something else.
std::vector<std::uint64_t> naturals(const nlohmann::json& list) {
  std::vector<std::uint64_t> values;
  for (const auto& item : list) {
    if (!item.is_number_unsigned()) throw nlohmann::json::type_error::create(302, "not a natural number", &item);
    values.push_back(item.get<std::uint64_t>());
  }
  return values;
}

}  // namespace

SafeTensors::SafeTensors(const std::filesystem::path& path) : file_(path) {
  const auto bytes = file_.bytes();
  if (bytes.size() < 8) fail(fmt::format("is truncated: {} bytes, a safetensors file has at least 8", bytes.size()));
  const std::uint64_t headerBytes = littleEndian(bytes);
  if (headerBytes > kMaxHeader) fail(fmt::format("has a header length of {} bytes; this is not a safetensors file", headerBytes));
  if (headerBytes > bytes.size() - 8)
    fail(fmt::format("is truncated: the header needs {} bytes, the file has {}", headerBytes + 8, bytes.size()));
  const auto begin = reinterpret_cast<const char*>(bytes.data()) + 8;
  const auto header = parseHeader({begin, headerBytes}, [this](const std::string& what) { fail(what); });
  if (header.is_discarded() || !header.is_object()) fail("has a header that is not a JSON object");
  for (const auto& [name, value] : header.items())
    if (name != "__metadata__") parse(name, value, 8 + headerBytes);
    else if (value.is_object())
      for (const auto& [key, text] : value.items())
        if (text.is_string()) metadata_[key] = text.get<std::string>();
  checkCoverage(8 + headerBytes);
}

void SafeTensors::parse(const std::string& name, const nlohmann::json& json, std::size_t dataBegin) {
  TensorEntry entry;
  std::string dtype;
  std::vector<std::uint64_t> offsets;
  try {
    dtype = json.at("dtype").get<std::string>();
    const auto shape = naturals(json.at("shape"));
    entry.shape.assign(shape.begin(), shape.end());
    offsets = naturals(json.at("data_offsets"));
  } catch (const nlohmann::json::exception&) {
    fail(fmt::format("tensor '{}': dtype, shape or data_offsets is missing or has the wrong type", name));
  }
  const auto known = std::find_if(std::begin(kDtypes), std::end(kDtypes), [&](const auto& d) { return dtype == d.first; });
  if (known == std::end(kDtypes)) fail(fmt::format("tensor '{}': unknown dtype '{}'", name, dtype));
  entry.dtype = known->second;
  std::uint64_t needed = 0;
  if (!tensorBytes(entry.shape, c10::elementSize(entry.dtype), needed))
    fail(fmt::format("tensor '{}': shape [{}] is impossible", name, fmt::join(entry.shape, ", ")));
  if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] - offsets[0] != needed)
    fail(fmt::format("tensor '{}': data_offsets [{}] do not span the {} bytes of {} [{}]", name, fmt::join(offsets, ", "), needed,
                     dtype, fmt::join(entry.shape, ", ")));
  const std::uint64_t available = file_.bytes().size() - dataBegin;
  if (offsets[1] > available)
    fail(fmt::format("is truncated or damaged: tensor '{}' ends at byte {}, the file has {}", name, dataBegin + offsets[1],
                     file_.bytes().size()));
  entry.bytes = file_.bytes().subspan(dataBegin + offsets[0], needed);
  entries_.emplace(name, std::move(entry));
}

// The format demands that tensors lie one after the other without gaps; a file that is too long was not written to its end either.
void SafeTensors::checkCoverage(std::size_t dataBegin) const {
  std::vector<std::pair<const std::byte*, const std::string*>> order;
  for (const auto& [name, entry] : entries_)
    if (!entry.bytes.empty()) order.emplace_back(entry.bytes.data(), &name);
  std::sort(order.begin(), order.end());
  const std::byte* expected = file_.bytes().data() + dataBegin;
  for (const auto& [begin, name] : order) {
    if (begin < expected) fail(fmt::format("tensor '{}' overlaps the one before it", *name));
    if (begin > expected) fail(fmt::format("has {} unused bytes before tensor '{}'", begin - expected, *name));
    expected = begin + entries_.at(*name).bytes.size();
  }
  if (const auto rest = file_.bytes().data() + file_.bytes().size() - expected; rest > 0)
    fail(fmt::format("has {} bytes after its last tensor", rest));
}

at::Tensor SafeTensors::copy(const TensorEntry& entry) const {
  at::Tensor tensor = at::empty(entry.shape, at::TensorOptions().dtype(entry.dtype));
  file_.copy(entry.bytes, static_cast<std::byte*>(tensor.mutable_data_ptr()));
  return tensor;
}

void SafeTensors::fail(const std::string& what) const { throw ModelError(fmt::format("{}: {}", file_.path().string(), what)); }

void saveSafeTensors(const std::filesystem::path& path, const std::vector<std::pair<std::string, at::Tensor>>& tensors,
                     const std::map<std::string, std::string>& metadata) {
  auto header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : tensors) {
    const auto known = std::find_if(std::begin(kDtypes), std::end(kDtypes), [&](const auto& d) { return d.second == tensor.scalar_type(); });
    if (known == std::end(kDtypes)) throw ModelError(fmt::format("{}: tensor '{}' has a dtype that safetensors cannot hold", path.string(), name));
    const std::uint64_t end = offset + tensor.nbytes();
    header[name] = {{"dtype", known->first}, {"shape", tensor.sizes().vec()}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  auto partial = path;
  partial += ".part";
  std::ofstream file(partial, std::ios::binary);
  for (int i = 0; i < 8; ++i) file.put(static_cast<char>(std::uint64_t{text.size()} >> (8 * i)));
  file << text;
  for (const auto& [name, tensor] : tensors) {
    const at::Tensor plain = tensor.cpu().contiguous();
    file.write(static_cast<const char*>(plain.const_data_ptr()), static_cast<std::streamsize>(plain.nbytes()));
  }
  file.close();
  std::error_code error;
  if (file) std::filesystem::rename(partial, path, error);
  if (!file || error) throw ModelError(fmt::format("{}: cannot be written", path.string()));
}

}  // namespace quantspot::model
