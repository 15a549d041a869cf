// Downloads from a hub that breaks, lies and refuses: what lands in the cache, and what the user is told.
#include "engine/hub/cache.h"
#include "engine/hub/download.h"
#include "engine/hub/http.h"
#include "tests/engine/fake_hub.h"

#include <QCryptographicHash>
#include <QTest>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <thread>

using namespace quantspot;
using quantspot::test::FakeHub;
namespace fs = std::filesystem;

namespace {

const QStringList kOwners = {"good", "broken", "noranges", "wrong", "gated", "secret", "closed", "busy", "jammed", "slow", "evil", "huge", "real", "moved"};
constexpr const char* kWeights = "vae/diffusion_pytorch_model.safetensors";

QByteArray contentOf(const fs::path& path) {
  QFile file(QString::fromStdString(path.string()));
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray("(none)");
}

}  // namespace

class HubDownloadTest : public QObject {
  Q_OBJECT
  std::unique_ptr<FakeHub> hub_;
  std::unique_ptr<QTemporaryDir> cache_;

  hub::HubSettings settings(const std::string& token = {}) const { return {cache_->path().toStdString(), hub_->endpoint(), token, false}; }
  hub::DownloadOptions options(const std::string& owner) const { return {.repo = {owner + "/tiny"}, .attempts = 3, .pauseMs = 1}; }
  QString errorOf(const hub::DownloadOptions& wanted, const std::string& token = {}) const {
    try {
      hub::download(settings(token), wanted);
      return {};
    } catch (const std::exception& error) {
      return QString::fromUtf8(error.what());
    }
  }
  nlohmann::json requests(const std::string& part) const {
    nlohmann::json found = nlohmann::json::array();
    for (const auto& entry : nlohmann::json::parse(hub::perform({.url = hub_->endpoint() + "/log", .headers = {}}).body))
      if (entry["path"].get<std::string>().find(part) != std::string::npos) found.push_back(entry);
    return found;
  }
  fs::path blobs(const std::string& owner) const { return hub::Cache(settings().cache).folder(owner + "/tiny") / "blobs"; }

 private Q_SLOTS:
  void initTestCase() { hub_ = std::make_unique<FakeHub>(kOwners); }
  void init() { cache_ = std::make_unique<QTemporaryDir>(); }

  void theCacheIsLaidOutAsPythonLaysIt() {
    const hub::DownloadResult result = hub::download(settings(), options("good"));
    QCOMPARE(result.files, std::size_t{4});   // neither the variant, nor .bin, nor the single file
    QCOMPARE(result.commit, std::string(FakeHub::kCommit));
    const fs::path folder = cache_->path().toStdString() + "/models--good--tiny";
    QCOMPARE(result.snapshot, folder / "snapshots" / FakeHub::kCommit);
    QCOMPARE(contentOf(folder / "refs/main"), QByteArray(FakeHub::kCommit));
    const QByteArray hash = QCryptographicHash::hash(FakeHub::weights(30000), QCryptographicHash::Sha256).toHex();
    QCOMPARE(fs::read_symlink(result.snapshot / kWeights), fs::path("../../../blobs") / hash.toStdString());
    QCOMPARE(contentOf(result.snapshot / kWeights), FakeHub::weights(30000));
    QCOMPARE(contentOf(result.snapshot / "transformer/a name.safetensors"), FakeHub::weights(20000));
    QVERIFY(fs::exists(cache_->path().toStdString() + "/.locks/models--good--tiny/" + hash.toStdString() + ".lock"));
    QVERIFY(!fs::exists(result.snapshot / "whole.safetensors"));
    QCOMPARE(hub::Cache(settings().cache).snapshot({"good/tiny", "main"}), result.snapshot);
  }

