// Weights of metrics through the real engine, from a hub on this machine: nothing before it is asked for, whole files, what broke off goes on.
#include "ui/models/metric_weights.h"

#include <QDir>
#include <QFile>
#include <QProcess>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace quantspot;
using namespace quantspot::ui;

namespace {

constexpr int kPatience = 120000;        // the machine may be shared

const QString kScores = QStringLiteral(QUANTSPOT_SOURCE_DIR "/tests/parity/golden/scores/");
const QString kName = QStringLiteral("clip-vit-base-patch32");

}  // namespace

class MetricWeightsTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;
  QProcess hub_;

  // A repository of that owner's name: fake_hub.py lets "slow" and others misbehave.
  bool publish(const QString& repo) {
    const QString at = folder_.filePath("hub/" + repo);
    if (!QDir().mkpath(at)) return false;
    for (const char* name : {"config.json", "preprocessor_config.json", "tokenizer.json", "tokenizer_config.json"})
      if (!QFile::copy(kScores + "clip/" + QLatin1String(name), at + u'/' + QLatin1String(name))) return false;
    return QFile::copy(kScores + "zip.pth", at + "/pytorch_model.bin");
  }
  bool isHere(MetricWeights& weights) {
    QSignalSpy listed(&weights, &MetricWeights::listed);
    weights.list();
    if (!QTest::qWaitFor([&] { return listed.count() == 1; }, kPatience)) return false;
    for (const auto& entry : weights.entries())
      if (entry.name == kName.toStdString()) return entry.installed;
    return false;
  }

 private Q_SLOTS:
  void initTestCase() {
    QVERIFY(publish(QStringLiteral("openai/clip-vit-base-patch32")));
    hub_.start(PYTHON3, {QStringLiteral(QUANTSPOT_SOURCE_DIR "/tests/engine/fake_hub.py"), folder_.filePath("hub")});
    QVERIFY(hub_.waitForReadyRead(20000));
    qputenv("HF_ENDPOINT", "http://127.0.0.1:" + hub_.readLine().trimmed());
    qputenv("HF_HUB_CACHE", folder_.filePath("cache").toUtf8());
    qputenv("QUANTSPOT_METRICS", folder_.filePath("metrics").toUtf8());
  }
  void cleanupTestCase() {
    hub_.kill();
    hub_.waitForFinished();
  }

  void theListFetchesNothing() {
    MetricWeights weights({QStringLiteral(REAL_ENGINE), {}});
    QVERIFY(!isHere(weights));
    QCOMPARE(weights.folder(), folder_.filePath("metrics"));
    QVERIFY(weights.entries().size() >= 8);
    for (const auto& entry : weights.entries())
      QVERIFY2(entry.bytes > 1'000'000 && !entry.license.empty() && !entry.purpose.empty(), entry.name.c_str());
    QVERIFY(!QFile::exists(folder_.filePath("metrics")) && !QFile::exists(folder_.filePath("cache")));
  }

  void oneComesWhenAsked() {
    MetricWeights weights({QStringLiteral(REAL_ENGINE), {}});
    QSignalSpy finished(&weights, &MetricWeights::finished), failed(&weights, &MetricWeights::failed);
    weights.download(kName);
    QCOMPARE(weights.downloading(), kName);
    weights.download(QStringLiteral("inception"));         // nothing happens: one runs
    QCOMPARE(weights.downloading(), kName);
    QVERIFY(QTest::qWaitFor([&] { return finished.count() + failed.count() == 1; }, kPatience));
    QVERIFY2(failed.isEmpty(), failed.isEmpty() ? "" : qPrintable(failed[0][0].toString()));
    QVERIFY(weights.downloading().isEmpty() && weights.statusText().isEmpty());
    QVERIFY(QFile::exists(folder_.filePath("metrics/clip-vit-base-patch32/model.safetensors")));
    QVERIFY(isHere(weights));
  }

  // A server that takes the call and never answers.
  void aDownloadIsCancelledThroughTheEngine() {
    const int silent = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET, address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    QVERIFY(::bind(silent, reinterpret_cast<sockaddr*>(&address), size) == 0 && ::listen(silent, 8) == 0);
    QVERIFY(::getsockname(silent, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    const QByteArray before = qgetenv("HF_ENDPOINT");
    qputenv("HF_ENDPOINT", "http://127.0.0.1:" + QByteArray::number(ntohs(address.sin_port)));
    MetricWeights weights({QStringLiteral(REAL_ENGINE), {}});
    QSignalSpy failed(&weights, &MetricWeights::failed);
    weights.download(QStringLiteral("clip-vit-large-patch14"));
    pollfd called{silent, POLLIN, 0};
    QVERIFY(QTest::qWaitFor([&] { return ::poll(&called, 1, 0) == 1; }, kPatience));   // the engine is at it
    weights.cancel();
    QVERIFY(QTest::qWaitFor([&] { return failed.count() == 1; }, kPatience));
    QCOMPARE(failed[0][0].toString(), QString());
    QVERIFY(weights.downloading().isEmpty());
    ::close(silent);
    qputenv("HF_ENDPOINT", before);
  }

  void aHubThatHasNoneSaysSo() {
    MetricWeights weights({QStringLiteral(REAL_ENGINE), {}});
    QSignalSpy failed(&weights, &MetricWeights::failed);
    weights.download(QStringLiteral("clip-vit-large-patch14"));
    QVERIFY(QTest::qWaitFor([&] { return failed.count() == 1; }, kPatience));
    QVERIFY2(failed[0][0].toString().contains(QStringLiteral("openai/clip-vit-large-patch14")), qPrintable(failed[0][0].toString()));
    QVERIFY(weights.downloading().isEmpty());
  }
};

QTEST_GUILESS_MAIN(MetricWeightsTest)
#include "metric_weights_test.moc"
