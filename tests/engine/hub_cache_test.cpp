// What is read of a cache and of the environment; nothing here uses a network.
#include "engine/hub/cache.h"

#include <QTemporaryDir>
#include <QTest>

#include <fstream>

using namespace quantspot::hub;
namespace fs = std::filesystem;

namespace {

const std::string kOld(40, 'a'), kNew(40, 'b');

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

QString errorOf(const Cache& cache, const RepoName& name) {
  try {
    cache.snapshot(name);
    return {};
  } catch (const HubError& error) {
    return QString::fromUtf8(error.what());
  }
}

}  // namespace

class HubCacheTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void cleanup() {
    for (const char* name : {"HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME", "HF_ENDPOINT", "HF_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE"}) qunsetenv(name);
    qputenv("HOME", "/home/someone");
  }
  void init() { cleanup(); }

  void namesOfRepositories_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("repo");
    QTest::addColumn<QString>("revision");
    QTest::newRow("plain") << "black-forest-labs/FLUX.1-dev" << "black-forest-labs/FLUX.1-dev" << "main";
    QTest::newRow("revision") << "a/b@v1.0" << "a/b" << "v1.0";
    QTest::newRow("pull request") << "a/b@refs/pr/1" << "a/b" << "refs/pr/1";
    for (const char* wrong : {"b", "/a/b", "a/b/c", "a/", "../b", "a/..", "a b/c", "a/b@", "a/b@../x", "a--x/b", "models/flux.gguf/", "./a/b"})
      QTest::newRow(wrong) << wrong << "" << "";
  }
  void namesOfRepositories() {
    QFETCH(QString, text);
    QFETCH(QString, repo);
    QFETCH(QString, revision);
    const auto name = parseRepo(text.toStdString());
    QCOMPARE(name.has_value(), !repo.isEmpty());
    if (name) QCOMPARE(*name, (RepoName{repo.toStdString(), revision.toStdString()}));
  }

  void theEnvironmentDecidesAsForPython() {
    QCOMPARE(settingsFromEnvironment().cache, fs::path("/home/someone/.cache/huggingface/hub"));
    QCOMPARE(settingsFromEnvironment().endpoint, std::string("https://huggingface.co"));
    qputenv("XDG_CACHE_HOME", "/x");
    QCOMPARE(settingsFromEnvironment().cache, fs::path("/x/huggingface/hub"));
    qputenv("HF_HOME", "~/hf");
    QCOMPARE(settingsFromEnvironment().cache, fs::path("/home/someone/hf/hub"));
    qputenv("HF_HUB_CACHE", "/c");
    qputenv("HF_ENDPOINT", "https://mirror.example/");
    QCOMPARE(settingsFromEnvironment().cache, fs::path("/c"));
    QCOMPARE(settingsFromEnvironment().endpoint, std::string("https://mirror.example"));
    qputenv("HF_HUB_OFFLINE", "true");
    QVERIFY(settingsFromEnvironment().offline);
  }

  void theTokenIsThatOfTheVariableOrTheFile() {
    QTemporaryDir home;
    qputenv("HF_HOME", home.path().toUtf8());
    QCOMPARE(settingsFromEnvironment().token, std::string());
    write(home.filePath("token").toStdString(), "  from_file\n");
    QCOMPARE(settingsFromEnvironment().token, std::string("from_file"));
    qputenv("HF_TOKEN", "from_variable");
    QCOMPARE(settingsFromEnvironment().token, std::string("from_variable"));
  }

  void snapshotsAreFoundByRevision() {
    QTemporaryDir dir;
    const Cache cache(dir.path().toStdString());
    QVERIFY(cache.snapshots().empty());
    QVERIFY2(errorOf(cache, {"a/b"}).contains("quantspot-cli models download a/b"), qPrintable(errorOf(cache, {"a/b"})));
    const fs::path folder = cache.folder("a/b");
    write(folder / "snapshots" / kOld / "model_index.json", "{}");
    write(folder / "snapshots" / kNew / "model_index.json", "{}");
    write(folder / "refs/main", kNew + "\n");
    write(folder / "refs/refs/pr/1", std::string(40, 'c'));
    write(cache.root() / "datasets--a--b/refs/main", kNew);
    const auto all = cache.snapshots();
    QCOMPARE(all.size(), std::size_t{2});
    QCOMPARE(all[0].revision, std::string("main"));
    QCOMPARE(all[1].revision, kOld);
    QCOMPARE(cache.snapshot({"a/b"}), folder / "snapshots" / kNew);
    QCOMPARE(cache.snapshot({"a/b", kOld}), folder / "snapshots" / kOld);
    QVERIFY(errorOf(cache, {"a/b", "v2"}).contains("not in the cache, but: main, " + QString::fromStdString(kOld)));
    QVERIFY(errorOf(cache, {"a/b", "refs/pr/1"}).contains("is gone"));
  }

  void linksInACircleEndNowhere() {
    QTemporaryDir dir;
    const Cache cache(dir.path().toStdString());
    const fs::path folder = cache.folder("a/b");
    fs::create_directories(folder / "snapshots");
    fs::create_symlink(kNew, folder / "snapshots" / kNew);
    write(folder / "refs/main", kNew);
    fs::create_symlink("loop", folder / "refs/loop");
    QVERIFY2(errorOf(cache, {"a/b"}).contains("is gone"), qPrintable(errorOf(cache, {"a/b"})));
  }
};

QTEST_GUILESS_MAIN(HubCacheTest)
#include "hub_cache_test.moc"
