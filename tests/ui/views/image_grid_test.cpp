// The pictures: one transform for all, honest pixels, and nothing to read off before the reveal.
#include "ui/views/image_difference.h"
#include "ui/views/image_grid.h"
#include "ui/views/theme.h"

#include <QDragEnterEvent>
#include <QMimeData>
#include <QPainter>
#include <QSet>
#include <QSignalSpy>
#include <QTest>
#include <QWheelEvent>

using namespace quantspot::views;
using Mode = ImageGrid::Mode;

namespace {

// Black and white squares of one pixel; every other colour in a rendering of it was made up by interpolation.
QImage checkers(int size = 64) {
  QImage image(size, size, QImage::Format_RGB888);
  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size; ++x) image.setPixelColor(x, y, (x + y) % 2 ? Qt::white : Qt::black);
  return image;
}

QImage plain(QColor color, int size = 64) {
  QImage image(size, size, QImage::Format_RGB888);
  image.fill(color);
  return image;
}

struct Shown : ImageGrid {
  explicit Shown(const std::vector<QImage>& images) : imageSize(images[0].size()) {
    resize(700, 700);
    setImages(images);
    show();
  }
  QImage picture() { return grab().toImage(); }
  QRect imageRect(int i) {   // what is seen of the image: above 300 % it may be a little smaller than its tile
    const QRectF area = tiles()[i].image;
    return (transform().placed(imageSize, area) & area).toAlignedRect();
  }
  QImage tile(int i) { return picture().copy(imageRect(i)); }
  void wheel(QPointF at, int notches = 1) {
    QWheelEvent event(at, mapToGlobal(at), {}, {0, 120 * notches}, Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
    QCoreApplication::sendEvent(this, &event);
  }
  void click(int tile, Qt::KeyboardModifiers modifiers = {}) {
    QTest::mouseClick(this, Qt::LeftButton, modifiers, tiles()[tile].image.center().toPoint());
  }

  QSizeF imageSize;
};

int colors(const QImage& image) {
  QSet<QRgb> seen;
  for (int y = 0; y < image.height(); ++y)
    for (int x = 0; x < image.width(); ++x) seen.insert(image.pixel(x, y));
  return static_cast<int>(seen.size());
}

}  // namespace

class ImageGridTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void fromOneToNineTilesOfOneSize() {
    for (int n = 1; n <= 9; ++n) {
      Shown grid(std::vector<QImage>(n, checkers()));
      const auto tiles = grid.tiles();
      QCOMPARE(static_cast<int>(tiles.size()), n);
      for (const TileRects& tile : tiles) {
        QCOMPARE(tile.image.size(), tiles[0].image.size());
        QVERIFY(QRectF(grid.rect()).contains(tile.image) && QRectF(grid.rect()).contains(tile.caption));
        for (const TileRects& other : tiles) QVERIFY(&tile == &other || !tile.image.intersects(other.image));
      }
    }
  }

  void aroundThePicturesIsMiddleGrey() {
    Shown grid({plain(Qt::red), plain(Qt::red)});
    const QImage picture = grid.picture();
    const QRect tile = grid.imageRect(0);
    QCOMPARE(picture.pixelColor(2, 2), QColor(119, 119, 119));
    for (const QPoint corner : {tile.topLeft(), tile.bottomRight()}) {
      QCOMPARE(picture.pixelColor(corner), QColor(Qt::red));                                     // no rounded corner
      const QPoint out = corner == tile.topLeft() ? corner - QPoint(2, 2) : corner + QPoint(2, 2);
      QCOMPARE(picture.pixelColor(out), QColor(119, 119, 119));                                  // no shadow
    }
  }

  void allTilesZoomAndPanTogether() {
    QImage one = checkers();
    one.setPixelColor(40, 20, Qt::red);
    Shown grid({one, one, one, one});
    const QImage fitted = grid.tile(0);
    grid.wheel(grid.tiles()[2].image.center() + QPointF(30, -10), 5);
    const QImage zoomed = grid.tile(0);
    QVERIFY(zoomed != fitted);
    for (int i = 1; i < 4; ++i) QCOMPARE(grid.tile(i), zoomed);
    const QPoint from = grid.tiles()[3].image.center().toPoint();
    QTest::mousePress(&grid, Qt::LeftButton, {}, from);
    QTest::mouseMove(&grid, from + QPoint(25, 14));
    QTest::mouseMove(&grid, from + QPoint(50, 30));
    QTest::mouseRelease(&grid, Qt::LeftButton, {}, from + QPoint(50, 30));
    QVERIFY(grid.tile(0) != zoomed);
    for (int i = 1; i < 4; ++i) QCOMPARE(grid.tile(i), grid.tile(0));
    QCOMPARE(grid.armed(), -1);                                   // a drag is no click
    QTest::keyClick(&grid, Qt::Key_0);
    QCOMPARE(grid.tile(0), fitted);
  }

  void whatIsUnderTheMouseStaysThereWhileZooming() {
    ViewTransform transform;
    const QRectF area(10, 20, 300, 300);
    const QPointF at(100, 250);
    const QSizeF image(128, 128);
    const auto under = [&] {
      const QRectF placed = transform.placed(image, area);
      return QPointF((at.x() - placed.left()) / placed.width(), (at.y() - placed.top()) / placed.height());
    };
    const QPointF before = under();
    for (int i = 0; i < 6; ++i) transform.zoom(1.2, at, image, area);
    QVERIFY((under() - before).manhattanLength() < 0.01);
  }

  void nearestNeighbourAboveThreehundredPercentOnly() {
    Shown grid({checkers(16)});
    QVERIFY(grid.transform().scale({16, 16}, grid.tiles()[0].image.size()) > 3);
    QCOMPARE(colors(grid.tile(0)), 2);
    while (grid.transform().scale({16, 16}, grid.tiles()[0].image.size()) > 2.6) grid.wheel(grid.tiles()[0].image.center(), -1);
    QVERIFY(colors(grid.tile(0)) > 3);                            // interpolated, and the grey around
  }

  void controlClickOnTwoTilesShowsOnlyThemAndZoomSurvives() {
    Shown grid({plain(Qt::red), plain(Qt::green), plain(Qt::blue), plain(Qt::yellow)});
    grid.wheel(grid.tiles()[0].image.center(), 2);
    const ViewTransform before = grid.transform();
    grid.click(1, Qt::ControlModifier);
    QCOMPARE(grid.mode(), Mode::Grid);
    grid.click(3, Qt::ControlModifier);
    QCOMPARE(grid.mode(), Mode::Pair);
    QCOMPARE(grid.pair(), (std::array<int, 2>{1, 3}));
    QCOMPARE(grid.transform(), before);
    const QImage pair = grid.picture();
    QCOMPARE(pair.pixelColor(175, 350), QColor(Qt::green));
    QCOMPARE(pair.pixelColor(525, 350), QColor(Qt::yellow));
    QTest::keyClick(&grid, Qt::Key_S);
    QCOMPARE(grid.mode(), Mode::Slider);
    QCOMPARE(grid.picture().pixelColor(200, 500), QColor(Qt::green));
    QCOMPARE(grid.picture().pixelColor(500, 500), QColor(Qt::yellow));
    QTest::keyClick(&grid, Qt::Key_Escape);
    QCOMPARE(grid.mode(), Mode::Grid);
    QCOMPARE(grid.transform(), before);
  }

  void digitsSwapInPlace() {
    Shown grid({plain(Qt::red), plain(Qt::green), plain(Qt::blue)});
    const auto middle = [&] { return grid.picture().pixelColor(350, 400); };
    QTest::keyClick(&grid, Qt::Key_3);
    QCOMPARE(grid.mode(), Mode::Single);
    QCOMPARE(middle(), QColor(Qt::blue));
    QTest::keyClick(&grid, Qt::Key_2);
    QCOMPARE(middle(), QColor(Qt::green));
    QTest::keyClick(&grid, Qt::Key_7);                            // no such tile
    QCOMPARE(middle(), QColor(Qt::green));
  }

  void flickerAlternatesAtTheSetRate() {
    Shown grid({plain(Qt::red), plain(Qt::green)});
    QTest::keyClick(&grid, Qt::Key_F);
    QCOMPARE(grid.mode(), Mode::Flicker);
    grid.setFlickerRate(10);
    QTest::keyClick(&grid, Qt::Key_Down);
    QCOMPARE(grid.flickerRate(), 9.5);
    const auto middle = [&] { return grid.picture().pixelColor(350, 400); };
    QTRY_COMPARE(middle(), QColor(Qt::green));
    QTRY_COMPARE(middle(), QColor(Qt::red));
  }

  void aLetterAndADigitNameATile() {
    Shown grid({plain(Qt::red), plain(Qt::green)});
    QSignalSpy named(&grid, &ImageGrid::precisionKey), cleared(&grid, &ImageGrid::guessCleared);
    QTest::keyClick(&grid, Qt::Key_B);
    QCOMPARE(grid.armed(), 1);
    QTest::keyClick(&grid, Qt::Key_2);
    QCOMPARE(named.value(0), (QVariantList{1, 2}));
    QTest::keyClick(&grid, Qt::Key_Backspace);
    QCOMPARE(cleared.value(0), (QVariantList{1}));
    QCOMPARE(grid.mode(), Mode::Grid);
  }

  void aChipIsDroppedOnATile() {
    Shown grid({plain(Qt::red), plain(Qt::green)});
    QSignalSpy dropped(&grid, &ImageGrid::chipDropped);
    QMimeData data;
    data.setData(QString::fromLatin1(kChipMimeType), "bnb-nf4");
    QDragEnterEvent enter(grid.tiles()[1].image.center().toPoint(), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(&grid, &enter);
    QVERIFY(enter.isAccepted());
    QDropEvent event(grid.tiles()[1].image.center(), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QCoreApplication::sendEvent(&grid, &event);
    QCOMPARE(dropped.value(0), (QVariantList{1, QStringLiteral("bnb-nf4")}));
  }

  void theDifferenceIsShownOnlyAfterTheReveal() {
    QImage other = plain(QColor(100, 100, 100));
    other.setPixelColor(32, 32, QColor(103, 100, 100));
    Shown grid({plain(QColor(100, 100, 100)), other});
    const QImage blind = grid.picture();
    grid.setReference(plain(QColor(100, 100, 100)));
    grid.showDifference(ImageGrid::kAllTiles);
    QCOMPARE(grid.picture(), blind);
    grid.showTruths({{QStringLiteral("bf16"), {}, TileTruth::Right}, {QStringLiteral("bnb-nf4"), {}, TileTruth::Wrong}});
    grid.setReference(plain(QColor(100, 100, 100)));
    const QRect tile = grid.imageRect(1);
    QCOMPARE(grid.tile(1).pixelColor(5, 5), QColor(0, 0, 0));
    const double scale = tile.width() / 64.0;
    const QColor amplified = grid.tile(1).pixelColor(int(32.5 * scale), int(32.5 * scale));
    QCOMPARE(amplified, QColor(24, 0, 0));
    grid.showDifference(ImageGrid::kNoTile);
    QCOMPARE(grid.tile(1).pixelColor(5, 5), QColor(100, 100, 100));
  }

  // Each view says what its colours mean, and the colours are those.
  void heatMapAndEdgesHaveTheirLegend() {
    QImage reference = plain(QColor(100, 100, 100)), other = reference;
    for (int y = 0; y < 64; ++y)
      for (int x = 40; x < 64; ++x) other.setPixelColor(x, y, QColor(160, 100, 100));       // an edge that the reference lacks
    for (int y = 0; y < 64; ++y)
      for (int x = 0; x < 20; ++x) reference.setPixelColor(x, y, QColor(0, 60, 0)), other.setPixelColor(x, y, QColor(0, 60, 0));   // one of both
    for (int x = 20; x < 64; ++x)
      for (int y = 50; y < 64; ++y) reference.setPixelColor(x, y, QColor(10, 10, 10));      // one of the reference alone
    const QImage heat = heatMap(other, reference, 8), outlines = edgeView(other, reference);
    QCOMPARE(heat.pixelColor(5, 5), QColor(0, 0, 0));
    QCOMPARE(heat.pixelColor(50, 5), QColor(252, 255, 164));                                // 60 levels: at the end of the scale
    QCOMPARE(heat.pixelColor(30, 5), heatColor(0));
    QCOMPARE(heatColor(0.5), QColor(188, 55, 84));
    const QColor fresh = outlines.pixelColor(40, 25), both = outlines.pixelColor(20, 25), lost = outlines.pixelColor(30, 50);
    QVERIFY2(fresh.red() > 60 && fresh.green() < 10, qPrintable(fresh.name()));
    QVERIFY2(both.red() > 60 && std::abs(both.red() - both.green()) < 20, qPrintable(both.name()));
    QVERIFY2(lost.green() > 60 && lost.red() < 10, qPrintable(lost.name()));
    QVERIFY(heatMap(other, QImage(3, 3, QImage::Format_RGB32), 8).isNull() && edgeView(other, QImage(3, 3, QImage::Format_RGB32)).isNull());

    Shown grid({reference, other});
    grid.setReference(reference);
    grid.setComparing(ImageGrid::Comparing::HeatMap);
    grid.showDifference(ImageGrid::kAllTiles);
    QVERIFY(grid.legend().isEmpty());                                                       // blind
    const QImage blind = grid.picture();
    grid.showTruths({{QStringLiteral("bf16"), {}, TileTruth::Right}, {QStringLiteral("bnb-nf4"), {}, TileTruth::Wrong}});
    grid.setReference(reference);
    QVERIFY2(grid.legend().contains("yellow 31 of 255 levels or more"), qPrintable(grid.legend()));
    QVERIFY(grid.picture() != blind);
    grid.setComparing(ImageGrid::Comparing::Edges);
    QVERIFY(grid.legend().contains("red only here, cyan only in bf16"));
    grid.setComparing(ImageGrid::Comparing::Difference);
    QVERIFY(grid.legend().contains("Difference from bf16"));
    grid.showDifference(ImageGrid::kNoTile);
    QVERIFY(grid.legend().isEmpty());
  }

  void newPicturesForgetTheLastReveal() {
    Shown grid({plain(Qt::red), plain(Qt::red)});
    const QImage fresh = grid.picture();
    grid.showTruths({{QStringLiteral("bf16"), {}, TileTruth::Right}, {QStringLiteral("bnb-nf4"), {}, TileTruth::Wrong}});
    grid.setReference(plain(Qt::black));
    grid.showDifference(ImageGrid::kAllTiles);
    QVERIFY(grid.picture() != fresh);
    grid.setImages({plain(Qt::red), plain(Qt::red)});
    QCOMPARE(grid.picture(), fresh);
  }
};

QTEST_MAIN(ImageGridTest)
#include "image_grid_test.moc"
