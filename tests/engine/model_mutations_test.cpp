// Files of models with random damage: read, or refused with one line that names the file; no crash, and no memory for a size that nobody vouches for.
#include "engine/model/clip_tokenizer.h"
#include "engine/model/config.h"
#include "engine/model/family.h"
#include "engine/model/folder.h"
#include "engine/model/gguf.h"
#include "engine/model/lora.h"
#include "engine/model/safetensors.h"
#include "engine/model/schedulers/scheduler.h"
#include "engine/model/single/contents.h"
#include "engine/model/t5_tokenizer.h"
#include "engine/model/weights.h"
#include "tests/mutations.h"

#include <ATen/ATen.h>
#include <QTemporaryDir>
#include <QTest>

#include <functional>

using namespace quantspot;
using namespace quantspot::model;
using quantspot::test::Mutator;
namespace fs = std::filesystem;

namespace {

const fs::path kGolden = QUANTSPOT_SOURCE_DIR "/tests/parity/golden";
constexpr const char* kPrompt = "A  red ﬁox & 12 castles, don't! <|endoftext|> ";

void readAll(const fs::path& file) {
  const SafeTensors tensors(file);
  for (const auto& [name, entry] : tensors.entries()) tensors.copy(entry);
  contentsOf(file);
}

void readGguf(const fs::path& file) {
  const GgufFile gguf(file);
  for (const auto& [name, tensor] : gguf.tensors()) {
    std::int64_t rows = 1;
    for (std::size_t i = 0; i + 1 < tensor.shape.size(); ++i) rows *= tensor.shape[i];
    gguf.copyRows(tensor, 0, rows);
  }
  contentsOf(file);
}

void runScheduler(const fs::path& file) {
  const auto scheduler = loadScheduler(file.parent_path().parent_path());
  scheduler->setTimesteps(3, 16);
  at::Tensor sample = at::ones({1, 4, 2, 2});
  for (std::size_t call = 0; call < scheduler->timesteps().size(); ++call)
    sample = scheduler->step(0.5 * sample, call, sample, [](at::IntArrayRef shape) { return at::ones(shape); });
}

// A folder, the file in it that is damaged, whether it is text, and what reads it.
struct Target {
  const char* name;
  fs::path folder;
  fs::path file;
  bool text;
  std::function<void(const fs::path& file)> read;
};

const std::vector<Target>& targets() {
  const auto tokenizer = [](auto* kind) {
    return [](const fs::path& file) {
      const std::remove_pointer_t<decltype(kind)> made(file.parent_path());
      if constexpr (std::is_same_v<std::remove_pointer_t<decltype(kind)>, T5Tokenizer>) made.encode(kPrompt, 24);
      else made.encode(kPrompt);
    };
  };
  const auto clip = tokenizer(static_cast<ClipTokenizer*>(nullptr));
  const auto t5 = tokenizer(static_cast<T5Tokenizer*>(nullptr));
  const auto denoiser = [](const fs::path& file) { familyOf(file.parent_path().parent_path()).loadDenoiser(file.parent_path().parent_path(), {}); };
  const auto decoder = [](const fs::path& file) { familyOf(file.parent_path().parent_path()).loadAutoencoder(file.parent_path().parent_path(), {}); };
  const auto encoders = [](const fs::path& file) {
    const fs::path pipeline = file.parent_path().parent_path();
    familyOf(pipeline).loadTextEncoders(pipeline, {})->encode({kPrompt}, {.maxSequenceLength = 16});
  };
  static const std::vector<Target> all = {
      {"safetensors", kGolden / "sd_a/pipeline/unet", "diffusion_pytorch_model.safetensors", false, readAll},
      {"single file", kGolden / "single", "sd2_text.safetensors", false, readAll},
      {"GGUF", kGolden / "single", "comfy.gguf", false, readGguf},
      {"LoRA", kGolden / "lora", "peft_alpha.safetensors", false, [](const fs::path& file) { readLora(file); }},
      {"LoRA of kohya", kGolden / "lora", "kohya.safetensors", false, [](const fs::path& file) { readLora(file); }},
      {"scheduler", kGolden / "sd_a/pipeline/scheduler", "scheduler_config.json", true, runScheduler},
      {"flow scheduler", kGolden / "flux_c/pipeline/scheduler", "scheduler_config.json", true, runScheduler},
      {"CLIP vocabulary", kGolden / "flux_a/pipeline/tokenizer", "vocab.json", true, clip},
      {"CLIP merges", kGolden / "flux_a/pipeline/tokenizer", "merges.txt", true, clip},
      {"CLIP settings", kGolden / "flux_a/pipeline/tokenizer", "tokenizer_config.json", true, clip},
      {"CLIP in one file", kGolden / "flux_b/pipeline/tokenizer", "tokenizer.json", true, clip},
      {"SentencePiece", kGolden / "flux_a/pipeline/tokenizer_2", "spiece.model", false, t5},
      {"T5 settings", kGolden / "flux_a/pipeline/tokenizer_2", "tokenizer_config.json", true, t5},
      {"T5 in one file", kGolden / "flux_b/pipeline/tokenizer_2", "tokenizer.json", true, t5},
      {"UNet's configuration", kGolden / "sd_a/pipeline", "unet/config.json", true, denoiser},
      {"transformer's configuration", kGolden / "flux_a/pipeline", "transformer/config.json", true, denoiser},
      {"SD 3's configuration", kGolden / "sd3_a/pipeline", "transformer/config.json", true, denoiser},
      {"PixArt's configuration", kGolden / "pixart_a/pipeline", "transformer/config.json", true, denoiser},
      {"DiT's configuration", kGolden / "dit_a/pipeline", "transformer/config.json", true, denoiser},
      {"index of shards", kGolden / "flux_b/pipeline", "transformer/diffusion_pytorch_model.safetensors.index.json", true, denoiser},
      {"autoencoder's configuration", kGolden / "sd_a/pipeline", "vae/config.json", true, decoder},
      {"CLIP's configuration", kGolden / "sd_a/pipeline", "text_encoder/config.json", true, encoders},
      {"T5's configuration", kGolden / "flux_a/pipeline", "text_encoder_2/config.json", true, encoders},
      {"index", kGolden / "dit_a/pipeline", "model_index.json", true, [](const fs::path& file) {
         inspectFolder(file.parent_path());
         loadTextEncoders(file.parent_path(), {})->encode({"1"}, {});
       }},
  };
  return all;
}

}  // namespace

class ModelMutationsTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void damageIsToldInOneLine_data() {
    QTest::addColumn<int>("number");
    for (std::size_t i = 0; i < targets().size(); ++i) QTest::newRow(targets()[i].name) << static_cast<int>(i);
  }
  void damageIsToldInOneLine() {
    QFETCH(int, number);
    const Target& target = targets()[static_cast<std::size_t>(number)];
    const QTemporaryDir dir;
    const fs::path folder = fs::path(dir.path().toStdString()) / "x" / target.folder.filename();
    fs::create_directories(folder.parent_path());
    fs::copy(target.folder, folder, fs::copy_options::recursive);
    const fs::path file = folder / target.file;
    const std::string whole = test::readBytes(file.string());
    QVERIFY(!whole.empty());
    target.read(file);   // whole, it can be read
    Mutator mutate(static_cast<std::uint32_t>(number) + 1);
    const test::AllocationLimit limit(std::uint64_t{2} << 30);
    int refused = 0;
    for (int i = 0; i < test::mutations(120); ++i) {
      test::writeBytes(file.string(), mutate(whole, target.text));
      try {
        target.read(file);
      } catch (const ModelError& error) {   // any other exception fails the test
        const QString line = QString::fromUtf8(error.what());
        const bool named = line.contains("x/") || line.contains("step");   // a schedule that has no such step names none
        QVERIFY2(named && line.size() < 2000, qPrintable(line));
        ++refused;
      } catch (const std::exception& error) {
        fs::copy_file(file, fs::temp_directory_path() / "quantspot_mutation", fs::copy_options::overwrite_existing);
        QFAIL(qPrintable(QStringLiteral("mutation %1: %2").arg(i).arg(error.what())));
      }
    }
    QVERIFY2(refused > 10, qPrintable(QString::number(refused)));
  }
};

QTEST_GUILESS_MAIN(ModelMutationsTest)
#include "model_mutations_test.moc"
