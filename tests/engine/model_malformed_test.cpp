// Damaged models get one clear line that names the file, and never anything else.
#include "engine/model/family.h"
#include "engine/model/folder.h"
#include "engine/model/safetensors.h"
#include "tests/engine/model_golden.h"

#include <ATen/ATen.h>
#include <QTemporaryDir>
#include <QTest>

#include <fstream>
#include <functional>

using namespace quantspot::model;
using namespace quantspot::model::test;
namespace fs = std::filesystem;

namespace {

using Damage = std::function<void(const fs::path& folder)>;
constexpr const char* kWeights = "unet/diffusion_pytorch_model.safetensors";

void write(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes; }

// A safetensors file with this header and so many bytes behind it.
void writeHeader(const fs::path& path, const nlohmann::json& header, std::size_t bytes) {
  const std::string text = header.dump();
  std::uint64_t length = text.size();
  write(path, std::string(reinterpret_cast<const char*>(&length), 8) + text + std::string(bytes, '\0'));
}

nlohmann::json entry(const char* dtype, std::uint64_t begin, std::uint64_t end) {
  return {{"dtype", dtype}, {"shape", {(end - begin) / 4}}, {"data_offsets", {begin, end}}};
}

void shard(const fs::path& folder, const std::string& other) {
  const fs::path whole = folder / kWeights;
  nlohmann::json map;
  const SafeTensors file(whole);
  for (const auto& [name, tensor] : file.entries()) map[name] = "a.safetensors";
  map["conv_in.bias"] = other;
  fs::rename(whole, folder / "unet/a.safetensors");
  write(folder / "unet/diffusion_pytorch_model.safetensors.index.json", nlohmann::json{{"weight_map", map}}.dump());
}

const std::vector<std::tuple<const char*, const char*, Damage>>& damages() {
  static const std::vector<std::tuple<const char*, const char*, Damage>> all = {
      {"truncated", "truncated or damaged", [](const fs::path& f) { fs::resize_file(f / kWeights, fs::file_size(f / kWeights) / 2); }},
      {"truncated header", "truncated", [](const fs::path& f) { fs::resize_file(f / kWeights, 100); }},
      {"empty", "truncated", [](const fs::path& f) { fs::resize_file(f / kWeights, 0); }},
      {"wrong dtype", "only floating-point", [](const fs::path& f) {
         std::vector<std::pair<std::string, at::Tensor>> tensors;
         const SafeTensors whole(f / kWeights);
         for (const auto& [name, tensor] : whole.entries()) tensors.emplace_back(name, name == "conv_in.bias" ? at::zeros(tensor.shape, at::kLong) : whole.copy(tensor));
         saveSafeTensors(f / kWeights, tensors);
       }},
      {"unknown dtype", "unknown dtype 'F12'", [](const fs::path& f) { writeHeader(f / kWeights, {{"x", entry("F12", 0, 4)}}, 4); }},
      {"oversized offsets", "truncated or damaged", [](const fs::path& f) { writeHeader(f / kWeights, {{"x", entry("F32", 0, 4000)}}, 4); }},
      {"overlapping offsets", "overlaps", [](const fs::path& f) { writeHeader(f / kWeights, {{"x", entry("F32", 0, 8)}, {"y", entry("F32", 4, 12)}}, 12); }},
      {"a gap", "unused bytes", [](const fs::path& f) { writeHeader(f / kWeights, {{"x", entry("F32", 0, 4)}, {"y", entry("F32", 8, 12)}}, 12); }},
      {"missing shard", "shard 'b.safetensors'", [](const fs::path& f) { shard(f, "b.safetensors"); }},
      {"shard outside", "shard '../vae/diffusion_pytorch_model.safetensors', which lies outside", [](const fs::path& f) { shard(f, "../vae/diffusion_pytorch_model.safetensors"); }},
      {"index names a tensor that no shard has", "conv_in.bias' is missing", [](const fs::path& f) {
         shard(f, "a.safetensors");
         std::vector<std::pair<std::string, at::Tensor>> tensors;
         const SafeTensors whole(f / "unet/a.safetensors");
         for (const auto& [name, tensor] : whole.entries())
           if (name != "conv_in.bias") tensors.emplace_back(name, whole.copy(tensor));
         saveSafeTensors(f / "unet/a.safetensors", tensors);
       }},
      {"index is no JSON", "not valid JSON", [](const fs::path& f) { write(f / "unet/diffusion_pytorch_model.safetensors.index.json", "{"); }},
      {"links in a circle", "in a circle", [](const fs::path& f) {
         fs::remove(f / kWeights);
         fs::create_symlink("diffusion_pytorch_model.safetensors", f / kWeights);
       }},
      {"dangling blob", "which does not exist; download", [](const fs::path& f) {
         fs::remove(f / kWeights);
         fs::create_symlink("../../../blobs/0123", f / kWeights);
       }},
      {"a pickle", "is a pickle", [](const fs::path& f) { fs::rename(f / kWeights, f / "unet/diffusion_pytorch_model.bin"); }},
      {"a pickle under another name", "not a safetensors file", [](const fs::path& f) { write(f / kWeights, "PK\x03\x04 archive/data.pkl"); }},
      {"a folder for a file", "not a regular file", [](const fs::path& f) {
         fs::remove(f / kWeights);
         fs::create_directory(f / kWeights);
       }},
      {"a number that no integer holds", "norm_num_groups=1e+30 is beyond what any model has", [](const fs::path& f) {
         nlohmann::json config = nlohmann::json::parse(std::ifstream(f / "unet/config.json"));
         config["norm_num_groups"] = 1e30;
         write(f / "unet/config.json", config.dump());
       }},
      {"a list of numbers that no integer holds", "is beyond what any model has", [](const fs::path& f) {
         nlohmann::json config = nlohmann::json::parse(std::ifstream(f / "unet/config.json"));
         config["block_out_channels"] = {32, -1e19};
         write(f / "unet/config.json", config.dump());
       }},
      {"a configuration that is no object", "JSON object", [](const fs::path& f) { write(f / "unet/config.json", "[]"); }},
  };
  return all;
}

}  // namespace

class ModelMalformedTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void oneClearLine_data() {
    QTest::addColumn<int>("number");
    for (std::size_t i = 0; i < damages().size(); ++i) QTest::newRow(std::get<0>(damages()[i])) << static_cast<int>(i);
  }
  void oneClearLine() {
    QFETCH(int, number);
    const auto& [name, expected, damage] = damages()[static_cast<std::size_t>(number)];
    const QTemporaryDir dir;
    const fs::path folder = fs::path(dir.path().toStdString()) / "pipeline";
    fs::copy(source("tests/parity/golden/sd_a/pipeline"), folder, fs::copy_options::recursive);
    const Family& family = familyOf(folder);
    family.loadDenoiser(folder, {});   // whole, it loads
    damage(folder);
    QString error;
    try {
      family.loadDenoiser(folder, {});
    } catch (const ModelError& thrown) {   // any other exception fails the test
      error = QString::fromUtf8(thrown.what());
    }
    QVERIFY2(error.contains(expected), qPrintable(error));
    QVERIFY2(error.contains("unet") && !error.contains('\n'), qPrintable(error));
    QVERIFY_THROWS_NO_EXCEPTION(inspectFolder(folder));   // and a list of models shows the folder all the same
  }
};

QTEST_GUILESS_MAIN(ModelMalformedTest)
#include "model_malformed_test.moc"
