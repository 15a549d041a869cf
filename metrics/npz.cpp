#include "metrics/npz.h"

#include <ATen/ATen.h>

#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>

namespace quantspot::metrics {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

std::optional<at::ScalarType> typeOf(const std::string& description) {
  static const std::map<std::string, at::ScalarType> types = {{"<f8", at::kDouble}, {"<f4", at::kFloat}, {"<f2", at::kHalf},
                                                              {"<i8", at::kLong}, {"<i4", at::kInt}, {"|u1", at::kByte}, {"|b1", at::kBool}};
  const auto found = types.find(description);
  return found == types.end() ? std::nullopt : std::optional(found->second);
}

// What follows 'key': in the header, a dictionary in Python's notation.
std::string_view valueOf(std::string_view header, const std::string& key) {
  const std::size_t at = header.find("'" + key + "':");
  if (at == header.npos) return {};
  header.remove_prefix(at + key.size() + 3);
  header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
  return header;
}

std::optional<std::vector<std::int64_t>> shapeOf(std::string_view text) {
  if (!text.starts_with('(') || text.find(')') == text.npos) return {};
  text = text.substr(1, text.find(')') - 1);
  std::vector<std::int64_t> shape;
  std::int64_t size = -1, count = 1;
  for (const char c : std::string(text) + ",") {
    if (c >= '0' && c <= '9') size = std::max<std::int64_t>(size, 0) * 10 + (c - '0');
    else if (c == ',' && size >= 0) { shape.push_back(size); count *= std::max<std::int64_t>(size, 1); size = -1; }
    else if (c != ',' && c != ' ' && c != 'L') return {};
    if (size > (std::int64_t{1} << 31) || count > (std::int64_t{1} << 31)) return {};
  }
  return shape;
}

at::Tensor arrayOf(const ZipArchive& archive, const std::string& name) {
  const auto fail = [&](const std::string& what) { return FileError(archive.path(), name + " " + what); };
  const Bytes bytes = archive.read(name);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with(kMagic) || bytes.size() < 12 || bytes[6] < 1 || bytes[6] > 3) throw fail("is no numpy array");
  const std::size_t first = bytes[6] == 1 ? 10 : 12, length = bytes[8] + 256u * bytes[9] + (bytes[6] == 1 ? 0 : 65536u * bytes[10]);
  if (length > bytes.size() - first) throw fail("ends too early");
  const std::string_view header = text.substr(first, length), description = valueOf(header, "descr");
  const std::string type(description.substr(0, description.find('\'', 1) + 1));
  const auto dtype = type.size() > 2 ? typeOf(type.substr(1, type.size() - 2)) : std::nullopt;
  if (!dtype) throw fail("has numbers of type " + std::string(description.substr(0, 20)) + ", which cannot be read; save it as float64");
  if (!valueOf(header, "fortran_order").starts_with("False")) throw fail("is in Fortran order; save it with numpy.ascontiguousarray");
  const auto shape = shapeOf(valueOf(header, "shape"));
  if (!shape) throw fail("has a shape that cannot be read");
  std::size_t needed = at::elementSize(*dtype);
  for (const std::int64_t size : *shape) needed *= static_cast<std::size_t>(size);
  if (needed != bytes.size() - first - length) throw fail("holds more or less data than its shape says");
  at::Tensor array = at::empty(*shape, *dtype);
  if (array.nbytes() > 0) std::memcpy(array.data_ptr(), bytes.data() + first + length, array.nbytes());
  return array;
}

Bytes npyOf(const at::Tensor& array) {
  const at::Tensor plain = array.cpu().contiguous();
  const char* type = plain.scalar_type() == at::kDouble ? "<f8" : plain.scalar_type() == at::kFloat ? "<f4" : plain.scalar_type() == at::kLong
      ? "<i8" : nullptr;
  if (type == nullptr) throw std::invalid_argument("only float64, float32 and int64 arrays can be written");
  std::string header = std::string("{'descr': '") + type + "', 'fortran_order': False, 'shape': (";
  for (const std::int64_t size : plain.sizes()) header += std::to_string(size) + ",";
  header += "), }";
  header.append(64 - (10 + header.size() + 1) % 64, ' ').push_back('\n');
  Bytes out(kMagic.begin(), kMagic.end());
  for (const std::size_t value : {std::size_t{1}, std::size_t{0}, header.size() & 255, header.size() >> 8})
    out.push_back(static_cast<std::uint8_t>(value));
  out.insert(out.end(), header.begin(), header.end());
  const auto* data = static_cast<const std::uint8_t*>(plain.const_data_ptr());
  out.insert(out.end(), data, data + plain.nbytes());
  return out;
}

}  // namespace

std::map<std::string, at::Tensor> readNpz(const std::filesystem::path& path) { return readNpz(path, readAll(path)); }

std::map<std::string, at::Tensor> readNpz(const std::filesystem::path& name, Bytes file) {
  const ZipArchive archive(name, std::move(file));
  std::map<std::string, at::Tensor> arrays;
  for (const std::string& member : archive.names())
    if (member.ends_with(".npy")) arrays[member.substr(0, member.size() - 4)] = arrayOf(archive, member);
  return arrays;
}

void writeNpz(const std::filesystem::path& path, const std::vector<std::pair<std::string, at::Tensor>>& arrays) {
  std::vector<std::pair<std::string, Bytes>> members;
  for (const auto& [name, array] : arrays) members.emplace_back(name + ".npy", npyOf(array));
  const Bytes bytes = writeZip(members);
  std::filesystem::path part = path;
  part += ".part";
  std::ofstream file(part, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  file.close();
  std::error_code error;
  if (file) std::filesystem::rename(part, path, error);
  if (!file || error) throw FileError(path, "cannot be written");
}

}  // namespace quantspot::metrics