  // Relative redirects to the small files' cache, an ETag that is weak and one that is the storage's, headers of Xet, a repository that was renamed.
  void answersOfTheRealHub_data() {
    QTest::addColumn<QString>("owner");
    QTest::newRow("real") << "real";
    QTest::newRow("renamed") << "moved";
  }
  void answersOfTheRealHub() {
    QFETCH(QString, owner);
    const std::size_t stored = requests("storage/real").size(), small = requests("resolve-cache").size();
    const hub::DownloadResult result = hub::download(settings("right"), options(owner.toStdString()));
    QCOMPARE(result.commit, std::string(FakeHub::kCommit));
    QCOMPARE(contentOf(result.snapshot / kWeights), FakeHub::weights(30000));
    const QByteArray hash = QCryptographicHash::hash(FakeHub::weights(30000), QCryptographicHash::Sha256).toHex();
    QCOMPARE(fs::read_symlink(result.snapshot / kWeights).filename(), fs::path(hash.toStdString()));
    QCOMPARE(contentOf(result.snapshot / "vae/config.json"), QByteArray("{}"));
    const QByteArray git = QCryptographicHash::hash(QByteArray("blob 2\0{}", 9), QCryptographicHash::Sha1).toHex();
    QCOMPARE(fs::read_symlink(result.snapshot / "vae/config.json").filename(), fs::path(git.toStdString()));
    const auto storage = requests("storage/real"), cached = requests("resolve-cache");
    QVERIFY(storage.size() > stored && cached.size() > small);
    for (std::size_t i = stored; i < storage.size(); ++i) QVERIFY(storage[i]["token"].is_null());   // another host learns no token
    for (std::size_t i = small; i < cached.size(); ++i) QCOMPARE(cached[i]["token"].get<std::string>(), std::string("Bearer right"));
  }

  void whatIsThereIsNotFetchedAgain() {
    hub::download(settings(), options("good"));
    const auto before = requests("storage/good").size();
    const hub::DownloadResult again = hub::download(settings(), options("good"));
    QCOMPARE(requests("storage/good").size(), before);
    QCOMPARE(again.fetched, std::uint64_t{0});
    QVERIFY(again.bytes > 50000);
  }

  void globsChooseFiles() {
    auto wanted = options("good");
    wanted.include = {"*.fp16.safetensors", "whole*"};
    const hub::DownloadResult result = hub::download(settings(), wanted);
    QCOMPARE(result.files, std::size_t{2});
    QVERIFY(fs::exists(result.snapshot / "whole.safetensors"));
    wanted.include = {"*.gguf"};
    QVERIFY2(errorOf(wanted).contains("none of its 7 files"), qPrintable(errorOf(wanted)));
  }

  void revisionsLieSideBySide() {
    auto wanted = options("good");
    wanted.repo.revision = "pr/1";
    const auto result = hub::download(settings(), wanted);
    QCOMPARE(hub::Cache(settings().cache).snapshot({"good/tiny", "pr/1"}), result.snapshot);
    QVERIFY_THROWS_EXCEPTION(hub::HubError, hub::Cache(settings().cache).snapshot({"good/tiny", "main"}));
    wanted.repo.revision = FakeHub::kCommit;
    QCOMPARE(hub::download(settings(), wanted).fetched, std::uint64_t{0});
    wanted.repo.revision = "none";
    QVERIFY2(errorOf(wanted).contains("no revision 'none'"), qPrintable(errorOf(wanted)));
  }

  void aBrokenConnectionGoesOnWhereItEnded() {
    const auto result = hub::download(settings(), options("broken"));
    QCOMPARE(contentOf(result.snapshot / kWeights), FakeHub::weights(30000));
    const auto asked = requests("storage/broken/tiny/vae");
    QCOMPARE(asked.size(), std::size_t{3});
    QVERIFY(asked[0]["range"].is_null());
    QCOMPARE(asked[1]["range"].get<std::string>(), std::string("bytes=10000-"));
    QCOMPARE(asked[2]["range"].get<std::string>(), std::string("bytes=20000-"));
    QCOMPARE(result.fetched, result.bytes);
  }

  void aServerWithoutRangesSendsItAllAgain() {
    std::uint64_t done = 0, total = 0;
    auto wanted = options("noranges");
    wanted.progress = [&](const hub::DownloadProgress& progress) {
      done = progress.bytes;
      total = progress.total;
    };
    const auto result = hub::download(settings(), wanted);
    QCOMPARE(contentOf(result.snapshot / kWeights), FakeHub::weights(30000));
    QVERIFY(result.fetched > result.bytes);
    QCOMPARE(done, total);
  }

  void aWrongHashIsDeletedAndTold() {
    const QString error = errorOf(options("wrong"));
    QVERIFY2(error.contains("SHA-256") && error.contains(".safetensors"), qPrintable(error));
    QVERIFY(!fs::exists(hub::Cache(settings().cache).folder("wrong/tiny") / "refs/main"));
    for (const auto& entry : fs::recursive_directory_iterator(cache_->path().toStdString()))
      QVERIFY2(!entry.path().string().ends_with(".safetensors"), entry.path().c_str());
  }

