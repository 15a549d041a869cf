#include "engine/model/gguf.h"

#include "engine/model/folder.h"

#include <ATen/ops/empty.h>
#include <spdlog/fmt/fmt.h>
#include <spdlog/fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

namespace quantspot::model {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF numbers are read as they lie in the file");

constexpr std::uint32_t kMagic = 0x46554747;   // "GGUF"
constexpr std::uint64_t kDefaultAlignment = 32, kLargestAlignment = 1 << 20;
constexpr std::uint64_t kLongestName = 65535;
constexpr int kDeepestArray = 4;

// Numbers of the value types.
enum class Kind : std::uint32_t { U8, I8, U16, I16, U32, I32, F32, Bool, String, Array, U64, I64, F64 };

// Reads from the front; every step is checked against the end of the file.
class Cursor {
 public:
  Cursor(const std::filesystem::path& path, std::span<const std::byte> bytes) : path_(path), all_(bytes), left_(bytes) {}

  template <class T>
  T number(const char* what) {
    T value;
    std::memcpy(&value, take(sizeof value, what).data(), sizeof value);
    return value;
  }

  std::string text(const char* what) {
    const auto length = number<std::uint64_t>(what);
    if (length > left_.size()) truncated(what);
    const auto bytes = take(length, what);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  std::span<const std::byte> take(std::uint64_t count, const char* what) {
    if (count > left_.size()) truncated(what);
    const auto taken = left_.first(count);
    left_ = left_.subspan(count);
    return taken;
  }

  std::size_t left() const { return left_.size(); }
  std::size_t position() const { return all_.size() - left_.size(); }
  [[noreturn]] void fail(const std::string& what) const { throw ModelError(fmt::format("{}: {}", path_.string(), what)); }

 private:
  [[noreturn]] void truncated(const char* what) const {
    fail(fmt::format("is truncated or damaged: {} at byte {} reaches past the file's {} bytes; download it again", what, position(), all_.size()));
  }

  const std::filesystem::path& path_;
  std::span<const std::byte> all_, left_;
};

Kind readKind(Cursor& in, const std::string& key) {
  const auto kind = in.number<std::uint32_t>("the type of a value");
  if (kind > static_cast<std::uint32_t>(Kind::F64)) in.fail(fmt::format("key '{}' has a value of unknown type {}", key, kind));
  return static_cast<Kind>(kind);
}

GgufValue readScalar(Cursor& in, Kind kind) {
  constexpr const char* what = "a value";
  switch (kind) {
    case Kind::U8: return std::uint64_t{in.number<std::uint8_t>(what)};
    case Kind::I8: return std::int64_t{in.number<std::int8_t>(what)};
    case Kind::U16: return std::uint64_t{in.number<std::uint16_t>(what)};
    case Kind::I16: return std::int64_t{in.number<std::int16_t>(what)};
    case Kind::U32: return std::uint64_t{in.number<std::uint32_t>(what)};
    case Kind::I32: return std::int64_t{in.number<std::int32_t>(what)};
    case Kind::F32: return double{in.number<float>(what)};
    case Kind::Bool: return in.number<std::uint8_t>(what) != 0;
    case Kind::String: return in.text(what);
    case Kind::U64: return in.number<std::uint64_t>(what);
    case Kind::I64: return in.number<std::int64_t>(what);
    case Kind::F64: return in.number<double>(what);
    case Kind::Array: break;
  }
  in.fail("has an array where a single value is expected");
}

std::uint64_t widthOf(Kind kind) {
  switch (kind) {
    case Kind::U8: case Kind::I8: case Kind::Bool: return 1;
    case Kind::U16: case Kind::I16: return 2;
    case Kind::U32: case Kind::I32: case Kind::F32: return 4;
    case Kind::U64: case Kind::I64: case Kind::F64: return 8;
    case Kind::String: case Kind::Array: return 0;
  }
  return 0;
}

void skipArray(Cursor& in, const std::string& key, int depth) {
  if (depth > kDeepestArray) in.fail(fmt::format("key '{}': arrays lie more than {} deep in each other", key, kDeepestArray));
  const Kind kind = readKind(in, key);
  const auto count = in.number<std::uint64_t>("the length of an array");
  if (const std::uint64_t width = widthOf(kind)) {
    if (count > in.left() / width) in.fail(fmt::format("is truncated or damaged: key '{}' has an array of {} values", key, count));
    in.take(count * width, "an array");
    return;
  }
  for (std::uint64_t i = 0; i < count; ++i)   // ends at the latest with the file
    kind == Kind::Array ? skipArray(in, key, depth + 1) : static_cast<void>(in.text("a string in an array"));
}

// ComfyUI-GGUF tells the shape of a tensor that it holds as rows of 256 by a key, outermost first.
constexpr std::string_view kOriginalShape = "comfy.gguf.orig_shape.";

std::vector<std::int64_t> readShape(Cursor& in, const std::string& key) {
  const Kind kind = readKind(in, key);
  const auto count = in.number<std::uint64_t>("the length of an array");
  const bool isNumber = kind == Kind::I32 || kind == Kind::U32 || kind == Kind::I64 || kind == Kind::U64;
  if (!isNumber || count < 1 || count > 4) in.fail(fmt::format("key '{}' holds no shape", key));
  std::vector<std::int64_t> shape;
  for (std::uint64_t i = 0; i < count; ++i) {
    const GgufValue value = readScalar(in, kind);
    const auto* natural = std::get_if<std::uint64_t>(&value);
    shape.push_back(natural ? static_cast<std::int64_t>(*natural) : std::get<std::int64_t>(value));
    if (shape.back() < 1 || shape.back() > (std::int64_t{1} << 31)) in.fail(fmt::format("key '{}' holds the impossible extent {}", key, shape.back()));
  }
  return shape;
}

std::int64_t elements(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape)
    if (__builtin_mul_overflow(count, extent, &count)) return -1;
  return count;
}

struct Header {
  std::uint64_t tensors, pairs;
};

Header readHeader(Cursor& in) {
  if (in.left() < 4 || in.number<std::uint32_t>("the magic number") != kMagic) in.fail("is not a GGUF file: it does not begin with 'GGUF'");
  const auto version = in.number<std::uint32_t>("the version");
  if ((version & 0xffff) == 0 && version != 0) in.fail("is a GGUF file for big-endian machines; only little-endian ones are read");
  if (version != 2 && version != 3) in.fail(fmt::format("is GGUF version {}; versions 2 and 3 are read", version));
  const Header header{in.number<std::uint64_t>("the number of tensors"), in.number<std::uint64_t>("the number of keys")};
  constexpr std::uint64_t leastTensor = 8 + 4 + 4 + 8, leastPair = 8 + 4 + 1;
  if (header.tensors > in.left() / leastTensor || header.pairs > in.left() / leastPair)
    in.fail(fmt::format("is truncated or damaged: {} tensors and {} keys do not fit into its {} bytes", header.tensors, header.pairs,
                        in.left() + in.position()));
  return header;
}

std::map<std::string, GgufValue> readMetadata(Cursor& in, std::uint64_t pairs, std::map<std::string, std::vector<std::int64_t>>& originals) {
  std::map<std::string, GgufValue> all;
  for (std::uint64_t i = 0; i < pairs; ++i) {
    const std::string key = in.text("a key");
    if (key.size() > kLongestName) in.fail(fmt::format("has a key of {} bytes", key.size()));
    const Kind kind = readKind(in, key);
    if (kind == Kind::Array && key.starts_with(kOriginalShape))
      originals[key.substr(kOriginalShape.size())] = readShape(in, key);
    else if (kind == Kind::Array)
      skipArray(in, key, 1);
    else if (!all.emplace(key, readScalar(in, kind)).second)
      in.fail(fmt::format("has the key '{}' twice", key));
  }
  return all;
}

struct Placed {
  std::string name;
  GgufTensor tensor;
  std::uint64_t offset;
};

Placed readTensor(Cursor& in) {
  Placed placed{in.text("the name of a tensor"), {}, 0};
  if (placed.name.size() > kLongestName) in.fail(fmt::format("has a tensor whose name is {} bytes long", placed.name.size()));
  const auto dimensions = in.number<std::uint32_t>("the dimensions of a tensor");
  if (dimensions < 1 || dimensions > 4) in.fail(fmt::format("tensor '{}': {} dimensions; 1 to 4 are possible", placed.name, dimensions));
  for (std::uint32_t i = 0; i < dimensions; ++i) {
    const auto extent = in.number<std::uint64_t>("the shape of a tensor");
    if (extent == 0 || extent > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      in.fail(fmt::format("tensor '{}': an extent of {} is impossible", placed.name, extent));
    placed.tensor.shape.insert(placed.tensor.shape.begin(), static_cast<std::int64_t>(extent));
  }
  const auto number = in.number<std::uint32_t>("the type of a tensor");
  const quant::GgmlTypeInfo* type = quant::ggmlType(number);
  if (!type) in.fail(fmt::format("tensor '{}': ggml type {} is not read here; Q8_0, Q6_K, Q5_K, Q4_K and others are", placed.name, number));
  placed.tensor.type = type->type;
  placed.offset = in.number<std::uint64_t>("the offset of a tensor");
  if (ggmlBytes(*type, placed.tensor.shape) < 0)
    in.fail(fmt::format("tensor '{}': shape [{}] is impossible for {}", placed.name, fmt::join(placed.tensor.shape, ", "), type->name));
  return placed;
}

std::uint64_t alignmentOf(const Cursor& in, const std::map<std::string, GgufValue>& metadata) {
  const auto found = metadata.find("general.alignment");
  if (found == metadata.end()) return kDefaultAlignment;
  const auto* value = std::get_if<std::uint64_t>(&found->second);
  if (!value || !std::has_single_bit(*value) || *value > kLargestAlignment) in.fail("general.alignment is no power of two up to 2^20");
  return *value;
}

void checkOverlaps(const Cursor& in, const std::map<std::string, GgufTensor>& tensors) {
  std::vector<std::pair<std::span<const std::byte>, const std::string*>> order;
  for (const auto& [name, tensor] : tensors) order.emplace_back(tensor.bytes, &name);
  std::ranges::sort(order, {}, [](const auto& entry) { return entry.first.data(); });
  for (std::size_t i = 1; i < order.size(); ++i)
    if (order[i].first.data() < order[i - 1].first.data() + order[i - 1].first.size())
      in.fail(fmt::format("tensors '{}' and '{}' overlap", *order[i - 1].second, *order[i].second));
}

}  // namespace

std::int64_t ggmlBytes(const quant::GgmlTypeInfo& type, const std::vector<std::int64_t>& shape) {
  std::int64_t bytes = type.bytes;
  if (shape.empty() || shape.back() % type.elements != 0 || __builtin_mul_overflow(bytes, shape.back() / type.elements, &bytes)) return -1;
  for (std::size_t i = 0; i + 1 < shape.size(); ++i)
    if (__builtin_mul_overflow(bytes, shape[i], &bytes)) return -1;
  return bytes;
}

GgufFile::GgufFile(const std::filesystem::path& path) : file_(path) {
  const auto all = file_.bytes();
  Cursor in(file_.path(), all);
  const Header header = readHeader(in);
  std::map<std::string, std::vector<std::int64_t>> originals;
  metadata_ = readMetadata(in, header.pairs, originals);
  std::vector<Placed> placed;
  for (std::uint64_t i = 0; i < header.tensors; ++i) placed.push_back(readTensor(in));
  const std::uint64_t alignment = alignmentOf(in, metadata_);
  const std::uint64_t begin = (in.position() + alignment - 1) / alignment * alignment;
  const std::uint64_t available = begin < all.size() ? all.size() - begin : 0;
  for (Placed& one : placed) {
    const auto bytes = static_cast<std::uint64_t>(ggmlBytes(quant::ggmlType(one.tensor.type), one.tensor.shape));
    if (one.offset % alignment != 0) in.fail(fmt::format("tensor '{}': offset {} is no multiple of {}", one.name, one.offset, alignment));
    if (bytes > available || one.offset > available - bytes)
      in.fail(fmt::format("is truncated or damaged: tensor '{}' needs {} bytes at offset {}, the file has {}; download it again", one.name, bytes,
                          one.offset, available));
    if (const auto original = originals.find(one.name); original != originals.end()) {
      if (elements(original->second) != elements(one.tensor.shape))
        in.fail(fmt::format("tensor '{}' holds [{}], which is not its original shape [{}]", one.name, fmt::join(one.tensor.shape, ", "), fmt::join(original->second, ", ")));
      one.tensor.original = original->second;
    }
    one.tensor.bytes = all.subspan(begin + one.offset, bytes);
    if (!tensors_.emplace(one.name, std::move(one.tensor)).second) in.fail(fmt::format("has the tensor '{}' twice", one.name));
  }
  checkOverlaps(in, tensors_);
}

at::Tensor GgufFile::copyRows(const GgufTensor& tensor, std::int64_t first, std::int64_t rows) const {
  const quant::GgmlTypeInfo& type = quant::ggmlType(tensor.type);
  const std::int64_t rowBytes = tensor.shape.back() / type.elements * type.bytes;
  const auto range = tensor.bytes.subspan(static_cast<std::size_t>(first * rowBytes), static_cast<std::size_t>(rows * rowBytes));
  const at::Tensor copy = at::empty({rows, rowBytes}, at::kByte);
  file_.copy(range, static_cast<std::byte*>(copy.mutable_data_ptr()));
  return copy;
}

}  // namespace quantspot::model
