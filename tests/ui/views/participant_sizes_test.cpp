// Every page of the participant's window at every scaling that a screen may have: nothing is cut off, targets are large.
#include "tests/ui/views/participant_bench.h"
#include "ui/views/image_grid.h"
#include "ui/views/plate_page.h"
#include "ui/views/theme.h"

#include <QScrollArea>
#include <QScrollBar>

using namespace quantspot;
using namespace quantspot::views;
using namespace sample;

namespace {

// Texts of visible labels and buttons that are cut off: smaller than what they hold, or beyond the page (or what it scrolls).
QStringList cutOff(const QWidget& window) {
  QStringList cut;
  for (const QWidget* widget : window.findChildren<QWidget*>()) {
    const auto* label = qobject_cast<const QLabel*>(widget);
    const auto* button = qobject_cast<const QAbstractButton*>(widget);
    const QString text = label ? label->text() : button ? button->text() : QString();
    if (!widget->isVisible() || text.isEmpty()) continue;
    const QWidget* page = &window;
    for (const QWidget* above = widget->parentWidget(); above && above != &window; above = above->parentWidget())
      if (const auto* scroll = qobject_cast<const QScrollArea*>(above)) {
        page = scroll->widget();
        break;
      }
    const QRect place(widget->mapTo(page, QPoint()), widget->size());
    const QSize hint = widget->sizeHint();
    const bool wraps = label && label->wordWrap();
    const int height = wraps ? label->heightForWidth(label->width()) : hint.height();
    const bool narrow = !wraps && widget->width() < std::min(hint.width(), widget->minimumSizeHint().width());
    if (!page->rect().contains(place) || narrow || widget->height() < height)
      cut << QStringLiteral("“%1” %2 × %3 at %4, %5; wants %6 × %7").arg(text).arg(widget->width()).arg(widget->height()).arg(place.x())
                 .arg(place.y()).arg(hint.width()).arg(height);
    if (button && button->property("large").toBool() && button->height() < 44) cut << QStringLiteral("“%1” is too low").arg(text);
  }
  return cut;
}

}  // namespace

class ParticipantSizesTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  // Sizes in points: 300 % of 3840 × 2160, 150 % of 1280 × 800, and the least that trials take.
  void everyStageFits_data() {
    QTest::addColumn<QSize>("size");
    QTest::addColumn<bool>("dark");
    for (const QSize size : {QSize(1280, 720), QSize(853, 533), QSize(800, 520)})
      for (const bool dark : {false, true})
        QTest::addRow("%d × %d, %s", size.width(), size.height(), dark ? "dark" : "light") << size << dark;
  }
  void everyStageFits() {
    QFETCH(QSize, size);
    QFETCH(bool, dark);
    applyTheme(*qApp, dark);
    Protocol p = everyKind(1);
    p.colour_plates = 1;
    Bench bench(p);
    bench.window.resize(size);
    QSet<Stage> seen;
    QString cut;
    const auto fits = [&] {
      QCoreApplication::processEvents();
      seen << bench.session.stage();
      const QStringList lines = cutOff(bench.window);
      cut = QStringLiteral("stage %1: %2").arg(static_cast<int>(bench.session.stage())).arg(lines.join(u'\n'));
      return lines.isEmpty();
    };
    QVERIFY2(fits(), qPrintable(cut));
    QTest::keyClicks(bench.window.card()->field(), kPassphrase);
    bench.key(Qt::Key_Return);
    QVERIFY2(fits(), qPrintable(cut));
    bench.key(Qt::Key_F2);                                             // where a code is asked for
    QVERIFY2(fits(), qPrintable(cut));
    bench.key(Qt::Key_Escape), bench.key(Qt::Key_Return);
    QVERIFY2(fits(), qPrintable(cut));
    bench.key(Qt::Key_Return, Qt::ControlModifier);
    QVERIFY(QTest::qWaitFor([&] { return !bench.session.isBusy(); }));
    QVERIFY2(fits(), qPrintable(cut));
    bench.key(Qt::Key_Space), bench.key(Qt::Key_Return, Qt::ControlModifier);
    QVERIFY(QTest::qWaitFor([&] { return !bench.session.isBusy(); }));
    while (bench.session.stage() == Stage::Plates) {
      QVERIFY2(fits(), qPrintable(cut));
      QVERIFY2(std::min(bench.window.plates()->plate()->height(), bench.window.plates()->plate()->width()) >= 240, "the plate has no room");
      bench.key(Qt::Key_7), bench.key(Qt::Key_Return);
      QVERIFY(QTest::qWaitFor([&] { return !bench.session.isBusy(); }));
    }
    while (bench.session.stage() != Stage::After) {
      while (bench.session.stage() == Stage::Break || bench.session.stage() == Stage::Feedback) {
        QVERIFY2(fits(), qPrintable(cut));
        bench.key(Qt::Key_Return);
      }
      QVERIFY(bench.openTrial());
      QVERIFY2(fits(), qPrintable(cut));
      QVERIFY2(bench.window.trial()->grid()->height() >= 120, "the pictures have no room");
      if (!seen.contains(Stage::Paused)) {
        bench.key(Qt::Key_P);
        QVERIFY2(fits(), qPrintable(cut));
        bench.key(Qt::Key_Return);
        QVERIFY(bench.openTrial());
      }
      bench.answerByKeys();
      QVERIFY(QTest::qWaitFor([&] { return !bench.session.isBusy() && bench.session.stage() != Stage::Blank; }));
    }
    QVERIFY2(fits(), qPrintable(cut));
    bench.session.submit({{"hard", 1}});
    QVERIFY(QTest::qWaitFor([&] { return bench.session.stage() == Stage::Thanks; }));
    QVERIFY2(fits(), qPrintable(cut));
    for (const Stage stage : {Stage::Locked, Stage::Welcome, Stage::Consent, Stage::Before, Stage::Plates, Stage::Break, Stage::Trial,
                              Stage::Feedback, Stage::Paused, Stage::After, Stage::Thanks})
      QVERIFY2(seen.contains(stage), qPrintable(QString::number(static_cast<int>(stage))));
    applyTheme(*qApp, false);
  }

  // 300 % of 1280 × 800: the experimenter is told, and everything can be reached by scrolling.
  void aScreenThatIsTooSmallIsSaidAndScrolls() {
    QVERIFY(ParticipantWindow::roomNotice({1280, 720}).isEmpty() && ParticipantWindow::roomNotice({800, 520}).isEmpty());
    const QString notice = ParticipantWindow::roomNotice({427, 267});
    QVERIFY2(notice.contains("427 × 267") && notice.contains("800 × 520") && notice.contains("smaller scaling"), qPrintable(notice));
    Bench bench;
    QVERIFY(bench.start());
    bench.window.resize(427, 267);
    QCoreApplication::processEvents();
    QCOMPARE(bench.window.size(), QSize(427, 267));
    QVERIFY2(cutOff(bench.window).isEmpty(), qPrintable(cutOff(bench.window).join(u'\n')));
    QScrollArea* room = nullptr;
    for (QWidget* widget = bench.window.trial(); widget && !room; widget = widget->parentWidget()) room = qobject_cast<QScrollArea*>(widget);
    QVERIFY(room && room->verticalScrollBar()->isVisible() && room->horizontalScrollBar()->isVisible());
    for (QAbstractButton* button : bench.window.trial()->findChildren<QAbstractButton*>()) {
      if (!button->isVisible()) continue;
      room->ensureWidgetVisible(button, 0, 0);
      const QRect place(button->mapTo(room->viewport(), QPoint()), button->size());
      QVERIFY2(room->viewport()->rect().intersects(place), qPrintable(button->text()));
    }
  }

  void largeLettersFit_data() {
    QTest::addColumn<double>("scale");
    for (double scale : {1.0, 2.0, 3.0}) QTest::addRow("%.0f %%", scale * 100) << scale;
  }
  void largeLettersFit() {
    QFETCH(double, scale);
    const QFont normal = QApplication::font();
    QFont large = normal;
    large.setPointSizeF(normal.pointSizeF() * scale);
    for (const bool dark : {false, true}) {
      applyTheme(*qApp, dark);
      QApplication::setFont(large);
      Bench bench;
      bench.window.resize(static_cast<int>(1280 * std::max(1.0, scale * 0.75)), static_cast<int>(800 * std::max(1.0, scale * 0.75)));
      QVERIFY(bench.start());
      QCoreApplication::processEvents();
      for (QAbstractButton* button : bench.window.findChildren<QAbstractButton*>()) {
        if (!button->isVisible()) continue;
        const QRect place(button->mapTo(&bench.window, QPoint()), button->size());
        QVERIFY2(bench.window.rect().contains(place), qPrintable(button->text()));
        if (button->property("large").toBool())
          QVERIFY2(button->height() >= 44 && button->width() >= button->minimumSizeHint().width(), qPrintable(button->text()));
      }
      const QImage shot = bench.window.trial()->grid()->grab().toImage();
      QCOMPARE(shot.pixelColor(2, 2), QColor(119, 119, 119));
    }
    QApplication::setFont(normal);
    applyTheme(*qApp, false);
  }
};

QTEST_MAIN(ParticipantSizesTest)
#include "participant_sizes_test.moc"
