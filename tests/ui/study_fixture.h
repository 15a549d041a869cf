// A study with real pictures, frozen and on disk, and people who answer it.
#pragma once

#include "study/responses.h"
#include "study/study_store.h"
#include "tests/study/sample_study.h"
#include "ui/models/participant_session.h"

#include <QBuffer>
#include <QImage>
#include <QTemporaryDir>
#include <QTest>
#include <QTime>

namespace sample {

using quantspot::ui::ParticipantSession;
using Stage = ParticipantSession::Stage;

// Quantized pictures are noisier, so their files are larger, and they differ from the reference in every pixel.
inline QByteArray realPng(int comparison, int noise, int side = 48) {
  QImage image(side, side, QImage::Format_RGB32);
  quantspot::statistics::Random random(static_cast<std::uint64_t>(comparison * 100 + noise + 1));
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x) {
      const auto at = [&](int value) { return std::clamp(value + (noise ? static_cast<int>(random.below(static_cast<std::uint64_t>(2 * noise + 1))) - noise : 0), 0, 255); };
      image.setPixel(x, y, qRgb(at(60 + comparison * 20), at(80 + 2 * x), at(80 + 2 * y)));
    }
  QByteArray png;
  QBuffer buffer(&png);
  buffer.open(QIODevice::WriteOnly);
  image.save(&buffer, "PNG");
  return png;
}

inline Pictures realPictures(const Protocol& p) {
  Pictures all;
  for (std::size_t c = 0; c < p.comparisons.size(); ++c) {
    for (qsizetype v = 0; v < p.variants.size(); ++v) all[p.comparisons[c].id][p.variants[v]] = realPng(static_cast<int>(c), static_cast<int>(v) * 3);
    if (!p.gold_variant.isEmpty()) all[p.comparisons[c].id][p.gold_variant] = realPng(static_cast<int>(c), 60);
  }
  return all;
}

// A history in that file that holds the study's pictures under their names, as the window keeps them.
inline void fillHistory(const QString& path, const Protocol& p) {
  StudyStore store;
  if (!store.open(path)) qFatal("no history");
  const Pictures all = realPictures(p);
  for (const StudyComparison& one : p.comparisons) {
    Comparison comparison;
    comparison.model = QStringLiteral("default"), comparison.recipe = {{"prompt", one.prompt}};
    for (const QString& variant : p.variants) {
      Sample drawn;
      drawn.precision = variant, drawn.png = all[one.id][variant];
      comparison.samples.push_back(drawn);
    }
    if (!store.addComparison(comparison)) qFatal("no comparison");
  }
}

// One block per kind, with questions before and after, and practice.
inline Protocol everyKind(int trials = 2) {
  Protocol p = protocol();
  p.blocks.clear();
  using enum TrialKind;
  for (TrialKind kind : {Spot, Abx, Preference, Triangle, SameDifferent, Rating, Ranking}) {
    Block block;
    block.kind = kind;
    block.trials = trials;
    block.ties = kind == Preference;
    block.flicker_hz = kind == SameDifferent ? 4 : 0;
    p.blocks.push_back(block);
  }
  p.consent_text = QStringLiteral("Your answers are kept under a random code.");
  p.before = {{QStringLiteral("eyes"), QStringLiteral("choice"), QStringLiteral("Do you wear glasses?"), {QStringLiteral("yes"), QStringLiteral("no")}}};
  p.after = {{QStringLiteral("hard"), QStringLiteral("likert"), QStringLiteral("It was hard."), {}},
             {QStringLiteral("more"), QStringLiteral("text"), QStringLiteral("Anything else?"), {}}};
  return p;
}

struct StudyOnDisk {
  explicit StudyOnDisk(const Protocol& p = everyKind())
      : study(freeze(p, realPictures(p), kPassphrase, SealCost::Interactive)), mapping(study.open(kPassphrase)) {
    if (!folder.isValid()) qFatal("no temporary folder");
    Ledger(store()).addStudy(study);
  }
  QString store() const { return folder.filePath(QStringLiteral("study.sqlite")); }
  ParticipantSession::Place place(const QString& station = QStringLiteral("here")) const {
    return {store(), study.hash().left(12), folder.filePath(QStringLiteral("stations")), station, 5, 20000};   // patient: answers are there at once
  }
  std::vector<PlannedTrial> plan(const QString& participant) const {
    for (const Seat& seat : Ledger(store()).seats(study.hash()))
      if (seat.participant == participant) return planTrials(study, mapping, participant, seat.cell);
    return {};
  }
  std::vector<QJsonObject> records(const QString& kind) const {
    std::vector<QJsonObject> found;
    for (const ChainRecord& record : Ledger(store()).chain(study.hash()))
      if (record.json()["kind"].toString() == kind) found.push_back(record.json());
    return found;
  }
  Responses responses() const {
    Ledger ledger(store());
    return collect(study.protocol(), study.hash(), mapping, ledger.chain(study.hash()));
  }

  QTemporaryDir folder;
  FrozenStudy study;
  Mapping mapping;
};

// Gives the passphrase and waits until the study is open.
inline bool opens(ParticipantSession& session) {
  return session.unlock(kPassphrase) && QTest::qWaitFor([&] { return session.stage() == Stage::Welcome; }, 30000);
}

// For what must begin and end on one day.
inline void awayFromMidnight() {
  if (QTime::currentTime() > QTime(23, 59, 15)) QTest::qWait(QTime::currentTime().msecsTo(QTime(23, 59, 59, 999)) + 1000);
}

// Takes the session to its next trial; false when there is none.
inline bool toTrial(ParticipantSession& session) {
  for (int step = 0; step < 20; ++step) {
    if (session.stage() == Stage::Break || session.stage() == Stage::Feedback) session.go();
    if (session.stage() == Stage::Blank && !QTest::qWaitFor([&] { return session.stage() != Stage::Blank; })) return false;
    if (session.stage() == Stage::Trial) {
      session.picturesShown();
      return true;
    }
    if (session.stage() != Stage::Break && session.stage() != Stage::Feedback) return false;
  }
  return false;
}

inline void toFirstTrial(ParticipantSession& session) {
  session.begin(), session.agree();
  if (session.stage() == Stage::Before) session.submit({{"eyes", "no"}});
  QVERIFY(toTrial(session));
}

}  // namespace sample
