// A model comes while comparisons go on; what goes wrong is told in the engine's words.
#include "tests/ui/fake_engine.h"
#include "ui/models/model_download.h"

#include <QSignalSpy>
#include <QTest>

using namespace quantspot;
using namespace quantspot::ui;

class ModelDownloadTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void aModelComes() {
    ModelDownload download(fakeEngine({QStringLiteral("--slow=20")}));
    QSignalSpy finished(&download, &ModelDownload::finished);
    download.start(QStringLiteral(" some/model "), QStringLiteral("main"), QStringLiteral("*.json, vae/*"));
    QVERIFY(download.isRunning());
    QTRY_VERIFY(download.fraction() > 0);
    QVERIFY2(download.statusText().endsWith(QStringLiteral("of 4\u2009MiB")), qPrintable(download.statusText()));
    QTRY_COMPARE(finished.count(), 1);
    QCOMPARE(finished[0][0].value<protocol::DownloadResult>().path, std::string("/cache/some/model"));
    QVERIFY(!download.isRunning() && download.statusText().isEmpty());
  }

  void aGatedModelSaysWhatToDo() {
    ModelDownload download(fakeEngine());
    QSignalSpy failed(&download, &ModelDownload::failed);
    download.start(QStringLiteral("gated/model"), {}, {});
    QTRY_COMPARE(failed.count(), 1);
    QVERIFY(failed[0][0].toString().contains(QStringLiteral("HF_TOKEN")));
  }

  void itCanBeCancelledAndBegunAgain() {
    ModelDownload download(fakeEngine({QStringLiteral("--slow=60")}));
    QSignalSpy failed(&download, &ModelDownload::failed), finished(&download, &ModelDownload::finished);
    download.start(QStringLiteral("some/model"), {}, {});
    QTRY_VERIFY(download.fraction() > 0);
    download.cancel();
    QTRY_COMPARE(failed.count(), 1);
    QCOMPARE(failed[0][0].toString(), QString());
    download.start(QStringLiteral("some/model"), {}, {});
    QTRY_COMPARE(finished.count(), 1);
  }
};

QTEST_GUILESS_MAIN(ModelDownloadTest)
#include "model_download_test.moc"
