#include "metrics/torch_file.h"

#include <ATen/ATen.h>

#include <cstring>
#include <functional>
#include <limits>

namespace quantspot::metrics {
namespace {

using Kind = Pickled::Kind;
using Storages = std::function<std::span<const std::uint8_t>(const std::string& key)>;
constexpr int kDepth = 40;
constexpr std::int64_t kRepeated = 1 << 24;   // values of a tensor beyond those of its storage: an expanded one
constexpr std::int64_t kMagic = static_cast<std::int64_t>(0xa86a20f9469cfc6c);   // low bits of torch's own number

struct Found {
  std::string name;
  const Pickled* tensor;
};

// A pickle may hold one dictionary in many places, or in itself: the walk has an end of its own.
class Collector {
 public:
  explicit Collector(const std::filesystem::path& path) : path_(path) {}
  std::vector<Found> operator()(const Pickled& root) {
    walk(root, "", 0);
    return std::move(found_);
  }

 private:
  void walk(const Pickled& value, const std::string& name, int depth) {
    if (++steps_ > kMostValues) throw FileError(path_, "holds too many values for weights");
    if (depth > kDepth) return;
    if (value.kind == Kind::Tensor) found_.push_back({name, &value});
    if (value.kind != Kind::Dict && value.kind != Kind::Object) return;
    for (const auto& [key, inner] : value.pairs)
      if (key->kind == Kind::Text) walk(*inner, name.empty() ? key->text : name + "." + key->text, depth + 1);
  }

  static constexpr std::size_t kMostValues = 1'000'000;
  const std::filesystem::path& path_;
  std::vector<Found> found_;
  std::size_t steps_ = 0;
};

// The last value that the tensor reaches in its storage, plus one; −1: sizes that cannot be. `values`: how many it has.
std::int64_t reach(const Pickled& t, std::int64_t& values) {
  std::int64_t last = t.offset, product = 1;
  bool empty = false;
  for (std::size_t i = 0; i < t.sizes.size(); ++i) {
    const std::int64_t size = t.sizes[i], stride = t.strides[i];
    std::int64_t span = 0;
    if (size < 0 || stride < 0 || __builtin_mul_overflow(product, std::max<std::int64_t>(size, 1), &product)) return -1;
    if (size > 0 && (__builtin_mul_overflow(size - 1, stride, &span) || __builtin_add_overflow(last, span, &last))) return -1;
    empty |= size == 0;
  }
  if (t.offset < 0 || last == std::numeric_limits<std::int64_t>::max() || t.sizes.size() > 16) return -1;
  values = empty ? 0 : product;
  return empty ? 0 : last + 1;
}

at::Tensor tensorOf(const std::filesystem::path& path, const Found& found, const Storages& storages) {
  const Pickled& t = *found.tensor;
  const auto bytes = storages(t.storage->text);
  std::int64_t values = 0;
  const auto width = static_cast<std::int64_t>(at::elementSize(t.dtype)), there = static_cast<std::int64_t>(bytes.size()) / width, needed = reach(t, values);
  if (needed < 0 || needed > there || values > there + kRepeated) throw FileError(path, "tensor " + found.name + " reaches beyond its data");
  if (needed == 0) return at::empty(t.sizes, t.dtype);
  std::vector<std::uint8_t> aligned(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(needed * width));
  const at::Tensor flat = at::from_blob(aligned.data(), {needed}, t.dtype);
  return flat.as_strided(t.sizes, t.strides, t.offset).clone(at::MemoryFormat::Contiguous);
}

std::map<std::string, at::Tensor> tensorsOf(const std::filesystem::path& path, const Pickled& root, const Storages& storages) {
  const std::vector<Found> found = Collector(path)(root);
  if (found.empty()) throw FileError(path, "holds no tensor");
  std::map<std::string, at::Tensor> tensors;
  for (const Found& one : found) tensors[one.name] = tensorOf(path, one, storages);
  return tensors;
}

std::map<std::string, at::Tensor> readArchive(const std::filesystem::path& path, Bytes file) {
  const ZipArchive archive(path, std::move(file));
  std::string root;
  for (const std::string& name : archive.names())
    if (name.ends_with("/data.pkl") && name.find('/') == name.size() - 9) root = name.substr(0, name.size() - 8);
  if (root.empty()) throw FileError(path, "is a ZIP archive, but not one that torch wrote: it has no data.pkl");
  if (const std::string order = root + "byteorder"; archive.has(order))
    if (const Bytes text = archive.read(order); std::string(text.begin(), text.end()) != "little")
      throw FileError(path, "was written by a big-endian machine; save it anew");
  const Bytes pickle = archive.read(root + "data.pkl");
  std::size_t position = 0;
  const Pickle value = readPickle(path, pickle, position);
  std::map<std::string, Bytes> read;
  return tensorsOf(path, *value.root, [&](const std::string& key) -> std::span<const std::uint8_t> {
    if (!read.contains(key)) read[key] = archive.read(root + "data/" + key);
    return read[key];
  });
}

// Pickles of a magic number, a version, the machine and the weights, then the storages: their keys, and of each its length and bytes.
std::map<std::string, at::Tensor> readPlain(const std::filesystem::path& path, const Bytes& file) {
  std::size_t position = 0;
  const Pickle magic = readPickle(path, file, position), version = readPickle(path, file, position);
  if (magic.root->number != kMagic || version.root->number != 1001) throw FileError(path, "is no file that torch.save wrote");
  readPickle(path, file, position);
  const Pickle value = readPickle(path, file, position), keys = readPickle(path, file, position);
  const std::vector<Found> found = Collector(path)(*value.root);
  std::map<std::string, std::int64_t> widths;
  for (const Found& one : found) widths[one.tensor->storage->text] = static_cast<std::int64_t>(at::elementSize(one.tensor->dtype));
  std::map<std::string, std::span<const std::uint8_t>> storages;
  for (const PickledPtr& key : keys.root->items) {
    std::int64_t count = 0;
    if (file.size() - position < 8) throw FileError(path, "ends too early");
    std::memcpy(&count, file.data() + position, 8);
    position += 8;
    const auto width = widths.find(key->text);
    if (width == widths.end()) throw FileError(path, "holds data of no tensor");
    if (count < 0 || count > static_cast<std::int64_t>(file.size() - position) / width->second) throw FileError(path, "ends too early");
    const auto bytes = static_cast<std::size_t>(count * width->second);
    storages[key->text] = {file.data() + position, bytes};
    position += bytes;
  }
  return tensorsOf(path, *value.root, [&](const std::string& key) { return storages[key]; });
}

}  // namespace

std::map<std::string, at::Tensor> readTorchFile(const std::filesystem::path& path) {
  Bytes file = readAll(path);
  return looksLikeZip(file) ? readArchive(path, std::move(file)) : readPlain(path, file);
}

}  // namespace quantspot::metrics
