#include "decision/evidence_files.h"
#include "decision/gpu_table.h"
#include "decision/stored_zip.h"
#include "tests/decision/fixtures.h"

#include <QFile>
#include <QDir>
#include <QTemporaryDir>
#include <QTest>

#include <chrono>
#include <filesystem>

using namespace quantspot::decision;
using namespace quantspot::decision::test;

namespace {

void put(std::string& to, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to += static_cast<char>(i < 4 ? value >> (8 * i) : 0);
}

// Stored files, as the bundles of studies hold them; method 8 says that a file is compressed.
std::string zipOf(const std::vector<std::pair<std::string, std::string>>& files, int method = 0) {
  std::string zip, directory;
  for (const auto& [name, text] : files) {
    const auto at = static_cast<std::uint32_t>(zip.size()), size = static_cast<std::uint32_t>(text.size()),
               length = static_cast<std::uint32_t>(name.size());
    put(zip, 0x04034b50, 4), put(zip, 20, 2), put(zip, 0, 2), put(zip, method, 2), put(zip, 0, 8),
        put(zip, size, 4), put(zip, size, 4), put(zip, length, 2), put(zip, 0, 2);
    zip += name + text;
    put(directory, 0x02014b50, 4), put(directory, 20, 2), put(directory, 20, 2), put(directory, 0, 2),
        put(directory, method, 2), put(directory, 0, 8);
    put(directory, size, 4), put(directory, size, 4), put(directory, length, 2), put(directory, 0, 12), put(directory, at, 4);
    directory += name;
  }
  const auto at = static_cast<std::uint32_t>(zip.size());
  zip += directory;
  put(zip, 0x06054b50, 4), put(zip, 0, 4),
      put(zip, static_cast<std::uint32_t>(files.size()), 2), put(zip, static_cast<std::uint32_t>(files.size()), 2);
  put(zip, static_cast<std::uint32_t>(directory.size()), 4), put(zip, at, 4), put(zip, 0, 2);
  return zip;
}

std::filesystem::path written(const QTemporaryDir& folder, const QString& name, const std::string& text) {
  QFile file(folder.filePath(name));
  if (file.open(QIODevice::WriteOnly)) file.write(QByteArray::fromStdString(text));
  return folder.filePath(name).toStdString();
}

template <class Read>
QString refusal(const std::filesystem::path& path, Read* read) {
  Evidence evidence;
  try {
    read(evidence, path);
  } catch (const std::runtime_error& error) {
    return QString::fromUtf8(error.what());
  }
  return {};
}

}  // namespace

class FilesTest : public QObject {
  Q_OBJECT
  const nlohmann::json analysis_ = study({detection("bnb-nf4", "not-noticeable", 0.02, 0.0, 0.08)});

 private Q_SLOTS:
  void aFileIsFoundInABundle() {
    const std::string zip = zipOf({{"manifest.json", "{}"}, {"analysis.json", "hello"}, {"empty", ""}});
    QCOMPARE(storedFile(zip, "analysis.json"), std::string("hello"));
    QCOMPARE(storedFile(zip, "empty"), std::string());
    QVERIFY_EXCEPTION_THROWN(storedFile(zip, "analysis"), std::runtime_error);
    QVERIFY_EXCEPTION_THROWN(storedFile(zipOf({{"a", "x"}}, 8), "a"), std::runtime_error);
  }

  // Whatever is broken is told; nothing is read outside of the file.
  void brokenBundlesAreRefused() {
    const std::string zip = zipOf({{"analysis.json", "hello"}});
    for (std::size_t length = 0; length < zip.size(); ++length)
      QVERIFY_EXCEPTION_THROWN(storedFile(zip.substr(0, length), "analysis.json"), std::runtime_error);
    int read = 0;
    for (std::size_t at = 0; at < zip.size(); ++at) {
      std::string damaged = zip;
      damaged[at] = static_cast<char>(damaged[at] ^ 0xff);
      try {
        storedFile(damaged, "analysis.json"), ++read;
      } catch (const std::runtime_error&) {}
    }
    QVERIFY(read > 0);                                 // bytes that do not matter here, such as dates
  }

