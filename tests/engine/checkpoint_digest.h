// Digests of a packed layer's tensors, as tests/parity/checkpoint_cases.py takes them.
#pragma once

#include "engine/model/safetensors.h"
#include "tests/engine/print_json.h"

#include <QCryptographicHash>

#include <filesystem>
#include <fstream>
#include <string>

namespace quantspot::test {

inline std::string digest(const model::SafeTensors& file, const std::string& layer) {
  QCryptographicHash hash(QCryptographicHash::Sha256);
  for (const auto& [name, entry] : file.entries()) {
    if (!name.starts_with(layer + ".")) continue;
    hash.addData(QByteArray(name.c_str(), static_cast<int>(name.size()) + 1));
    hash.addData(QByteArray(reinterpret_cast<const char*>(entry.bytes.data()), static_cast<int>(entry.bytes.size())));
  }
  return hash.result().toHex().left(16).toStdString();
}

inline nlohmann::json readJson(const std::filesystem::path& path) { return nlohmann::json::parse(std::ifstream(path)); }

}  // namespace quantspot::test
