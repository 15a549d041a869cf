// Models as they lie on disk, through quantspot-cli and quantspot-engine: folders, the hub's cache, downloads.
#include "tests/engine/engine_process.h"
#include "tests/engine/fake_hub.h"
#include "tests/engine/json_schema.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTest>

#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace quantspot;
namespace fs = std::filesystem;

namespace {

const std::string kOld(40, 'a'), kNew(40, 'b');
const fs::path kPipeline = QUANTSPOT_SOURCE_DIR "/tests/parity/golden/flux_a/pipeline";

// A snapshot as huggingface_hub lays it: each file a link to a blob.
void cacheSnapshot(const fs::path& repo, const std::string& commit) {
  fs::create_directories(repo / "blobs");
  int number = 0;
  for (const auto& entry : fs::recursive_directory_iterator(kPipeline)) {
    if (!entry.is_regular_file()) continue;
    const fs::path link = repo / "snapshots" / commit / entry.path().lexically_relative(kPipeline), blob = repo / "blobs" / (commit + std::to_string(number++));
    fs::create_directories(link.parent_path());
    fs::copy_file(entry.path(), blob);
    fs::create_symlink(blob.lexically_relative(link.parent_path()), link);
  }
}

}  // namespace

class ModelsTest : public QObject {
  Q_OBJECT
  QTemporaryDir dir_;
  int code_ = 0;
  QByteArray error_;

  fs::path path(const std::string& name) const { return dir_.path().toStdString() + "/" + name; }
  QStringList environment() const { return {"HF_HUB_CACHE=" + dir_.filePath("hub"), "QUANTSPOT_MODELS=" + dir_.filePath("models"), "XDG_DATA_HOME=" + dir_.filePath("data")}; }
  QJsonObject run(const QStringList& arguments, const QStringList& more = {}) {
    QProcess cli;
    cli.setEnvironment(QProcess::systemEnvironment() + environment() + more);
    cli.start(QStringLiteral(QUANTSPOT_CLI), arguments);
    if (!cli.waitForFinished(120000)) cli.kill();
    code_ = cli.exitCode();
    error_ = cli.readAllStandardError();
    return QJsonDocument::fromJson(cli.readAllStandardOutput()).object();
  }
  QJsonObject entry(const QString& name, const QStringList& folders = {}) {
    const QJsonArray models = run(QStringList{"models", "list"} + folders)["models"].toArray();
    for (const QJsonValue& model : models)
      if (model["name"].toString() == name) return model.toObject();
    return {};
  }

 private Q_SLOTS:
  void initTestCase() {
    const fs::path repo = path("hub/models--tiny--flux");
    cacheSnapshot(repo, kOld);
    cacheSnapshot(repo, kNew);
    fs::create_directories(repo / "refs");
    std::ofstream(repo / "refs/main") << kNew;
    fs::create_directories(path("models"));
    fs::create_symlink(kPipeline, path("models/mine"));
  }

  void everyRevisionIsListed() {
    const QJsonObject main = entry("tiny/flux");
    QCOMPARE(main["family"].toString(), QStringLiteral("flux"));
    QCOMPARE(main["path"].toString().toStdString(), path("hub/models--tiny--flux/snapshots/" + kNew).string());
    QVERIFY(main["missing"].toArray().isEmpty());
    QVERIFY(main["bytes"].toDouble() > 1e5);
    QCOMPARE(entry("tiny/flux@" + QString::fromStdString(kOld))["bytes"], main["bytes"]);
    QCOMPARE(entry("mine")["bytes"], main["bytes"]);
  }

