#include "engine/model/folder.h"
#include "engine/model/gguf.h"

#include <spdlog/fmt/fmt.h>

#include <fstream>

namespace quantspot::model {
namespace {

constexpr std::int64_t kAlignment = 32;
constexpr std::uint32_t kUint32 = 4, kString = 8;   // numbers of the value types

std::int64_t aligned(std::int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

class Writer {
 public:
  explicit Writer(const std::filesystem::path& path) : file_(path, std::ios::binary) {}

  template <class T>
  void number(T value) {
    file_.write(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void text(const std::string& value) {
    number(std::uint64_t{value.size()});
    file_ << value;
  }
  void align() {
    for (auto at = static_cast<std::int64_t>(file_.tellp()); at % kAlignment != 0; ++at) file_.put('\0');
  }
  void bytes(const at::Tensor& tensor) {
    const at::Tensor plain = tensor.cpu().contiguous();
    file_.write(static_cast<const char*>(plain.const_data_ptr()), static_cast<std::streamsize>(plain.nbytes()));
    align();
  }
  bool close() {
    file_.close();
    return bool(file_);
  }

 private:
  std::ofstream file_;
};

void writeHeader(Writer& out, const std::vector<std::pair<std::string, std::variant<std::uint32_t, std::string>>>& metadata,
                 const std::vector<GgufItem>& items) {
  out.number(std::uint32_t{0x46554747});
  out.number(std::uint32_t{3});
  out.number(std::uint64_t{items.size()});
  out.number(std::uint64_t{metadata.size()});
  for (const auto& [key, value] : metadata) {
    out.text(key);
    if (const auto* number = std::get_if<std::uint32_t>(&value)) {
      out.number(kUint32);
      out.number(*number);
    } else {
      out.number(kString);
      out.text(std::get<std::string>(value));
    }
  }
  std::int64_t offset = 0;
  for (const GgufItem& item : items) {
    out.text(item.name);
    out.number(static_cast<std::uint32_t>(item.shape.size()));
    for (auto extent = item.shape.rbegin(); extent != item.shape.rend(); ++extent) out.number(static_cast<std::uint64_t>(*extent));
    out.number(static_cast<std::uint32_t>(item.type));
    out.number(static_cast<std::uint64_t>(offset));
    offset += aligned(ggmlBytes(quant::ggmlType(item.type), item.shape));
  }
  out.align();
}

}  // namespace

void saveGguf(const std::filesystem::path& path, const std::vector<std::pair<std::string, std::variant<std::uint32_t, std::string>>>& metadata,
              const std::vector<GgufItem>& items) {
  auto partial = path;
  partial += ".part";
  std::error_code error;
  try {
    for (const GgufItem& item : items)
      if (ggmlBytes(quant::ggmlType(item.type), item.shape) < 0)
        throw ModelError(fmt::format("{}: tensor '{}' has a shape that {} cannot hold", path.string(), item.name, quant::ggmlType(item.type).name));
    Writer out(partial);
    writeHeader(out, metadata, items);
    for (const GgufItem& item : items) {
      const at::Tensor bytes = item.bytes();
      if (static_cast<std::int64_t>(bytes.nbytes()) != ggmlBytes(quant::ggmlType(item.type), item.shape))
        throw ModelError(fmt::format("{}: tensor '{}' came with {} bytes", path.string(), item.name, bytes.nbytes()));
      out.bytes(bytes);
    }
    if (out.close()) std::filesystem::rename(partial, path, error);
    else error = std::make_error_code(std::errc::io_error);
    if (error) throw ModelError(fmt::format("{}: cannot be written", path.string()));
  } catch (...) {
    std::filesystem::remove(partial, error);
    throw;
  }
}

}  // namespace quantspot::model
