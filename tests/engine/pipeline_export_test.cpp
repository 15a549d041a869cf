// Exports: what diffusers wrote, loaded and rendered (tests/parity/export_cases.py), and that they are whole or not there.
#include "engine/model/assembled.h"
#include "engine/model/folder.h"
#include "engine/model/gguf.h"
#include "engine/model/mapped_file.h"
#include "engine/model/sha256.h"
#include "engine/model/weights.h"
#include "engine/pipeline/export.h"
#include "engine/pipeline/whole_folder.h"
#include "tests/engine/checkpoint_digest.h"
#include "tests/engine/pipeline_case.h"

#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>

using namespace quantspot;
using nlohmann::json;
using test::readJson;
namespace fs = std::filesystem;

namespace {

const fs::path kGolden = QUANTSPOT_SOURCE_DIR "/tests/parity/golden";

QString complaint(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::exception& error) {
    return error.what();
  }
  return QStringLiteral("nothing");
}

void writeText(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

}  // namespace

class ExportTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;
  const json case_ = readJson(kGolden / "export" / "case.json");
  const model::SafeTensors expected_{kGolden / "export" / "expected.safetensors"};

  fs::path path(const std::string& name) const { return fs::path(folder_.path().toStdString()) / name; }
  protocol::Recipe recipe() const {
    json one = case_;
    one["prompt"] = case_["prompts"][0];
    return one.get<protocol::Recipe>();
  }
  pipeline::ExportRequest request(const std::string& policy, const std::string& out, const fs::path& model = kGolden / "export" / "pipeline") const {
    pipeline::ExportRequest asked{.model = model, .out = path(out), .policy = quant::parsePolicy(policy), .recipe = recipe()};
    if (!fs::exists(model / "transformer")) asked.recipe.max_sequence_length.reset();   // a UNet's CLIP has one length
    return asked;
  }
  at::Tensor draw(const fs::path& model, const std::string& precision) const {
    pipeline::Sampler sampler;
    return sampler.generate({.model = model, .policy = quant::parsePolicy(precision), .recipe = recipe(), .device = "cpu", .noise = {}, .progress = {}, .cancel = nullptr}).latents;
  }

 private Q_SLOTS:
  // The same files as the reference's, whose picture from them is ours.
  void filesAndPicturesAreThoseOfTheReference_data() {
    QTest::addColumn<QString>("precision");
    for (const auto& [id, expected] : case_["precisions"].items()) QTest::newRow(id.c_str()) << QString::fromStdString(id);
  }
  void filesAndPicturesAreThoseOfTheReference() {
    QFETCH(QString, precision);
    const std::string id = precision.toStdString();
    const json expected = case_["precisions"][id];
    const auto result = pipeline::exportModel(request(id, id));
    const fs::path part = path(id) / "pipeline" / "transformer";
    const model::SafeTensors file(part / "diffusion_pytorch_model.safetensors");
    for (const auto& [layer, value] : expected["layers"].items()) QVERIFY2(test::digest(file, layer) == value.get<std::string>(), layer.c_str());
    QCOMPARE(file.entries().size(), expected["tensors"].get<std::size_t>());
    const json config = readJson(part / "config.json")["quantization_config"];
    for (const auto& [key, value] : expected["config"].items())
      QVERIFY2(config.at(key) == value || (value.is_null() && config[key].empty()), (key + ": " + config.at(key).dump()).c_str());
    if (expected.contains("metadata"))
      for (const auto& [key, value] : expected["metadata"].items()) QCOMPARE(file.metadata().at(key), value.get<std::string>());
    const double error = test::relativeError(draw(kGolden / "export" / "pipeline", id), expected_.copy(expected_.entries().at(id)));
    qInfo("%s: latents %.5f from the reference's", id.c_str(), error);
    QVERIFY(error <= case_["bf16_relative_error"].get<double>());
  }

  void plainAndLayerwisePicturesAreThoseOfTheReference() {
    for (const char* id : {"bf16", "fp8-layerwise"})
      QVERIFY2(test::relativeError(draw(kGolden / "export" / "pipeline", id), expected_.copy(expected_.entries().at(id))) <= case_["bf16_relative_error"].get<double>(), id);
  }

  void theManifestTellsEverything() {
    pipeline::ExportRequest asked = request("bnb-nf4?skip=proj_out", "told");
    asked.images = {{"a.png", std::string(64, '1'), std::string(64, '2'), recipe()}, {"b.png", std::string(64, '3'), std::string(64, '4'), {}}};
    pipeline::exportModel(asked);
    const json manifest = readJson(path("told") / "manifest.json");
    QCOMPARE(manifest["precision"].get<std::string>(), std::string("bnb-nf4"));
    QCOMPARE(manifest["policy"]["text"].get<std::string>(), std::string("bnb-nf4?skip=proj_out"));
    QCOMPARE(manifest["model"]["weights_sha256"].get<std::string>(), model::weightsHash(asked.model));
    QCOMPARE(manifest["recipe"]["guidance"].get<double>(), 3.5);
    QCOMPARE(manifest["images"][1]["image_sha256"].get<std::string>(), std::string(64, '4'));
    std::size_t files = 0;
    for (const auto& entry : fs::recursive_directory_iterator(path("told"))) files += entry.is_regular_file() && entry.path().filename() != "manifest.json";
    QCOMPARE(manifest["files"].size(), files);
    for (const json& file : manifest["files"]) {
      const model::MappedFile bytes(path("told") / file["path"].get<std::string>());
      QCOMPARE(file["sha256"].get<std::string>(), model::sha256Hex(bytes.bytes().data(), bytes.bytes().size()));
    }
    std::ifstream in(path("told") / "run.py");
    const std::string script{std::istreambuf_iterator<char>(in), {}};
    QVERIFY(script.find("judged = \"" + std::string(64, '2') + "\"") != std::string::npos);   // of the picture with this recipe
    QVERIFY(script.find("manual_seed(5)") != std::string::npos && script.find("FluxPipeline") != std::string::npos);
    std::ifstream pins(path("told") / "requirements.txt");
    QVERIFY(std::string(std::istreambuf_iterator<char>(pins), {}).find("bitsandbytes==0.50.2") != std::string::npos);
  }

  void theEstimateIsEnoughAndNotFarOff_data() {
    QTest::addColumn<QString>("policy");
    QTest::addColumn<QString>("model");
    for (const char* policy : {"fp32", "bf16", "fp8-layerwise", "bnb-nf4-dq", "torchao-int8dq", "quanto-int4", "gguf-q8_0"}) QTest::newRow(policy) << policy << "export";
    QTest::newRow("text encoder") << "bnb-int8?text_encoder=bnb-int8" << "export";
    QTest::newRow("unet") << "fp8-layerwise" << "sd_a";
    QTest::newRow("unet as gguf") << "gguf-q8_0" << "sd_a";
  }
  void theEstimateIsEnoughAndNotFarOff() {
    QFETCH(QString, policy);
    QFETCH(QString, model);
    const auto asked = request(policy.toStdString(), "estimate-" + policy.toStdString() + model.toStdString(), kGolden / model.toStdString() / "pipeline");
    const std::int64_t estimate = pipeline::exportBytes(asked), written = pipeline::exportModel(asked).bytes;
    const auto tensors = static_cast<std::int64_t>(800);   // at most, of these models: 4 KiB of header are reckoned for each
    QVERIFY2(estimate >= written && estimate <= written + (1 << 20) + tensors * 4096, qPrintable(QString("%1 for %2").arg(estimate).arg(written)));
  }

  void noRoomIsToldBefore() {
    QVERIFY(complaint([&] { pipeline::checkRoom(path("nowhere/yet"), std::int64_t{1} << 60); }).contains("are free; make room"));
    pipeline::checkRoom(path("nowhere/yet"), 1);
  }

  void nothingIsOverwrittenWithoutForce() {
    pipeline::exportModel(request("bf16", "once"));
    const json before = readJson(path("once") / "manifest.json");
    QVERIFY(complaint([&] { pipeline::exportModel(request("bnb-nf4", "once")); }).contains("--force"));
    QCOMPARE(test::text(readJson(path("once") / "manifest.json")), test::text(before));
    auto forced = request("bnb-nf4", "once");
    forced.force = true;
    pipeline::exportModel(forced);
    QCOMPARE(readJson(path("once") / "manifest.json")["precision"].get<std::string>(), std::string("bnb-nf4"));
    QVERIFY(!fs::exists(path("once.part")));
  }

  void forceReplacesExportsOnly() {
    fs::create_directories(path("mine"));
    writeText(path("mine") / "diary.txt", "dear diary");
    auto forced = request("bf16", "mine");
    forced.force = true;
    QVERIFY(complaint([&] { pipeline::exportModel(forced); }).contains("no earlier export"));
    writeText(path("mine") / "manifest.json", "{\"kind\": \"a browser's add-on\", \"files\": []}");   // such files are common
    QVERIFY(complaint([&] { pipeline::exportModel(forced); }).contains("no earlier export"));
    QVERIFY(fs::exists(path("mine") / "diary.txt"));
  }

  void whatNoExportWroteIsNotRemoved() {
    pipeline::exportModel(request("bf16", "shared"));
    auto forced = request("bnb-nf4", "shared");
    forced.force = true;
    fs::create_directories(path("shared") / "pictures");
    writeText(path("shared") / "pictures/fox.png", "mine");
    fs::create_symlink("/", path("shared") / "root");
    const QString refused = complaint([&] { pipeline::exportModel(forced); });
    QVERIFY2(refused.contains("holds pictures/fox.png and 1 more, which no export wrote"), qPrintable(refused));
    fs::remove(path("shared") / "root");
    fs::remove(path("shared") / "pictures/fox.png");
    // What comes while it is being written is found before anything is replaced.
    forced.progress = [&](const std::string&, int, int) { writeText(path("shared") / "late.txt", "mine"); };
    QVERIFY(complaint([&] { pipeline::exportModel(forced); }).contains("holds late.txt, which no export wrote"));
    QCOMPARE(readJson(path("shared") / "manifest.json")["precision"].get<std::string>(), std::string("bf16"));
    QVERIFY(fs::exists(path("shared") / "late.txt") && !fs::exists(path("shared.part")));
    fs::remove(path("shared") / "late.txt");
    forced.progress = {};
    pipeline::exportModel(forced);
    QCOMPARE(readJson(path("shared") / "manifest.json")["precision"].get<std::string>(), std::string("bnb-nf4"));
  }

  void aCancelledExportLeavesNothing() {
    std::atomic<bool> cancel = false;
    auto asked = request("bnb-nf4", "cancelled");
    asked.cancel = &cancel;
    asked.progress = [&](const std::string&, int step, int) { cancel = step > 3; };
    QVERIFY_EXCEPTION_THROWN(pipeline::exportModel(asked), pipeline::Cancelled);
    QVERIFY(!fs::exists(path("cancelled")) && !fs::exists(path("cancelled.part")));
  }

  // After the packing come copies and hashes of gigabytes: they are told, and can be cancelled, too.
  void eachStageIsToldAndCanBeCancelled() {
    std::set<std::string> stages;
    std::atomic<bool> cancel = false;
    auto asked = request("gguf-q8_0", "stages");
    asked.cancel = &cancel;
    asked.progress = [&](const std::string& stage, int step, int steps) { if (step <= steps) stages.insert(stage); };
    pipeline::exportModel(asked);
    QCOMPARE(stages, (std::set<std::string>{"load", "copy", "hash"}));
    for (const std::string& last : stages) {
      cancel = false;
      asked.out = path("until-" + last);
      asked.progress = [&](const std::string& stage, int, int) { cancel = stage == last; };
      QVERIFY_EXCEPTION_THROWN(pipeline::exportModel(asked), pipeline::Cancelled);
      QVERIFY(!fs::exists(asked.out) && !fs::exists(path("until-" + last + ".part")));
    }
  }

  void whatAKilledRunLeftIsClearedAndLockedFoldersAreNot() {
    fs::create_directories(path("killed.part") / "pipeline");
    writeText(path("killed.part") / "pipeline" / "half.safetensors", "half");
    {
      pipeline::WholeFolder folder(path("killed"), false);
      QVERIFY(fs::is_empty(folder.path()));
      QVERIFY(complaint([&] { pipeline::WholeFolder again(path("killed"), false); }).contains("another export"));
      QVERIFY(fs::exists(folder.path()));
      writeText(folder.path() / "a", "a");
      folder.publish();
    }
    QVERIFY(fs::exists(path("killed") / "a") && !fs::exists(path("killed.part")));
  }

  void aKilledExportLeavesNothingThatLooksFinished() {
    const pid_t child = ::fork();
    if (child == 0) {
      auto asked = request("bnb-nf4", "dead");
      asked.progress = [](const std::string&, int step, int) { if (step == 5) ::raise(SIGKILL); };
      pipeline::exportModel(asked);
      ::_exit(0);
    }
    int status = 0;
    QCOMPARE(::waitpid(child, &status, 0), child);
    QVERIFY(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    QVERIFY(!fs::exists(path("dead")) && fs::exists(path("dead.part")) && !fs::exists(path("dead.part") / "manifest.json"));
    pipeline::exportModel(request("bnb-nf4", "dead"));
    QVERIFY(fs::exists(path("dead") / "manifest.json") && !fs::exists(path("dead.part")));
  }

  // ComfyUI, and transformers before 5, find no CLIP without "text_model."; the values are the same, and T5's names stay.
  void textEncodersAreNamedForProgramsOfAnyAge() {
    const fs::path from = kGolden / "export" / "pipeline";
    for (const char* policy : {"gguf-q8_0", "bf16"}) {
      const fs::path to = path(std::string("renamed-") + policy);
      pipeline::exportModel(request(policy, to.filename().string()));
      const model::SafeTensors before(from / "text_encoder" / "model.safetensors"), after(to / "pipeline" / "text_encoder" / "model.safetensors");
      QCOMPARE(after.entries().size(), before.entries().size());
      for (const auto& [name, entry] : before.entries()) {
        const auto found = after.entries().find("text_model." + name);
        QVERIFY2(found != after.entries().end() && at::equal(before.copy(entry), after.copy(found->second)), name.c_str());
      }
      const model::SafeTensors t5(from / "text_encoder_2" / "model.safetensors"), same(to / "pipeline" / "text_encoder_2" / "model.safetensors");
      for (const auto& [name, entry] : t5.entries()) QVERIFY2(same.entries().contains(name), name.c_str());
    }
    pipeline::exportModel(request("bf16", "named"));
    QVERIFY(at::equal(draw(path("named") / "pipeline", "bf16"), draw(from, "bf16")));
  }

  // Parts whose weights lie in a checkpoint in its original naming are written as diffusers reads them.
  void singleFilesBecomeFolders() {
    const model::AssembledPipeline whole(kGolden / "single" / "sd.safetensors", kGolden / "sd_a" / "pipeline");
    pipeline::exportModel(request("bnb-int8", "single", whole.folder()));
    for (const char* part : {"vae/diffusion_pytorch_model.safetensors", "text_encoder/model.safetensors"}) {
      const model::SafeTensors made(path("single") / "pipeline" / part), source(kGolden / "sd_a" / "pipeline" / part);
      for (const auto& [name, entry] : made.entries()) {
        const std::string plain = name.starts_with("text_model.") ? name.substr(11) : name;   // transformers reads both
        QVERIFY2(source.entries().contains(plain), name.c_str());
        const at::Tensor a = made.copy(entry).to(at::kFloat), b = source.copy(source.entries().at(plain)).to(at::kFloat);
        QVERIFY2(at::equal(a, b.view_as(a)), name.c_str());
      }
      QVERIFY(made.entries().size() > 10);
    }
    QVERIFY(!fs::exists(path("single") / "pipeline" / "unet" / "quantspot_views.json"));
  }

  void whatTorchPacksAtTheStartIsWrittenAsCode() {
    pipeline::exportModel(request("int8-dynamic?weights=per-channel&skip=^proj_out", "dynamic"));
    const model::SafeTensors weights(path("dynamic") / "pipeline" / "transformer" / "diffusion_pytorch_model.safetensors");
    for (const auto& [name, entry] : weights.entries()) QVERIFY2(entry.dtype == at::kFloat, name.c_str());
    std::ifstream file(path("dynamic") / "run.py");
    const std::string code{std::istreambuf_iterator<char>(file), {}};
    for (const char* piece : {"kept = {\n    \"proj_out\",\n}", "quantize_dynamic(pipe.transformer", "per_channel_dynamic_qconfig", "torch.float32"})
      QVERIFY2(code.find(piece) != std::string::npos, piece);
  }

  void ggufFilesStandInPlaceOfTheWeights() {
    pipeline::exportModel(request("gguf-q8_0", "gguf", kGolden / "sd_a" / "pipeline"));
    QVERIFY(fs::exists(path("gguf") / "unet-gguf-q8_0.gguf") && fs::exists(path("gguf") / "load_gguf.py") && fs::exists(path("gguf") / "pipeline" / "unet" / "config.json"));
    QVERIFY(!fs::exists(path("gguf") / "pipeline" / "unet" / "diffusion_pytorch_model.safetensors"));
    QVERIFY(fs::exists(path("gguf") / "pipeline" / "vae" / "diffusion_pytorch_model.safetensors"));
  }

  // What load_gguf.py makes of the file's tensors are the model's own names and rows, in every width.
  void theGgufModuleKnowsEachTensor_data() {
    QTest::addColumn<QString>("model");
    for (const char* model : {"export", "flux_a", "flux_b", "flux_c"}) QTest::newRow(model) << model;
  }
  void theGgufModuleKnowsEachTensor() {
    QFETCH(QString, model);
    const fs::path source = kGolden / model.toStdString() / "pipeline", out = path("module-" + model.toStdString());
    pipeline::exportModel(request("gguf-q8_0", out.filename(), source));
    const model::GgufFile file(out / "transformer-gguf-q8_0.gguf");
    QByteArray tensors;
    for (const auto& [name, tensor] : file.tensors())
      tensors += QByteArray::fromStdString(name) + " " + QByteArray::number(qlonglong{tensor.shape[0]}) + "\n";
    QProcess python;
    python.setWorkingDirectory(QString::fromStdString(out));
    python.start("python3", {"-B", "-c", "import json, sys, load_gguf; lines = [line.split() for line in sys.stdin]; "
                                      "print(json.dumps(dict(p for name, rows in lines for p in load_gguf.parts(name, int(rows)))))"});
    python.write(tensors);
    python.closeWriteChannel();
    QVERIFY(python.waitForFinished());
    QVERIFY2(python.exitCode() == 0, python.readAllStandardError().constData());
    const json parts = json::parse(python.readAllStandardOutput().toStdString());
    const model::Weights weights(source / "transformer");
    for (const std::string& name : weights.names()) QVERIFY2(parts.value(name, json()) == weights.shape(name)[0], name.c_str());
    QCOMPARE(parts.size(), weights.names().size());
  }

  // The names under which stable-diffusion.cpp looks for what a UNet's file does not hold.
  void whatAUnetsFileLacksLiesBesideIt() {
    const fs::path source = kGolden / "sdxl_a" / "pipeline";
    pipeline::exportModel(request("gguf-q8_0", "companion", source));
    const model::SafeTensors made(path("companion") / "text-encoders-and-vae.safetensors");
    const std::map<std::string, std::string> prefixes = {
        {"text_encoder", "cond_stage_model.transformer."}, {"text_encoder_2", "cond_stage_model.1.transformer."}, {"vae", "vae."}};
    std::size_t tensors = 0;
    for (const auto& [part, prefix] : prefixes) {
      const model::Weights weights(source / part);
      for (const std::string& name : weights.names()) {
        const bool bare = part != "vae" && name != "text_projection.weight" && !name.starts_with("text_model.");
        const std::string there = prefix + (bare ? "text_model." : "") + name;
        QVERIFY2(made.entries().contains(there), there.c_str());
        const at::Tensor value = made.copy(made.entries().at(there)), wanted = weights.read(name);
        QVERIFY2(value.dtype() == wanted.dtype() && at::equal(value, wanted), there.c_str());
        ++tensors;
      }
    }
    QCOMPARE(made.entries().size(), tensors);
    QVERIFY(made.entries().contains("cond_stage_model.1.transformer.text_projection.weight"));
    pipeline::exportModel(request("gguf-q8_0", "none"));
    QVERIFY(!fs::exists(path("none") / "text-encoders-and-vae.safetensors"));   // of FLUX the parts' own files are taken
  }

  void whatCannotBeExportedIsSaid_data() {
    QTest::addColumn<QString>("policy");
    QTest::addColumn<QString>("model");
    QTest::addColumn<QString>("word");
    QTest::newRow("dynamic and another") << "int8-dynamic?proj_out=bnb-int8" << "export" << "proj_out=bnb-int8";
    QTest::newRow("activations") << "quanto-int8a8" << "export" << "activations";
    QTest::newRow("quanto text") << "quanto-int8?text_encoder=quanto-int8" << "export" << "text encoder";
    QTest::newRow("quanto names") << "quanto-int8?skip=^proj_out" << "export" << "single_transformer_blocks.0.proj_out";
    QTest::newRow("decoder") << "bf16?vae.decoder=quanto-int8" << "export" << "autoencoder";
    QTest::newRow("convolutions") << "quanto-int8" << "sd_a" << "conv_in";
    QTest::newRow("two libraries") << "bnb-nf4?proj_out=torchao-int8wo" << "export" << "no library loads both";
    QTest::newRow("gguf text") << "gguf-q8_0?text_encoder=gguf-q8_0" << "export" << "text encoders";
  }
  void whatCannotBeExportedIsSaid() {
    QFETCH(QString, policy);
    QFETCH(QString, model);
    QFETCH(QString, word);
    const QString said = complaint([&] { pipeline::exportModel(request(policy.toStdString(), "refused", kGolden / model.toStdString() / "pipeline")); });
    QVERIFY2(said.contains(word), qPrintable(said));
    QVERIFY(!fs::exists(path("refused")) && !fs::exists(path("refused.part")));
  }
};

QTEST_GUILESS_MAIN(ExportTest)
#include "pipeline_export_test.moc"
