// Drafts: what may be compared, autosave, what stands against freezing, the frozen study; and the list of studies.
#include "tests/ui/study_fixture.h"
#include "study/attestation.h"
#include "study/error.h"
#include "ui/models/bare_pixels.h"
#include "ui/models/study_draft.h"
#include "ui/models/study_list_model.h"

#include <QDir>
#include <QJsonArray>
#include <QJsonDocument>
#include <QSignalSpy>

#include <limits>

using namespace quantspot;
using namespace quantspot::ui;
using namespace sample;

namespace {

QJsonObject report(const QString& noise) {
  return {{"schema", 1}, {"noise_sha256", noise}, {"recipe", QJsonObject{{"prompt", "a fox"}, {"seed", 7}}},
          {"model", QJsonObject{{"weights_sha256", "w"}}}, {"engine", QJsonObject{{"version", "1"}, {"libtorch", "2"}, {"device", "cpu"}}}};
}

struct Bench {
  Bench() { store.open(folder.filePath("study.sqlite")); }
  QString file() const { return folder.filePath("drafts/one.json"); }
  // A comparison of the three variants, in the history.
  qint64 add(int number, const QStringList& variants = {"bf16", "bnb-nf4", "gguf-q4_k"}) {
    study::Comparison comparison = make(number, variants);
    store.addComparison(comparison);
    return comparison.id;
  }
  study::Comparison make(int number, const QStringList& variants) {
    study::Comparison comparison;
    comparison.model = "default";
    comparison.recipe = {{"prompt", QStringLiteral("a fox, no. %1").arg(number)}, {"seed", 7}};
    for (qsizetype v = 0; v < variants.size(); ++v) {
      study::Sample sample;
      sample.precision = variants[v], sample.png = realPng(number, static_cast<int>(v) * 3), sample.report = report("n");
      comparison.samples.push_back(sample);
    }
    return comparison;
  }

  QTemporaryDir folder;
  study::StudyStore store;
};

QByteArray saved(const QImage& image) {
  QByteArray png;
  QBuffer buffer(&png);
  buffer.open(QIODevice::WriteOnly);
  image.save(&buffer, "PNG");
  return png;
}

QByteArray negative(const QByteArray& png) {
  QImage image = QImage::fromData(png);
  image.invertPixels();
  return saved(image);
}

QByteArray withText(const QByteArray& png) {
  QImage image = QImage::fromData(png);
  image.setText("precision", "bnb-nf4");
  return saved(image);
}

QString reasonOf(Bench& bench, study::Comparison comparison) {
  bench.store.addComparison(comparison);
  StudyDraft draft(bench.file(), &bench.store);
  const QString why = draft.addFromHistory(comparison.id);
  draft.discard();
  return why;
}

}  // namespace

class StudyDraftTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void everyChangeIsOnDisk() {
    Bench bench;
    const qint64 first = bench.add(1), second = bench.add(2);
    {
      StudyDraft draft(bench.file(), &bench.store);
      QCOMPARE(draft.addFromHistory(first), QString());
      QCOMPARE(draft.addFromHistory(second), QString());
      QCOMPARE(draft.protocol().variants, QStringList({"bf16", "bnb-nf4", "gguf-q4_k"}));
      draft.edit([](study::Protocol& p) { p.title = "Foxes", p.blocks[0].trials = 33, p.viewer.slider = false; });
      draft.setVariant("gguf-q4_k", false);
      draft.setEffect({0.7, 0.9});
    }
    StudyDraft again(bench.file(), &bench.store);
    QCOMPARE(again.protocol().title, QStringLiteral("Foxes"));
    QCOMPARE(again.protocol().blocks[0].trials, 33);
    QVERIFY(!again.protocol().viewer.slider);
    QCOMPARE(again.protocol().variants, QStringList({"bf16", "bnb-nf4"}));
    QCOMPARE(again.offered().size(), 3);
    QCOMPARE(again.effect().power, 0.9);
    QVERIFY(again.contains(first) && again.contains(second));
  }

  void whatMustNotBeComparedIsRefused() {
    Bench bench;
    const QStringList two{"bf16", "bnb-nf4"};
    study::Comparison noise = bench.make(1, two);
    noise.samples[1].report = report("another");
    QVERIFY2(reasonOf(bench, noise).contains("noise"), qPrintable(reasonOf(bench, noise)));
    const std::pair<const char*, const char*> parts[] = {{"recipe", "prompt"}, {"model", "weights_sha256"}, {"engine", "version"},
                                                         {"engine", "libtorch"}, {"engine", "device"}};
    int number = 20;
    for (const auto& [part, key] : parts) {
      study::Comparison other = bench.make(number++, two);
      QJsonObject changed = other.samples[1].report[QLatin1String(part)].toObject();
      changed[QLatin1String(key)] = "another";
      other.samples[1].report[QLatin1String(part)] = changed;
      QVERIFY2(reasonOf(bench, other).contains("differ in more than the precision"), key);
    }
    study::Comparison failed = bench.make(2, two);
    failed.samples[1].png.clear(), failed.samples[1].failure = "out of memory";
    QVERIFY2(reasonOf(bench, failed).contains("bnb-nf4 gave no picture: out of memory"), qPrintable(reasonOf(bench, failed)));
    study::Comparison flat = bench.make(3, two);
    QImage grey(48, 48, QImage::Format_RGB32);
    grey.fill(Qt::gray);
    QBuffer buffer(&flat.samples[1].png);
    flat.samples[1].png.clear();
    buffer.open(QIODevice::WriteOnly);
    grey.save(&buffer, "PNG");
    QVERIFY2(reasonOf(bench, flat).contains("the picture of bnb-nf4 is broken"), qPrintable(reasonOf(bench, flat)));
    study::Comparison size = bench.make(4, two);
    size.samples[1].png = realPng(4, 3, 32);
    QVERIFY2(reasonOf(bench, size).contains("another size"), qPrintable(reasonOf(bench, size)));
    study::Comparison far = bench.make(5, {"bf16", "fp8-layerwise", "bnb-int8", "bnb-nf4"});
    QCOMPARE(reasonOf(bench, far), QString());
    far.samples[3].png = negative(far.samples[0].png);
    QVERIFY2(reasonOf(bench, far).contains("the picture of bnb-nf4 is far from all others (PSNR "), qPrintable(reasonOf(bench, far)));
    study::Comparison measured = bench.make(10, {"bf16", "fp8-layerwise", "bnb-int8", "bnb-nf4"});   // by the engine, where it has LPIPS's weights
    for (std::size_t i = 1; i < 4; ++i) measured.samples[i].scores.lpips = i == 3 ? 0.9 : 0.02;
    QVERIFY2(reasonOf(bench, measured).contains("(LPIPS 0.900)"), qPrintable(reasonOf(bench, measured)));
    study::Comparison same = bench.make(8, two);
    same.samples[1].png = withText(same.samples[0].png);
    QVERIFY2(reasonOf(bench, same).contains("have the same pixels"), qPrintable(reasonOf(bench, same)));
    QVERIFY2(reasonOf(bench, bench.make(6, {"bf16"})).contains("no variant beside bf16"), "");
    QVERIFY2(reasonOf(bench, bench.make(7, {"bnb-nf4", "fp16"})).contains("no picture of bf16"), "");
  }

  // Noise, weights, layers per precision and the repeated reference are frozen with the study.
  void howPicturesWereMadeIsFrozenWithTheStudy() {
    Bench bench;
    study::Comparison comparison = bench.make(1, {"bf16", "bf16", "bnb-nf4"});
    for (study::Sample& sample : comparison.samples) {
      const bool packed = sample.precision == "bnb-nf4";
      const QJsonArray layers{QJsonObject{{"name", "a"}, {"precision", packed ? "bnb-nf4" : "bf16"}},
                              QJsonObject{{"name", "b"}, {"precision", "bf16"}}, QJsonObject{{"name", "c"}, {"precision", packed ? "bnb-nf4" : "bf16"}}};
      sample.report["weights"] = QJsonObject{{"transformer", QJsonObject{{"bytes", packed ? 50 : 200}, {"layers", layers}}}};
      sample.report["policy"] = QJsonObject{{"text", sample.precision}};
      sample.report["seconds"] = QJsonObject{{"load", 2.5}, {"quantize", packed ? 0.5 : 0.0}, {"encode", 0.25}, {"steps", QJsonArray{0.5, 0.25}}, {"decode", 0.125}};
      sample.report["peak_bytes"] = QJsonObject{{"load", 300}, {"encode", 100}, {"denoise", packed ? 90 : 240}, {"decode", 120}};
      sample.report["model"] = QJsonObject{{"name", "/home/anna/model"}, {"family", "flux"}, {"weights_sha256", "w"}};
    }
    comparison.samples[1].png = comparison.samples[0].png;
    bench.store.addComparison(comparison);
    StudyDraft draft(bench.file(), &bench.store);
    QCOMPARE(draft.addFromHistory(comparison.id), QString());
    const QJsonObject attested = study::draftFromJson(toJson(draft.protocol())).comparisons[0].attested;   // as it is frozen and read again
    QCOMPARE(attested["noise_sha256"], comparison.samples[0].report["noise_sha256"]);
    QCOMPARE(attested["model"].toObject(), (QJsonObject{{"family", "flux"}, {"weights_sha256", "w"}}));
    const QJsonObject packed = attested["variants"]["bnb-nf4"].toObject();
    QCOMPARE(packed["weights"]["transformer"].toObject(), (QJsonObject{{"bytes", 50}, {"layers", QJsonObject{{"bnb-nf4", 2}, {"bf16", 1}}}}));
    QCOMPARE(packed["policy"]["text"].toString(), QStringLiteral("bnb-nf4"));
    QCOMPARE(packed["seconds"]["load"].toDouble(), 2.5);               // load, quantize and each step apart: the first is the cold one
    QCOMPARE(packed["seconds"]["steps"].toArray(), (QJsonArray{0.5, 0.25}));
    QCOMPARE(packed["peak_bytes"]["denoise"].toInt(), 90);
    QCOMPARE(draft.protocol().model, QStringLiteral("default"));
    QVERIFY(attested["reference_repeats"].toInt() == 1 && attested["reference_repeats_equal"].toBool());
    comparison.samples[1].png = realPng(1, 9);
    comparison.samples[1].scores.psnr = 33.5;
    QVERIFY(!attestation(comparison)["reference_repeats_equal"].toBool());
    QCOMPARE(attestation(comparison)["reference_repeats_psnr"].toDouble(), 33.5);
    comparison.samples.erase(comparison.samples.begin() + 1);            // drawn again beside the comparison
    QVERIFY(!attestation(comparison).contains("reference_repeats"));
    comparison.samples[0].scores.repeat_psnr = 44;
    QVERIFY(attestation(comparison)["reference_repeats"].toInt() == 1 && !attestation(comparison)["reference_repeats_equal"].toBool());
    QCOMPARE(attestation(comparison)["reference_repeats_psnr"].toDouble(), 44.0);
    comparison.samples[0].scores.repeat_psnr = std::numeric_limits<double>::infinity();
    QVERIFY(attestation(comparison)["reference_repeats_equal"].toBool() && !attestation(comparison).contains("reference_repeats_psnr"));
  }

  // What looks broken is refused, until a person says that it is meant to be so; the study then says it, too.
  void theGateCanBeOverruled() {
    Bench bench;
    study::Comparison far = bench.make(1, {"bf16", "fp8-layerwise", "bnb-int8", "bnb-nf4"});
    far.model = "/home/anna/models/FLUX.1-dev.safetensors";
    far.samples[3].png = negative(far.samples[0].png);
    bench.store.addComparison(far);
    StudyDraft draft(bench.file(), &bench.store);
    QVERIFY(draft.addFromHistory(far.id).contains("looks like a fault"));
    QVERIFY(draft.protocol().comparisons.empty());
    QCOMPARE(draft.doubted(), QStringList{StudyDraft::idOf(far.id)});
    draft.takeDoubted();
    QVERIFY(draft.doubted().isEmpty() && draft.contains(far.id));
    QCOMPARE(draft.protocol().model, QStringLiteral("FLUX.1-dev"));
    const study::Protocol frozen = StudyDraft(bench.file(), &bench.store).freeze(kPassphrase, SealCost::Interactive).protocol();   // also read again
    QVERIFY(frozen.comparisons[0].attested["gate"]["overruled"].toBool());
    QVERIFY(QJsonDocument(study::attestationFigures(frozen)).toJson().contains("was overruled for 1 of 1"));
    draft.discard();
  }

  // Of a folder that was changed after it was picked, what is frozen is looked at again.
  void whatIsFrozenIsWhatWasLookedAt() {
    Bench bench;
    QDir().mkpath(bench.folder.filePath("in/fox"));
    const auto write = [&](const char* variant, const QByteArray& png) {
      QFile file(bench.folder.filePath(QStringLiteral("in/fox/%1.png").arg(QLatin1String(variant))));
      QVERIFY(file.open(QIODevice::WriteOnly) && file.write(png) == png.size());
    };
    write("bf16", realPng(1, 0)), write("a", realPng(1, 2)), write("b", realPng(1, 3)), write("c", realPng(1, 5));
    StudyDraft draft(bench.file(), &bench.store);
    QCOMPARE(draft.addFromFolder(bench.folder.filePath("in")), QStringList());
    write("c", negative(realPng(1, 0)));
    QVERIFY_THROWS_EXCEPTION(study::Error, draft.freeze(kPassphrase, SealCost::Interactive));
    write("c", realPng(1, 4));
    const study::FrozenStudy frozen = draft.freeze(kPassphrase, SealCost::Interactive);
    QImage last = QImage::fromData(realPng(1, 4)).convertToFormat(QImage::Format_RGB888);
    const QString hash = pixelHash(last);
    QCOMPARE(frozen.open(kPassphrase).facts["fox"].value("c")["image_sha256"].toString(), hash);
    QVERIFY(frozen.protocol().comparisons[0].attested["imported"].toBool());
    draft.discard();
  }

  // Nothing that lies in the database beside the pictures names one of them.
  void theDatabaseSaysNothingOfSinglePictures() {
    Bench bench;
    StudyDraft draft(bench.file(), &bench.store);
    for (int i = 0; i < 3; ++i) draft.addFromHistory(bench.add(i));
    const study::FrozenStudy frozen = draft.freeze(kPassphrase, SealCost::Interactive);
    const auto facts = frozen.open(kPassphrase).facts;
    QTemporaryDir other;
    Ledger(other.filePath("study.sqlite")).addStudy(frozen);
    QFile file(other.filePath("study.sqlite"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QByteArray all = file.readAll();
    QVERIFY(all.contains("noise_sha256"));
    int looked_for = 0;
    for (const QJsonObject& comparison : facts)
      for (const QString& variant : comparison.keys())
        for (const char* key : {"image_sha256", "file_sha256"}) {
          const QByteArray hash = comparison[variant][QLatin1String(key)].toString().toLatin1();
          QVERIFY(hash.size() == 64 && !all.contains(hash));
          ++looked_for;
        }
    QCOMPARE(looked_for, 3 * 3 * 2);
    QVERIFY(!all.contains("psnr") && !all.contains("png_sha256"));
    draft.discard();
  }

  void onePictureStandsInOneComparison() {
    Bench bench;
    StudyDraft draft(bench.file(), &bench.store);
    QCOMPARE(draft.addFromHistory(bench.add(1)), QString());
    study::Comparison again = bench.make(1, {"bf16", "bnb-nf4", "gguf-q4_k"});
    bench.store.addComparison(again);
    QVERIFY2(draft.addFromHistory(again.id).contains("which is in the study already"), qPrintable(draft.addFromHistory(again.id)));
    draft.remove(draft.protocol().comparisons[0].id);
    QCOMPARE(draft.addFromHistory(again.id), QString());
    draft.discard();
  }

  // Named by what is removed, as a caller does who has the draft at hand.
  void itsOwnNameRemovesItAlone() {
    Bench bench;
    StudyDraft draft(bench.file(), &bench.store);
    const QString first = StudyDraft::idOf(bench.add(1)), second = StudyDraft::idOf(bench.add(2));
    for (const study::ComparisonHead& head : bench.store.comparisons()) QCOMPARE(draft.addFromHistory(head.id), QString());
    draft.edit([&](study::Protocol& p) { p.blocks.resize(1), p.blocks[0].comparisons = QStringList{first, second}; });
    const QString gone = draft.protocol().comparisons[0].id;
    draft.remove(draft.protocol().comparisons[0].id);
    QCOMPARE(draft.protocol().comparisons.size(), std::size_t{1});
    QCOMPARE(draft.protocol().blocks[0].comparisons, QStringList{gone == first ? second : first});
    const QString last = draft.protocol().variants.last();
    draft.setVariant(draft.protocol().variants.last(), true);
    QCOMPARE(draft.protocol().variants.count(last), 1);
  }

  void aComparisonThatLacksAVariantIsRefused() {
    Bench bench;
    const qint64 all = bench.add(1), fewer = bench.add(2, {"bf16", "bnb-nf4"});
    StudyDraft draft(bench.file(), &bench.store);
    QCOMPARE(draft.addFromHistory(all), QString());
    QCOMPARE(draft.addFromHistory(fewer), QStringLiteral("it has no picture of gguf-q4_k"));
    draft.setVariant("gguf-q4_k", false);
    QCOMPARE(draft.addFromHistory(fewer), QString());
    QCOMPARE(draft.addFromHistory(fewer), QStringLiteral("it is in the study already"));
    QCOMPARE(draft.offered(), QStringList({"bf16", "bnb-nf4"}));
    draft.remove(StudyDraft::idOf(all)), draft.remove(StudyDraft::idOf(fewer));
    QVERIFY(draft.protocol().variants.isEmpty());
  }

  void foldersOfOtherProgramsArePictures() {
    Bench bench;
    const auto write = [&](const QString& name, const QByteArray& bytes) {
      QDir().mkpath(QFileInfo(bench.folder.filePath(name)).path());
      QFile file(bench.folder.filePath(name));
      QVERIFY(file.open(QIODevice::WriteOnly) && file.write(bytes) == bytes.size());
    };
    for (int c = 0; c < 2; ++c)
      for (const char* variant : {"bf16", "a%3Fb"}) write(QStringLiteral("in/fox %1/%2.png").arg(c).arg(QLatin1String(variant)), realPng(c, variant[0] == 'a' ? 3 : 0));
    write("in/broken/bf16.png", "no picture");
    StudyDraft draft(bench.file(), &bench.store);
    const QStringList refused = draft.addFromFolder(bench.folder.filePath("in"));
    QCOMPARE(refused.size(), 1);
    QVERIFY2(refused[0].startsWith("broken: "), qPrintable(refused[0]));
    QCOMPARE(draft.protocol().comparisons.size(), std::size_t(2));
    QCOMPARE(draft.protocol().variants, QStringList({"bf16", "a?b"}));
    QVERIFY(draft.addFromFolder(bench.folder.filePath("none")).first().contains("hold PNG pictures"));
  }

  void problemsNameTheirSection() {
    Bench bench;
    StudyDraft draft(bench.file(), &bench.store);
    QCOMPARE(draft.problem()->first, DraftSection::Comparisons);
    draft.addFromHistory(bench.add(1));
    QVERIFY(!draft.problem());
    const auto section = [&](const std::function<void(study::Protocol&)>& change) {
      const study::Protocol before = draft.protocol();
      draft.edit(change);
      const auto problem = draft.problem();
      draft.edit([&](study::Protocol& p) { p = before; });
      return problem ? static_cast<int>(problem->first) : -1;
    };
    const auto is = [](DraftSection wanted) { return static_cast<int>(wanted); };
    QCOMPARE(section([](study::Protocol& p) { p.blocks[0].trials = 0; }), is(DraftSection::Trials));
    QCOMPARE(section([](study::Protocol& p) { p.min_viewing_s = 5, p.time_limit_s = 2; }), is(DraftSection::Rules));
    QCOMPARE(section([](study::Protocol& p) { p.after = {{"q1", "choice", "?", {"one"}}}; }), is(DraftSection::Participant));
    QCOMPARE(section([](study::Protocol& p) { p.retention_until = "soon"; }), is(DraftSection::Participant));
    QCOMPARE(section([](study::Protocol& p) { p.stopping.rule = study::StoppingRule::Sprt; }), is(DraftSection::Stopping));
    QCOMPARE(section([](study::Protocol& p) { p.analysis.margin = 0; }), is(DraftSection::Analysis));
    QCOMPARE(section([](study::Protocol& p) { p.comparisons[0].practice = true; }), is(DraftSection::Comparisons));
    QCOMPARE(section([](study::Protocol& p) { p.blocks[0].gold = 3; }), -1);   // its pictures are made at the freeze
  }

  void whatPicturesTookGoesIntoTheProtocol() {
    Bench bench;
    StudyDraft draft(bench.file(), &bench.store);
    for (int i = 0; i < 3; ++i) {
      study::Comparison comparison = bench.make(i, {"bf16", "bnb-nf4", "gguf-q4_k"});
      for (study::Sample& sample : comparison.samples) {
        sample.report["peak_bytes"] = QJsonObject{{"encode", 1e8}, {"denoise", 1e9 + i}};
        if (i < 2 || sample.precision != "gguf-q4_k") sample.report["seconds"] = QJsonObject{{"total", 2.0 + i}};
      }
      bench.store.addComparison(comparison);
      QCOMPARE(draft.addFromHistory(comparison.id), QString());
    }
    const auto costs = draft.freeze(kPassphrase, SealCost::Interactive).protocol().costs;
    QCOMPARE(costs.size(), 3);
    QCOMPARE(costs["bf16"].memory_bytes, 1e9 + 2);
    QCOMPARE(costs["bnb-nf4"].seconds, 3.0);
    QCOMPARE(costs["gguf-q4_k"].seconds, 0.0);   // one picture was not timed
    draft.discard();
  }

  // For the curve over bits per weight: of the denoiser's layers, where every comparison tells them.
  void bitsPerWeightGoIntoTheProtocol() {
    Bench bench;
    const QString own = QStringLiteral("größer");                            // a policy that somebody saved
    const QStringList groups{"bf16", "bf16?attn=bnb-nf4", "bf16?ff=bnb-nf4"};
    const auto add = [&](StudyDraft& draft, int number, const QStringList& variants, bool all) {
      study::Comparison comparison = bench.make(number, variants);
      for (study::Sample& sample : comparison.samples) {
        const auto layer = [](int rows, int bytes) { return QJsonObject{{"name", "x"}, {"shape", QJsonArray{rows, 4}}, {"bytes", bytes}}; };
        const int half = sample.precision == "bf16" ? 2 : 1;
        const QJsonArray layers = all || sample.precision != "bnb-nf4" ? QJsonArray{layer(2, 8 * half), layer(6, 24 * half)} : QJsonArray{};
        sample.report["weights"] = QJsonObject{{number % 2 ? "unet" : "transformer", QJsonObject{{"bytes", 1000}, {"layers", layers}}}};
        sample.report["seconds"] = QJsonObject{{"total", 2.0}};
      }
      bench.store.addComparison(comparison);
      return draft.addFromHistory(comparison.id);
    };
    StudyDraft draft(bench.file(), &bench.store);
    for (int i = 0; i < 3; ++i) QCOMPARE(add(draft, i, {"bf16", "bnb-nf4", own}, i != 1), QString());
    const study::Protocol frozen = draft.freeze(kPassphrase, SealCost::Interactive).protocol();
    QCOMPARE(frozen.bits, (QMap<QString, double>{{"bf16", 16}, {own, 8}}));   // one comparison does not tell of bnb-nf4
    QCOMPARE(frozen.costs[own].seconds, 2.0);
    draft.discard();
    StudyDraft family(bench.folder.filePath("drafts/two.json"), &bench.store);
    for (int i = 3; i < 6; ++i) QCOMPARE(add(family, i, groups, true), QString());
    QVERIFY(family.freeze(kPassphrase, SealCost::Interactive).protocol().bits.isEmpty());   // a whole model's bits say nothing about a group
    family.discard();
  }

  void frozenWithGoldItRunsInTheStore() {
    Bench bench;
    StudyDraft draft(bench.file(), &bench.store);
    for (int i = 0; i < 3; ++i) draft.addFromHistory(bench.add(i));
    draft.edit([](study::Protocol& p) { p.blocks[0].gold = 2; });
    const study::FrozenStudy frozen = draft.freeze(kPassphrase, SealCost::Interactive);
    const Mapping mapping = frozen.open(kPassphrase);
    QCOMPARE(mapping.images.size(), 3);
    for (const auto& variants : mapping.images) {
      QCOMPARE(variants.size(), 4);                                    // the corrupted one, too
      const QImage broken = QImage::fromData(frozen.pictures[variants["corrupted"]]), reference = QImage::fromData(frozen.pictures[variants["bf16"]]);
      QCOMPARE(broken.size(), reference.size());
      double difference = 0;
      for (int y = 0; y < 48; ++y)
        for (int x = 0; x < 48; ++x) difference += std::abs(qGreen(broken.pixel(x, y)) - qGreen(reference.pixel(x, y)));
      QVERIFY(difference / (48 * 48) > 8);
    }
    Ledger(bench.folder.filePath("study.sqlite")).addStudy(frozen);
    draft.discard();
    QVERIFY(!QFile::exists(bench.file()));
  }

  void aDamagedDraftIsLeftAsItIs() {
    Bench bench;
    QDir().mkpath(bench.folder.filePath("drafts"));
    QFile file(bench.file());
    QVERIFY(file.open(QIODevice::WriteOnly) && file.write("{\"protocol\": {\"schema\": 1, \"tilte\": \"x\"}}") > 0);
    file.close();
    StudyDraft draft(bench.file(), &bench.store);
    QVERIFY2(draft.problemOfFile().contains("there is no key tilte"), qPrintable(draft.problemOfFile()));
    draft.edit([](study::Protocol& p) { p.title = "new"; });
    QVERIFY(file.open(QIODevice::ReadOnly));
    QVERIFY(file.readAll().contains("tilte"));
  }

  void aDraftThatCannotBeSavedSaysSo() {
    Bench bench;
    StudyDraft draft("/proc/drafts/one.json", &bench.store);
    QSignalSpy failed(&draft, &StudyDraft::failed);
    draft.edit([](study::Protocol& p) { p.title = "x"; });
    QCOMPARE(failed.count(), 1);
    QVERIFY2(failed[0][0].toString().contains("/proc/drafts/one.json"), qPrintable(failed[0][0].toString()));
  }

  void theListShowsEveryState() {
    Bench bench;
    const QString store = bench.folder.filePath("study.sqlite"), drafts = bench.folder.filePath("drafts");
    StudyDraft(bench.file(), &bench.store).edit([](study::Protocol& p) { p.title = "Planned"; });
    Protocol p = sample::protocol();
    QStringList hashes;
    for (const char* title : {"Frozen", "Running", "Closed"}) {
      p.title = QLatin1String(title), p.model = p.title == "Running" ? QStringLiteral("FLUX.1-dev") : QString();
      const FrozenStudy frozen = freeze(p, pictures(p), kPassphrase, SealCost::Interactive);
      Ledger(store).addStudy(frozen);
      hashes << frozen.hash();
    }
    for (int i = 0; i < 2; ++i) Ledger(store).join(hashes[1]);
    Ledger(store).join(hashes[2]);
    Ledger(store).close(hashes[2]);
    StudyListModel model(store, drafts);
    model.reload();
    QTRY_COMPARE_WITH_TIMEOUT(model.rowCount(), 4, 30000);
    QMap<QString, QString> details;
    for (int row = 0; row < model.rowCount(); ++row)
      details[model.index(row).data().toString()] = model.index(row).data(StudyListModel::DetailRole).toString();
    QCOMPARE(details, (QMap<QString, QString>{{"Planned", "draft"}, {"Frozen", "frozen"}, {"Running", "running · 2 people · FLUX.1-dev"},
                                              {"Closed", "closed · 1 person"}}));
    QCOMPARE(model.index(0).data().toString(), QStringLiteral("Planned"));
    model.markAnalysed(hashes[2]);
    QSignalSpy again(&model, &StudyListModel::reloaded);
    model.reload();
    QTRY_COMPARE_WITH_TIMEOUT(again.count(), 1, 30000);
    QCOMPARE(model.index(model.rowOf(hashes[2])).data(StudyListModel::DetailRole).toString(), QStringLiteral("analysed · 1 person"));
    QVERIFY(model.rowOf(hashes[1]) > 0 && model.rowOf("none") == -1);
    QVERIFY(!QFile::exists(model.newDraftFile()));
  }

  void aStoreThatCannotBeReadIsSaidAndDraftsAreListed() {
    Bench bench;
    StudyDraft(bench.file(), &bench.store).edit([](study::Protocol&) {});
    QFile other(bench.folder.filePath("other.sqlite"));
    QVERIFY(other.open(QIODevice::WriteOnly) && other.write(QByteArray(4096, 'x')) > 0);
    other.close();
    StudyListModel model(other.fileName(), bench.folder.filePath("drafts"));
    QSignalSpy failed(&model, &StudyListModel::failed);
    model.reload();
    QCOMPARE(model.rowCount(), 1);
    QTRY_COMPARE_WITH_TIMEOUT(failed.count(), 1, 30000);
    QCOMPARE(model.rowCount(), 1);
  }
};

QTEST_MAIN(StudyDraftTest)
#include "study_draft_test.moc"
