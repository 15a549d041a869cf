// Single files by their address, from a server that breaks, lies and refuses.
#include "engine/hub/http.h"
#include "engine/hub/url_fetch.h"
#include "tests/engine/fake_hub.h"

#include <QCryptographicHash>
#include <QTest>

#include <fstream>
#include <thread>

using namespace quantspot;
using quantspot::test::FakeHub;
namespace fs = std::filesystem;

class HubUrlTest : public QObject {
  Q_OBJECT
  FakeHub server_{{"good", "broken", "noranges", "slow"}};
  QTemporaryDir folder_;
  const std::string hash_ = QCryptographicHash::hash(FakeHub::weights(30000), QCryptographicHash::Sha256).toHex().toStdString();

  hub::UrlFetch fetch(const std::string& owner, const std::string& sha256) const {
    return {.url = server_.endpoint() + "/storage/" + owner + "/tiny/vae/diffusion_pytorch_model.safetensors",
            .path = folder_.filePath("file").toStdString(), .sha256 = sha256,
            .attempts = 3, .pauseMs = 1};
  }
  QByteArray content(const char* name) const {
    QFile file(folder_.filePath(name));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray("(none)");
  }

 private Q_SLOTS:
  void init() {
    QFile::remove(folder_.filePath("file"));
    QFile::remove(folder_.filePath("file.part"));
  }

  void filesComeWhole_data() {
    QTest::addColumn<QString>("owner");
    QTest::newRow("at once") << "good";
    QTest::newRow("in pieces") << "broken";
    QTest::newRow("broken, then anew") << "noranges";
  }
  void filesComeWhole() {
    QFETCH(QString, owner);
    auto one = fetch(owner.toStdString(), hash_.substr(0, 8));
    std::uint64_t told = 0;
    one.progress = [&](std::uint64_t bytes, std::uint64_t) { told = bytes; };
    hub::fetchUrl(one);
    QCOMPARE(content("file"), FakeHub::weights(30000));
    QCOMPARE(told, std::uint64_t{30000});
    QVERIFY(!QFile::exists(folder_.filePath("file.part")));
  }

  void whatIsThereIsNotFetched() {
    std::ofstream(folder_.filePath("file").toStdString()) << "mine";
    hub::fetchUrl(fetch("nobody", "00"));
    QCOMPARE(content("file"), QByteArray("mine"));
  }

  void anEarlierTryIsContinued() {
    std::ofstream(folder_.filePath("file.part").toStdString(), std::ios::binary).write(FakeHub::weights(30000).constData(), 12345);
    hub::fetchUrl(fetch("good", hash_));
    QCOMPARE(content("file"), FakeHub::weights(30000));
  }

  void aWrongHashIsNotKept() {
    try {
      hub::fetchUrl(fetch("good", "0000"));
      QFAIL("nothing was thrown");
    } catch (const hub::HubError& error) {
      QVERIFY2(QString(error.what()).contains("SHA-256"), error.what());
    }
    QVERIFY(!QFile::exists(folder_.filePath("file")) && !QFile::exists(folder_.filePath("file.part")));
  }

  void refusalsSayWhereTheFileBelongs() {
    auto one = fetch("good", "");
    one.url = server_.endpoint() + "/nowhere";
    try {
      hub::fetchUrl(one);
      QFAIL("nothing was thrown");
    } catch (const hub::HubError& error) {
      QVERIFY2(QString(error.what()).contains("404") && QString(error.what()).contains(folder_.filePath("file")), error.what());
    }
    one.url = "http://127.0.0.1:1/x";
    QVERIFY_EXCEPTION_THROWN(hub::fetchUrl(one), hub::ConnectionError);
  }

  // A disk that refuses: through libcurl, which is C, an exception would pass without closing the connection.
  void whatTheReceiverThrowsComesBack() {
    const auto descriptors = [] { return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()); };
    hub::HttpRequest request{.url = fetch("good", "").url, .headers = {}};
    request.write = [](int, const char*, std::size_t) -> bool { throw std::out_of_range("no room"); };
    QVERIFY_EXCEPTION_THROWN(hub::perform(request), std::out_of_range);
    const auto before = descriptors();
    for (int i = 0; i < 3; ++i) QVERIFY_EXCEPTION_THROWN(hub::perform(request), std::out_of_range);
    QCOMPARE(descriptors(), before);
  }

  void cancellingStopsIt() {
    std::atomic<bool> cancel = false;
    auto one = fetch("slow", hash_);
    one.cancel = &cancel;
    std::thread stopper([&] { std::this_thread::sleep_for(std::chrono::milliseconds(150)); cancel = true; });
    QVERIFY_EXCEPTION_THROWN(hub::fetchUrl(one), hub::Cancelled);
    stopper.join();
    QVERIFY(!QFile::exists(folder_.filePath("file")));
  }
};

QTEST_GUILESS_MAIN(HubUrlTest)
#include "hub_url_test.moc"
