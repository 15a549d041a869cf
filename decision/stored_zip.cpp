#include "decision/stored_zip.h"

#include <spdlog/fmt/fmt.h>

#include <cstdint>
#include <stdexcept>

namespace quantspot::decision {
namespace {

// Little-endian numbers at an offset; the layout is that of PKWARE's APPNOTE 6.3.
std::uint32_t number(std::string_view bytes, std::size_t at, std::size_t size) {
  if (at + size > bytes.size()) throw std::runtime_error("the ZIP file is cut off");
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  return value;
}

std::string contents(std::string_view zip, std::size_t entry, std::string_view name) {
  if (number(zip, entry + 10, 2) != 0) throw std::runtime_error(fmt::format("{} is compressed in the ZIP file; a bundle stores its files as they are", name));
  const std::size_t size = number(zip, entry + 20, 4), header = number(zip, entry + 42, 4);
  if (number(zip, header, 4) != 0x04034b50) throw std::runtime_error("the ZIP file is damaged");
  const std::size_t begin = header + 30 + number(zip, header + 26, 2) + number(zip, header + 28, 2);
  if (begin + size > zip.size()) throw std::runtime_error("the ZIP file is cut off");
  return std::string(zip.substr(begin, size));
}

}  // namespace

std::string storedFile(std::string_view zip, std::string_view name) {
  constexpr std::size_t tail = 22;
  const std::size_t end = zip.size() < tail ? zip.npos : zip.rfind("PK\x05\x06", zip.size() - tail);
  if (end == zip.npos) throw std::runtime_error("it is no ZIP file");
  std::size_t entry = number(zip, end + 16, 4);
  for (std::uint32_t left = number(zip, end + 10, 2); left > 0; --left) {
    if (number(zip, entry, 4) != 0x02014b50) throw std::runtime_error("the ZIP file is damaged");
    const std::size_t length = number(zip, entry + 28, 2);
    if (entry + 46 + length <= zip.size() && zip.substr(entry + 46, length) == name) return contents(zip, entry, name);
    entry += 46 + length + number(zip, entry + 30, 2) + number(zip, entry + 32, 2);
  }
  throw std::runtime_error(fmt::format("there is no {} in it", name));
}

}  // namespace quantspot::decision
