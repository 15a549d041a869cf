// What the experimenter sees of a study before its passphrase, also while another program holds the store.
#include "tests/study/sample_study.h"
#include "tests/study/store_holder.h"
#include "tests/ui/views/leaks.h"
#include "ui/models/study_list_model.h"
#include "ui/views/frozen_study_view.h"
#include "ui/views/study_progress_view.h"
#include "ui/views/unlock_panel.h"

#include <QElapsedTimer>
#include <QLineEdit>
#include <QPushButton>
#include <QTemporaryDir>
#include <QTest>

using namespace quantspot;
using namespace quantspot::study;
using namespace quantspot::views;

class StudyOpeningTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;

 private Q_SLOTS:
  // Another program holds the store: the page is there at once and says so, and fills when the store is free.
  void aLockedStoreHoldsNoPageUp() {
    const FrozenStudy study = sample::frozen();
    const QString file = folder_.filePath("studies.sqlite");
    { Ledger(file).addStudy(study); }
    auto holder = std::make_unique<sample::StoreHolder>(file);
    QElapsedTimer since;
    since.start();
    StudyProgressView view(file, study.hash());
    FrozenStudyView about(file, study.hash());
    ui::StudyListModel list(file, folder_.filePath("drafts"));
    list.reload();
    view.show(), about.show();
    view.unlock()->field()->setText(sample::kPassphrase);
    QTest::keyClick(view.unlock()->field(), Qt::Key_Return);
    QVERIFY2(since.elapsed() < 10000, qPrintable(QString::number(since.elapsed())));  // three would wait for five seconds each
    QVERIFY(!view.model()->isKnown() && !about.participant()->isEnabled() && list.rowCount() == 0);
    QTRY_VERIFY_WITH_TIMEOUT(about.said().contains("locked") && about.said().contains("Trying again"), 20000);
    holder.reset();
    QTRY_VERIFY_WITH_TIMEOUT(view.model()->isKnown() && about.participant()->isEnabled(), 30000);
    QVERIFY(saidBy(&view).join('\n').contains(study.protocol().title));
    QTRY_VERIFY_WITH_TIMEOUT(!view.model()->isBusy(), 30000);
    if (!view.model()->isUnlocked()) {                                 // the attempt of before may have met the lock
      view.unlock()->field()->setText(sample::kPassphrase);
      QTest::keyClick(view.unlock()->field(), Qt::Key_Return);
    }
    QTRY_VERIFY_WITH_TIMEOUT(view.model()->isUnlocked(), 30000);
  }

  void theDayUntilRecordsAreKeptIsSaid() {
    for (const bool passed : {false, true}) {
      Protocol p = sample::protocol();
      p.retention_until = passed ? "2020-01-31" : "2999-12-31";
      const FrozenStudy study = sample::frozen(p);
      const QString file = folder_.filePath(QStringLiteral("%1.sqlite").arg(passed));
      Ledger(file).addStudy(study);
      FrozenStudyView about(file, study.hash());
      QTRY_VERIFY_WITH_TIMEOUT(about.said().contains("Records are kept until " + p.retention_until), 30000);
      QCOMPARE(about.said().contains("That day has passed"), passed);
    }
  }
};

QTEST_MAIN(StudyOpeningTest)
#include "study_opening_test.moc"