  void refusalsSayWhatToDo_data() {
    QTest::addColumn<QString>("owner");
    QTest::addColumn<QString>("token");
    QTest::addColumn<QStringList>("words");
    QTest::newRow("gated") << "gated" << "" << QStringList{"gated/tiny is gated", "fake-licence", "HTTP 401", "/gated/tiny", "HF_TOKEN"};
    QTest::newRow("gated, wrong token") << "gated" << "left" << QStringList{"this token has no access", "/gated/tiny"};
    QTest::newRow("gated, right token") << "gated" << "right" << QStringList{};
    QTest::newRow("private") << "secret" << "" << QStringList{"HTTP 401", "private", "HF_TOKEN"};
    QTest::newRow("private, wrong token") << "secret" << "left" << QStringList{"HTTP 401", "was refused"};
    QTest::newRow("private, right token") << "secret" << "right" << QStringList{};
    QTest::newRow("forbidden") << "closed" << "left" << QStringList{"HTTP 403", "/closed/tiny"};
    QTest::newRow("not there") << "nobody" << "" << QStringList{"HTTP 404", "nobody/tiny"};
    QTest::newRow("busy, then well") << "busy" << "" << QStringList{};
    QTest::newRow("too busy") << "jammed" << "" << QStringList{"HTTP 429", "for 1000 s"};
    QTest::newRow("climbing names") << "evil" << "" << QStringList{"impossible name"};
    QTest::newRow("no room") << "huge" << "" << QStringList{"GiB", "has room for", "HF_HUB_CACHE"};
  }
  void refusalsSayWhatToDo() {
    QFETCH(QString, owner);
    QFETCH(QString, token);
    QFETCH(QStringList, words);
    const QString error = errorOf(options(owner.toStdString()), token.toStdString());
    QVERIFY2(error.isEmpty() == words.isEmpty(), qPrintable(error));
    for (const QString& word : words) QVERIFY2(error.contains(word), qPrintable(error));
    QVERIFY(!error.contains('\n'));
    QVERIFY(token.isEmpty() || !error.contains(token));
  }

  void theTokenStaysWithTheHub() {
    hub::download(settings("right"), options("secret"));
    int own = 0, storage = 0;
    for (const auto& asked : requests("secret/tiny")) {
      const bool sent = asked["token"] == "Bearer right", elsewhere = asked["path"].get<std::string>().starts_with("/storage");
      QVERIFY(!(sent && elsewhere));
      own += sent;
      storage += elsewhere;
    }
    QVERIFY(own > 4 && storage >= 2);
  }

  void noServerAndNoNetworkAtAll() {
    hub::HubSettings nowhere = settings();
    nowhere.endpoint = "http://127.0.0.1:9";
    QVERIFY_THROWS_EXCEPTION(hub::ConnectionError, hub::download(nowhere, options("good")));
    nowhere.offline = true;
    QVERIFY_THROWS_EXCEPTION(hub::HubError, hub::download(nowhere, options("good")));
  }

  void cancellingKeepsWhatCame() {
    std::atomic<bool> cancel = false;
    auto wanted = options("slow");
    wanted.cancel = &cancel;
    wanted.include = {kWeights};
    wanted.progress = [&](const hub::DownloadProgress& progress) { cancel = progress.bytes >= 4096; };
    QVERIFY_THROWS_EXCEPTION(hub::Cancelled, hub::download(settings(), wanted));
    std::uintmax_t kept = 0;
    for (const auto& entry : fs::directory_iterator(blobs("slow")))
      if (entry.path().extension() == ".incomplete") kept += entry.file_size();
    QVERIFY(kept >= 4096 && kept < 30000);
    wanted.cancel = nullptr;
    wanted.progress = {};
    const auto result = hub::download(settings(), wanted);
    QCOMPARE(result.fetched, 30000 - kept);
    QCOMPARE(contentOf(result.snapshot / kWeights), FakeHub::weights(30000));
  }

  void aLockOfAnotherProgramIsWaitedFor() {
    const auto done = hub::download(settings(), options("good"));
    const fs::path blob = fs::canonical(done.snapshot / kWeights), lock = cache_->path().toStdString() + "/.locks/models--good--tiny/" + blob.filename().string() + ".lock";
    fs::remove(done.snapshot / kWeights);
    const int held = ::open(lock.c_str(), O_RDWR);
    QVERIFY(held >= 0 && ::flock(held, LOCK_EX) == 0);
    std::atomic<bool> finished = false;
    std::jthread other([&] {
      hub::download(settings(), options("good"));
      finished = true;
    });
    QTest::qWait(300);
    QVERIFY(!finished);
    ::close(held);
    other.join();
    QCOMPARE(contentOf(done.snapshot / kWeights), FakeHub::weights(30000));
  }
};

QTEST_GUILESS_MAIN(HubDownloadTest)
#include "hub_download_test.moc"