  void studiesAreReadFromBundleAndFile() {
    const QTemporaryDir folder;
    for (const auto& path : {written(folder, "bundle.zip", zipOf({{"analysis.json", analysis_.dump()}})),
                            written(folder, "analysis.json", analysis_.dump())}) {
      Evidence evidence;
      readStudy(evidence, path);
      QCOMPARE(evidence.of("bnb-nf4").seen->trials, 120);
      QCOMPARE(evidence.sources.front().name, std::string("study 3"));
    }
    // Of a folder: the newest of either.
    std::filesystem::last_write_time(folder.filePath("bundle.zip").toStdString(),
                                 std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
    written(folder, "analysis.json", "{\"newest\": true}");
    QVERIFY(readAnalysis(folder.path().toStdString()).contains("newest"));
    QVERIFY(QDir(folder.path()).mkpath("none"));
    QVERIFY_EXCEPTION_THROWN(readAnalysis(folder.filePath("none").toStdString()), std::runtime_error);
    QVERIFY(refusal(written(folder, "sealed.zip", zipOf({{"frozen.json", "{}"}})), readStudy)
                .contains("sealed.zip: there is no analysis.json in it"));
    QVERIFY(refusal(written(folder, "x.json", "{"), readStudy).contains("x.json: is no JSON"));
    QVERIFY(refusal(folder.filePath("none.json").toStdString(), readStudy).contains("none.json: cannot be read"));
  }

  void ratingsAreReadFromStudyAndTable() {
    const QTemporaryDir folder;
    nlohmann::json rated = analysis_;
    rated["with_exclusions"]["rating"]["scores"] = {{{"variant", "bnb-nf4"}, {"mos", 4.25}, {"interval", {4.0, 4.5}}, {"people", 12}}};
    const auto table = written(folder, "table.json", R"({"bnb-nf4": {"value": 4.25, "ci95": [4.0, 4.5], "n": 12}})");
    for (const auto& path : {written(folder, "bundle.zip", zipOf({{"analysis.json", rated.dump()}})), written(folder, "rated.json", rated.dump()), table}) {
      Evidence evidence;
      readRatings(evidence, path);
      const Figure& rating = *evidence.of("bnb-nf4").rating;
      QVERIFY(rating.value == 4.25 && rating.n == 12 && rating.ci95 && rating.ci95->low == 4.0);
      QVERIFY(!evidence.of("bnb-nf4").seen);
    }
    Evidence both;                       // as a study it tells what was noticed, too
    addStudy(both, rated, "study");
    QVERIFY(both.of("bnb-nf4").seen && both.of("bnb-nf4").rating->value == 4.25);
    QVERIFY(both.sources.front().text.ends_with("mean opinions of 1 precisions"));
    rated["with_exclusions"]["detection"] = nlohmann::json::array();
    Evidence opinions;
    addStudy(opinions, rated, "study");
    QVERIFY(!opinions.of("bnb-nf4").seen && opinions.of("bnb-nf4").rating->n == 12);
    QVERIFY(refusal(written(folder, "unrated.json", analysis_.dump()), readRatings).contains("unrated.json: these are no ratings"));
    QVERIFY(refusal(written(folder, "x.json", R"({"bnb-nf4": {"value": "4"}})"), readRatings).contains("x.json: these are no ratings"));
    QVERIFY(refusal(folder.filePath("none.json").toStdString(), readRatings).contains("none.json: cannot be read"));
  }

  void comparisonsAreReadFromFileAndFolder() {
    const QTemporaryDir folder;
    const auto path = written(folder, "report.json", comparison({"bf16", "bnb-nf4"}, {0.3, 0.29}, {2, 1}).dump());
    for (const auto& given : {path, path.parent_path()}) {
      Evidence evidence;
      readComparison(evidence, given);
      QCOMPARE(evidence.reference, std::string("bf16"));
      QCOMPARE(evidence.of("bnb-nf4").clipChange->n, std::size_t{8});
      QVERIFY(evidence.of("bnb-nf4").clipChange->ci95.has_value());
      QVERIFY(!evidence.of("bf16").clipChange);
      QCOMPARE(evidence.device, std::string("cpu"));
    }
    QVERIFY(refusal(written(folder, "other.json", analysis_.dump()), readComparison).contains("other.json: no report of a comparison"));
    auto edited = comparison({"bf16", "bnb-nf4"}, {0.3, 0.29}, {2, 1});
    edited["model"] = 5;                   // no name: of no model that is asked for
    Evidence evidence;
    QCOMPARE(readComparison(evidence, written(folder, "edited.json", edited.dump())), std::string());
  }

  // 24 GiB of weights and what is beside them, on every size.
  void theGpuTable() {
    MemoryEstimate broken{.precision = "x", .placements = {}, .error = "not known"};
    const auto table = gpuTable({option("bf16", 16, 24).memory, option("bnb-nf4", 4.5, 7).memory, broken});
    const auto fit = [&](std::size_t row, const char* gpu) {
      for (std::size_t i = 0; i < knownGpus().size(); ++i)
        if (knownGpus()[i].id == gpu) return table[row].cells[i].fit;
      return Fit::No;
    };
    QVERIFY(fit(0, "rtx-4060") == Fit::Offload && fit(0, "rtx-4090") == Fit::Offload &&
            fit(0, "rtx-5090") == Fit::InTurn && fit(0, "a100-40") == Fit::Together);
    QVERIFY(fit(1, "rtx-4060") == Fit::Offload && fit(1, "rtx-4070") == Fit::InTurn && fit(1, "l4") == Fit::Together);
    QVERIFY(table[2].cells.empty());
    QCOMPARE(QString::fromStdString(toText(table)).split('\n').value(1),
             QString("bf16                2.8 offload  2.8 offload  2.8 offload  2.8 offload  2.8 offload"
                     "  2.8 offload 25.6 in turn    35.1 fits    35.1 fits    35.1 fits"));
    QCOMPARE(toJson(table)["rows"][1]["cells"].size(), knownGpus().size());
    QCOMPARE(toJson(table)["rows"][2]["error"].get<std::string>(), std::string("not known"));
  }
};

QTEST_GUILESS_MAIN(FilesTest)
#include "files_test.moc"