  void namesLeadToFolders_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("end");
    QTest::newRow("main") << "tiny/flux" << "/snapshots/" + QString::fromStdString(kNew);
    QTest::newRow("commit") << "tiny/flux@" + QString::fromStdString(kOld) << "/snapshots/" + QString::fromStdString(kOld);
    QTest::newRow("folder of the cache") << QString::fromStdString(path("hub/models--tiny--flux").string()) << "/snapshots/" + QString::fromStdString(kNew);
    QTest::newRow("a folder of models") << "mine" << "/models/mine";
    QTest::newRow("a path") << QString::fromStdString(kPipeline.string()) << "/flux_a/pipeline";
  }
  void namesLeadToFolders() {
    QFETCH(QString, name);
    QFETCH(QString, end);
    const QString found = run({"models", "path", name})["path"].toString();
    QVERIFY2(found.endsWith(end), qPrintable(found + QString::fromUtf8(error_)));
  }

  void aCachedModelIsRead() {
    const QJsonObject inspected = run({"inspect", "--model", "tiny/flux"});
    QVERIFY2(code_ == 0, error_);
    QVERIFY(inspected["layers"].toArray().size() > 10);
  }

  void otherFoldersAreListedWhenNamed() {
    const QString parent = QString::fromStdString(kPipeline.parent_path().string());
    QVERIFY(entry("pipeline").isEmpty());
    QCOMPARE(entry("pipeline", {parent})["family"].toString(), QStringLiteral("flux"));
    QCOMPARE(entry("pipeline", {QString::fromStdString(kPipeline.string())})["family"].toString(), QStringLiteral("flux"));
  }

  void missingPartsAreNamed() {
    fs::remove(fs::canonical(path("hub/models--tiny--flux/snapshots/" + kOld + "/vae/diffusion_pytorch_model.safetensors")));
    const QJsonArray missing = entry("tiny/flux@" + QString::fromStdString(kOld))["missing"].toArray();
    QCOMPARE(missing.size(), 1);
    QVERIFY2(missing[0].toString().startsWith("vae is missing: "), qPrintable(missing[0].toString()));
  }

  // As it looks after interrupted downloads and by other hands; the models beside it are listed as ever.
  void aMessyCacheIsTold() {
    const auto hub = [&](const std::string& name) { return path("hub") / ("models--messy--" + name); };
    const auto write = [](const fs::path& file, const std::string& text) {
      fs::create_directories(file.parent_path());
      std::ofstream(file) << text;
    };
    cacheSnapshot(hub("half"), kNew);
    fs::remove_all(hub("half") / "snapshots" / kNew / "vae");
    write(hub("half") / "blobs/0123.incomplete", "abc");
    write(hub("half") / "refs/main", kNew);
    write(hub("begun") / "blobs/0123.incomplete", "abc");
    write(hub("gone") / "refs/main", kNew);
    cacheSnapshot(hub("dangling"), kNew);
    write(hub("dangling") / "refs/main", kNew);
    fs::remove(hub("dangling") / "snapshots" / kNew / "model_index.json");
    fs::create_symlink("../../blobs/nothing", hub("dangling") / "snapshots" / kNew / "model_index.json");
    cacheSnapshot(hub("loop"), kNew);
    fs::remove(hub("loop") / "snapshots" / kNew / "model_index.json");
    fs::create_symlink("model_index.json", hub("loop") / "snapshots" / kNew / "model_index.json");
    cacheSnapshot(hub("cut"), kNew);
    write(hub("cut") / "refs/main", kNew);
    fs::remove(hub("cut") / "snapshots" / kNew / "model_index.json");
    write(hub("cut") / "snapshots" / kNew / "model_index.json", "{\"_class_name\": ");
    write(path("hub") / "models--messy--file", "no folder");
    cacheSnapshot(hub("whole"), kNew);
    write(hub("whole") / "refs/main", kNew);
    write(hub("whole") / "blobs/0123.incomplete", "of another revision");

    const auto said = [&](const char* name) { return QJsonDocument(entry(QString("messy/") + name)["missing"].toArray()).toJson(); };
    QVERIFY2(said("half").contains("vae is missing"), said("half"));
    QVERIFY2(said("half").contains("interrupted (incomplete files: 1); go on with: quantspot-cli models download messy/half"), said("half"));
    QVERIFY2(said("begun").contains("interrupted"), said("begun"));
    QVERIFY2(said("gone").contains("refs/main names a snapshot that is not there"), said("gone"));
    QVERIFY2(said("dangling").contains("model_index.json: is a link to ../../blobs/nothing, which does not exist"), said("dangling"));
    const QByteArray loop = QJsonDocument(entry("messy/loop@" + QString::fromStdString(kNew))["missing"].toArray()).toJson();
    QVERIFY2(loop.contains("in a circle"), loop);
    QVERIFY2(said("cut").contains("is not valid JSON"), said("cut"));
    QVERIFY(!entry("messy/whole").isEmpty() && entry("messy/whole")["missing"].toArray().isEmpty());
    if (::geteuid() != 0) {
      fs::permissions(hub("whole"), fs::perms::none);
      QVERIFY2(said("whole").contains("permission denied"), said("whole"));
      fs::permissions(hub("whole"), fs::perms::owner_all);
    }
    for (const char* name : {"half", "begun", "gone", "dangling", "loop", "cut", "whole"}) fs::remove_all(hub(name));
  }

  void singleFilesAreModels() {
    const fs::path golden = QUANTSPOT_SOURCE_DIR "/tests/parity/golden";
    fs::create_symlink(golden / "single/sdxl.safetensors", path("models/whole.safetensors"));
    fs::create_symlink(golden / "single/comfy.gguf", path("models/unet.gguf"));
    fs::create_symlink(golden / "single/sd2_text.safetensors", path("models/text.safetensors"));   // no model
    const QJsonObject whole = entry("whole.safetensors");
    QCOMPARE(whole["family"].toString(), QStringLiteral("sdxl"));
    QCOMPARE(whole["missing"].toArray().size(), 2);   // the tokenizers
    QCOMPARE(entry("unet.gguf")["family"].toString(), QStringLiteral("sd"));
    QVERIFY(entry("text.safetensors").isEmpty());

    const QString parts = QString::fromStdString((golden / "sdxl_a/pipeline").string());
    const QJsonArray layers = run({"inspect", "--model", "whole.safetensors", "--parts", parts})["layers"].toArray();
    QVERIFY2(code_ == 0, error_);
    QCOMPARE(run({"inspect", "--model", "whole.safetensors?parts=" + parts})["layers"].toArray(), layers);
    // The same layers of the same sizes; the file's CLIP names begin with "text_model.", the folder's do not.
    const QJsonObject folder = run({"inspect", "--model", parts});
    QCOMPARE(folder["layers"].toArray().size(), layers.size());
    QCOMPARE(folder["bytes"], run({"inspect", "--model", "whole.safetensors", "--parts", parts})["bytes"]);
    run({"inspect", "--model", "whole.safetensors"});
    QVERIFY2(code_ == 1 && error_.contains("tokenizer_2 is missing") && error_.contains("--parts") && error_.count('\n') == 1, error_);
    for (const char* file : {"whole.safetensors", "unet.gguf", "text.safetensors"}) fs::remove(path(std::string("models/") + file));
  }

  // The whole way: a checkpoint in the original naming draws what its folder draws.
  void aSingleFileDrawsWhatItsFolderDraws() {
    const fs::path golden = QUANTSPOT_SOURCE_DIR "/tests/parity/golden";
    const QString parts = QString::fromStdString((golden / "sd_a/pipeline").string());
    const QStringList small = {"--prompt", "one pizza", "--precision", "bf16", "--steps", "2", "--width", "64", "--height", "64", "--threads", "1"};
    const QJsonObject folder = run(QStringList{"generate", "--model", parts, "--out", dir_.filePath("a.png")} + small);
    QVERIFY2(code_ == 0, error_);
    const QJsonObject file = run(QStringList{"generate", "--model", QString::fromStdString((golden / "single/sd.safetensors").string()), "--parts", parts, "--out",
                                             dir_.filePath("b.png")} + small);
    QVERIFY2(code_ == 0, error_);
    QCOMPARE(file["image_sha256"], folder["image_sha256"]);
  }

  void namesThatLeadNowhere_data() {
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("word");
    fs::create_symlink("loop", path("loop"));
    fs::create_directories(path("hub/models--gone--away/snapshots"));
    QTest::newRow("not fetched") << "nobody/nothing" << "quantspot-cli models download nobody/nothing";
    QTest::newRow("revision") << "tiny/flux@v2" << "--revision v2";
    QTest::newRow("circle") << QString::fromStdString(path("loop").string()) << "circle";
    QTest::newRow("empty folder of the cache") << QString::fromStdString(path("hub/models--gone--away").string()) << "holds no snapshot";
    std::ofstream(path("model.ckpt")) << "x";
    std::ofstream(path("notes.txt")) << "x";
    QTest::newRow("a pickle") << QString::fromStdString(path("model.ckpt").string()) << "is a pickle";
    QTest::newRow("a text") << QString::fromStdString(path("notes.txt").string()) << "is no model";
    QTest::newRow("parts of a folder") << "tiny/flux?parts=tiny/flux" << "goes with a single file";
    QTest::newRow("no name") << "nowhere" << "known: default, mine, tiny/flux";
  }
  void namesThatLeadNowhere() {
    QFETCH(QString, name);
    QFETCH(QString, word);
    run({"inspect", "--model", name});
    QCOMPARE(code_, 1);
    QVERIFY2(error_.contains(word.toUtf8()) && error_.count('\n') == 1, error_);
  }

  void downloadsComeThroughTheCommandLine() {
    const test::FakeHub hub({"good", "gated"});
    const QStringList endpoint = {"HF_ENDPOINT=" + QString::fromStdString(hub.endpoint()), "HF_TOKEN=right"};
    const QJsonObject done = run({"models", "download", "good/tiny"}, endpoint);
    QVERIFY2(code_ == 0, error_);
    QCOMPARE(done["name"].toString(), QStringLiteral("good/tiny"));
    QVERIFY(fs::exists(done["path"].toString().toStdString() + "/vae/diffusion_pytorch_model.safetensors"));
    QVERIFY(!entry("good/tiny")["missing"].toArray().isEmpty());
    QCOMPARE(run({"models", "download", "gated/tiny@pr/1", "--include", "*.json"}, endpoint)["license"].toString(), QStringLiteral("fake-licence"));
    run({"models", "download", "tiny"}, endpoint);
    QVERIFY2(code_ == 2 && error_.contains("owner/name"), error_);
    run({"models", "download", "nobody/tiny"}, endpoint);
    QVERIFY2(code_ == 1 && error_.contains("HTTP 404") && error_.count('\n') == 1, error_);
  }

  void downloadsComeThroughTheEngineAndAreCancelled() {
    const test::FakeHub hub({"slow"});
    test::EngineProcess engine(environment() + QStringList{"HF_ENDPOINT=" + QString::fromStdString(hub.endpoint())});
    const auto id = engine.send("models/download", {{"repo", "slow/tiny"}});
    engine.waitForProgress("download", 0);
    engine.call("cancel", {{"id", id}});
    const protocol::Reply cancelled = engine.replyTo(id);
    QVERIFY(cancelled.error && cancelled.error->code == protocol::Cancelled);
    const nlohmann::json done = engine.call("models/download", {{"repo", "slow/tiny"}});
    const test::JsonSchema schema(QUANTSPOT_SOURCE_DIR "/engine/protocol/schema.json");
    QCOMPARE(QString::fromStdString(schema.check(done, "DownloadResult")), QString());
    QVERIFY(done["fetched"].get<int>() <= done["bytes"].get<int>());
  }
};

QTEST_GUILESS_MAIN(ModelsTest)
#include "service_models_test.moc"
