// What a study shows cannot be looked up in the history's file while it runs, and is back after the reveal.
#include "study/error.h"
#include "study/picture.h"
#include "study/sealed_history.h"
#include "study/study_store.h"
#include "tests/study/sample_study.h"

#include <QDir>
#include <QDirIterator>
#include <QFile>
#include <QSqlDatabase>
#include <QSqlQuery>
#include <QTemporaryDir>
#include <QTest>

using namespace quantspot::study;

namespace {

QByteArray hashText(const QString& text) { return QByteArray(64 - text.toUtf8().size(), '0') + text.toUtf8(); }

// A history with the study's comparisons under their names, and one of its own; pixels of the reports are not those of any file, but known.
struct History {
  History() : study(sample::frozen(sample::protocol(4))), mapping(study.open(sample::kPassphrase)) {
    StudyStore store;
    if (!store.open(path())) qFatal("no store");
    const Pictures pictures = sample::pictures(study.protocol());
    for (auto comparison = pictures.begin(); comparison != pictures.end(); ++comparison) {
      Comparison one = make(comparison.key());
      for (const QString& variant : study.protocol().variants) one.samples.push_back(sampleOf(variant, (*comparison)[variant], false));
      store.addComparison(one);
      shown << one.id;
    }
    Comparison own = make("own");
    own.samples = {sampleOf("bf16", sample::tinyPng("mine"), true), sampleOf("bnb-nf4", sample::tinyPng("mine too"), true)};
    store.addComparison(own);
    other = own.id;
  }
  static Comparison make(const QString& prompt) {
    Comparison one;
    one.model = "default", one.recipe = {{"prompt", prompt}, {"seed", 7}};
    return one;
  }
  static Sample sampleOf(const QString& precision, const QByteArray& png, bool hashed) {
    Sample one;
    one.precision = precision, one.png = png, one.scores.psnr = 31.5;
    one.report = {{"noise_sha256", "n"}, {"told", "report of " + precision}};
    if (hashed) one.report["image_sha256"] = QString::fromLatin1(hashText(precision));
    return one;
  }
  QString path() const { return folder.filePath("study.sqlite"); }
  int seal() { return sealHistory(path(), study.hash(), mapping, shownBy(study, mapping)); }
  std::vector<Comparison> read() {
    StudyStore store;
    if (!store.open(path())) qFatal("no store");
    std::vector<Comparison> all;
    for (const qint64 id : shown) all.push_back(*store.comparison(id));
    all.push_back(*store.comparison(other));
    return all;
  }
  // Which of the study's pictures stand anywhere in the folder, as they were before they were frozen, or by hash.
  QStringList found(const QString& only = {}) {
    QByteArray all;
    QDirIterator files(folder.path(), QDir::Files, QDirIterator::Subdirectories);
    while (files.hasNext()) {
      QFile file(files.next());
      if (!only.isEmpty() && !file.fileName().endsWith(only)) continue;
      if (file.open(QIODevice::ReadOnly)) all += file.readAll();
    }
    QStringList names;
    const Pictures pictures = sample::pictures(study.protocol());
    for (auto comparison = pictures.begin(); comparison != pictures.end(); ++comparison)
      for (const QString& variant : study.protocol().variants)
        if (all.contains((*comparison)[variant]) || all.contains(bareHash((*comparison)[variant]).toLatin1()))
          names << comparison.key() + ' ' + variant;
    return names;
  }

  QTemporaryDir folder;
  FrozenStudy study;
  Mapping mapping;
  QList<qint64> shown;
  qint64 other = 0;
};

bool same(const Comparison& a, const Comparison& b) {
  if (a.id != b.id || a.recipe != b.recipe || a.samples.size() != b.samples.size()) return false;
  for (std::size_t i = 0; i < a.samples.size(); ++i) {
    const Sample &x = a.samples[i], &y = b.samples[i];
    if (x.id != y.id || x.precision != y.precision || x.png != y.png || x.report != y.report) return false;
    if (!(x.scores == y.scores) || x.failure != y.failure) return false;
  }
  return true;
}

void run(const QString& file, const QStringList& statements) {
  {
    QSqlDatabase database = QSqlDatabase::addDatabase("QSQLITE", "by hand");
    database.setDatabaseName(file);
    if (!database.open()) qFatal("no database");
    for (const QString& statement : statements)
      if (QSqlQuery query(database); !query.exec(statement)) qFatal("%s", qPrintable(statement));
  }
  QSqlDatabase::removeDatabase("by hand");
}

}  // namespace

class SealedHistoryTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void whatIsShownCannotBeLookedUpAndComesBack() {
    History history;
    const auto before = history.read();
    const int pictures = static_cast<int>(history.shown.size()) * 3;
    QCOMPARE(history.found().size(), pictures);                       // the attack works: all of them are found
    QCOMPARE(history.seal(), pictures);
    QCOMPARE(history.found(), QStringList());
    const auto sealed = history.read();
    for (std::size_t i = 0; i + 1 < sealed.size(); ++i)
      for (const Sample& one : sealed[i].samples) {
        QVERIFY(one.png.isEmpty() && one.report.isEmpty() && one.scores == Scores{});
        QVERIFY2(one.failure.contains("sealed"), qPrintable(one.failure));
        QVERIFY(!one.precision.isEmpty());
      }
    QVERIFY(same(sealed.back(), before.back()));                      // what the study does not show is left alone
    QCOMPARE(history.seal(), 0);                                      // once
    QCOMPARE(unsealHistory(history.path(), history.study.hash(), history.mapping), pictures);
    const auto after = history.read();
    for (std::size_t i = 0; i < before.size(); ++i) QVERIFY(same(after[i], before[i]));
    QCOMPARE(unsealHistory(history.path(), history.study.hash(), history.mapping), 0);
  }

  // A comparison is sealed whole: the pictures beside a shown one would tell it by their likeness.
  void aComparisonIsSealedWhole() {
    History history;
    StudyStore store;
    QVERIFY(store.open(history.path()));
    Comparison again = History::make("again");                        // one picture of the study, and another that it does not show
    again.samples = {History::sampleOf("bf16", sample::pictures(history.study.protocol())["c0"]["bf16"], false),
                     History::sampleOf("fp8", sample::tinyPng("fp8"), false)};
    QVERIFY(store.addComparison(again));
    QCOMPARE(history.seal(), static_cast<int>(history.shown.size()) * 3 + 2);
    QVERIFY(store.comparison(again.id)->samples[1].png.isEmpty());
    QVERIFY(!store.comparison(history.other)->samples[0].png.isEmpty());
  }

  // Known again by their pixels, where the files are written otherwise.
  void picturesAreKnownByTheirPixels() {
    History history;
    history.mapping.facts["c0"] = {{"bf16", QJsonObject{{"image_sha256", QString::fromLatin1(hashText("bf16"))}}}};
    QCOMPARE(history.seal(), static_cast<int>(history.shown.size()) * 3 + 2);   // the last comparison's report names that hash
    QVERIFY(history.read().back().samples[1].png.isEmpty());
  }

  void backupsAreCleanedToo() {
    History history;
    run(history.path(), {"VACUUM INTO '" + history.path() + ".schema4.bak'"});
    QCOMPARE(history.found(".bak").size(), static_cast<int>(history.shown.size()) * 3);
    history.seal();
    QCOMPARE(history.found(), QStringList());
    QVERIFY(QFile::exists(history.path() + ".schema4.bak"));
  }

  void removedSamplesStayAway() {
    History history;
    history.seal();
    StudyStore store;
    QVERIFY(store.open(history.path()) && store.removeComparison(history.shown[0]));
    QCOMPARE(unsealHistory(history.path(), history.study.hash(), history.mapping), (static_cast<int>(history.shown.size()) - 1) * 3);
    QVERIFY(!store.comparison(history.shown[0]));
  }

  void anotherKeyOpensNothingAndChangesNothing() {
    History history;
    history.seal();
    Mapping other = history.mapping;
    other.salt = QByteArray(32, 'x');
    QVERIFY_EXCEPTION_THROWN(unsealHistory(history.path(), history.study.hash(), other), Error);
    QCOMPARE(unsealHistory(history.path(), "another study", history.mapping), 0);
    QVERIFY(unsealHistory(history.path(), history.study.hash(), history.mapping) > 0);
  }

  void figuresThatComeLateAreNotKeptOfASealedSample() {
    History history;
    const qint64 sample = history.read()[0].samples[0].id;
    history.seal();
    StudyStore store;
    Scores late;
    late.psnr = 30;
    QVERIFY(store.open(history.path()) && store.setScores(sample, late));
    QVERIFY(store.comparison(history.shown[0])->samples[0].scores == Scores{});
  }

  void noFileIsNoHistory() {
    const History history;
    QCOMPARE(sealHistory("/nowhere/at/all.sqlite", "s", history.mapping, {}), 0);
    QVERIFY(!QFile::exists("/nowhere"));
    QCOMPARE(sealHistory("postgresql://host/base", "s", history.mapping, {}), 0);
  }
};

QTEST_GUILESS_MAIN(SealedHistoryTest)
#include "sealed_history_test.moc"
