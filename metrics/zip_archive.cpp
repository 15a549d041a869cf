#include "metrics/zip_archive.h"

#include <zlib.h>

#include <fstream>
#include <limits>

namespace quantspot::metrics {
namespace {

constexpr std::uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50, kEnd64 = 0x06064b50, kLocator64 = 0x07064b50,
    kWide = 0xffffffff;

std::uint32_t crcOf(std::span<const std::uint8_t> bytes) {
  uLong crc = crc32(0, nullptr, 0);
  for (std::size_t at = 0; at < bytes.size(); at += 1 << 30)
    crc = crc32(crc, bytes.data() + at, static_cast<uInt>(std::min<std::size_t>(bytes.size() - at, 1 << 30)));
  return static_cast<std::uint32_t>(crc);
}

// False when the stream is damaged or does not give exactly out.size() bytes.
bool inflateRaw(std::span<const std::uint8_t> in, std::span<std::uint8_t> out) {
  z_stream stream{};
  if (in.size() > std::numeric_limits<uInt>::max() || out.size() > std::numeric_limits<uInt>::max() || inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    return false;
  stream.next_in = const_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  const int status = inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  return status == Z_STREAM_END && stream.avail_out == 0;
}

void put(Bytes& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void putHeader(Bytes& out, const std::string& name, const Bytes& bytes, std::uint32_t crc) {   // what both headers share
  put(out, 20, 2);
  put(out, 0, 2);
  put(out, 0, 2);
  put(out, 0x00210000, 4);               // midnight, 1 January 1980: the same data make the same file
  put(out, crc, 4);
  put(out, bytes.size(), 4);
  put(out, bytes.size(), 4);
  put(out, name.size(), 2);
  put(out, 0, 2);
}

}  // namespace

Bytes readAll(const std::filesystem::path& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  if (error || !file) throw FileError(path, "cannot be opened");
  Bytes bytes(size);
  if (!file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size))) throw FileError(path, "cannot be read");
  return bytes;
}

bool looksLikeZip(std::span<const std::uint8_t> file) { return file.size() >= 4 && file[0] == 'P' && file[1] == 'K' && file[2] == 3 && file[3] == 4; }

ZipArchive::ZipArchive(std::filesystem::path path, Bytes file) : path_(std::move(path)), file_(std::move(file)) { readDirectory(); }

std::uint64_t ZipArchive::number(std::uint64_t offset, int bytes) const {
  if (offset > file_.size() || file_.size() - offset < static_cast<std::uint64_t>(bytes)) fail("the archive ends too early or points outside itself");
  std::uint64_t value = 0;
  for (int i = bytes - 1; i >= 0; --i) value = value << 8 | file_[offset + static_cast<std::uint64_t>(i)];
  return value;
}

void ZipArchive::readDirectory() {
  if (file_.size() < 22) fail("is no ZIP archive");
  std::uint64_t end = file_.size() - 22;
  while (number(end, 4) != kEnd) {
    if (end == 0 || file_.size() - end > 22 + 65535) fail("is no ZIP archive, or its end is missing");
    --end;
  }
  std::uint64_t count = number(end + 10, 2), offset = number(end + 16, 4);
  if ((count == 0xffff || offset == kWide) && end >= 20 && number(end - 20, 4) == kLocator64) {
    const std::uint64_t wide = number(end - 12, 8);
    if (number(wide, 4) != kEnd64) fail("the archive's directory is damaged");
    count = number(wide + 32, 8);
    offset = number(wide + 48, 8);
  }
  for (std::uint64_t i = 0; i < count; ++i) readMember(offset);
}

void ZipArchive::readMember(std::uint64_t& offset) {
  if (number(offset, 4) != kCentral) fail("the archive's directory is damaged");
  if ((number(offset + 8, 2) & 1) != 0) fail("the archive is encrypted");
  Member member{static_cast<std::uint16_t>(number(offset + 10, 2)), static_cast<std::uint32_t>(number(offset + 16, 4)), number(offset + 20, 4),
                number(offset + 24, 4), number(offset + 42, 4)};
  const std::uint64_t name = number(offset + 28, 2), extra = number(offset + 30, 2), comment = number(offset + 32, 2);
  number(offset + 46, 0);
  if (file_.size() - offset - 46 < name + extra + comment) fail("the archive's directory is damaged");
  const auto first = file_.begin() + static_cast<std::ptrdiff_t>(offset + 46);
  readWide(member, offset + 46 + name, extra);
  if (!members_.emplace(std::string(first, first + static_cast<std::ptrdiff_t>(name)), member).second) fail("the archive names a member twice");
  offset += 46 + name + extra + comment;
}

void ZipArchive::readWide(Member& member, std::uint64_t extra, std::uint64_t length) const {
  const std::uint64_t end = extra + length;
  while (extra + 4 <= end) {
    const std::uint64_t id = number(extra, 2), size = number(extra + 2, 2);
    std::uint64_t at = extra + 4;
    extra = at + size;
    if (id != 1) continue;
    for (std::uint64_t* field : {&member.size, &member.packed, &member.header})
      if (*field == kWide && at + 8 <= extra) {
        *field = number(at, 8);
        at += 8;
      }
  }
}

std::vector<std::string> ZipArchive::names() const {
  std::vector<std::string> names;
  for (const auto& [name, member] : members_) names.push_back(name);
  return names;
}

Bytes ZipArchive::read(const std::string& name) const {
  const auto found = members_.find(name);
  if (found == members_.end()) fail("has no member " + name);
  const Member& m = found->second;
  if (number(m.header, 4) != kLocal) fail(name + ": the archive's directory is damaged");
  const std::uint64_t first = m.header + 30 + number(m.header + 26, 2) + number(m.header + 28, 2);
  if (first > file_.size() || file_.size() - first < m.packed) fail(name + " ends outside the archive");
  const std::span packed(file_.data() + first, m.packed);
  if (m.method != 0 && m.method != 8) fail(name + " is packed by method " + std::to_string(m.method) + "; stored and deflated members can be read");
  if (m.method == 0 && m.packed != m.size) fail(name + " is damaged");
  if (m.size > 1100 * m.packed + 1100) fail(name + " claims to unpack to " + std::to_string(m.size) + " bytes, which its data cannot");
  Bytes out(m.size);
  if (m.method == 0) std::copy(packed.begin(), packed.end(), out.begin());
  if ((m.method == 8 && !inflateRaw(packed, out)) || crcOf(out) != m.crc) fail(name + " is damaged: its checksum differs");
  return out;
}

Bytes writeZip(const std::vector<std::pair<std::string, Bytes>>& members) {
  Bytes out, directory;
  for (const auto& [name, bytes] : members) {
    const std::uint32_t crc = crcOf(bytes);
    put(directory, kCentral, 4);
    put(directory, 20, 2);
    putHeader(directory, name, bytes, crc);
    for (const int field : {2, 2, 2, 4}) put(directory, 0, field);
    put(directory, out.size(), 4);
    directory.insert(directory.end(), name.begin(), name.end());
    put(out, kLocal, 4);
    putHeader(out, name, bytes, crc);
    out.insert(out.end(), name.begin(), name.end());
    out.insert(out.end(), bytes.begin(), bytes.end());
  }
  const std::size_t start = out.size();
  out.insert(out.end(), directory.begin(), directory.end());
  put(out, kEnd, 4);
  put(out, 0, 4);
  for (int i = 0; i < 2; ++i) put(out, members.size(), 2);
  put(out, directory.size(), 4);
  put(out, start, 4);
  put(out, 0, 2);
  return out;
}

}  // namespace quantspot::metrics
