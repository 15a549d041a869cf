// Named policies: shipped ones, the user's own on disk, and what import says of a file that is none.
#include "ui/models/policy_library.h"
#include "ui/models/precision_names.h"

#include <QDir>
#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

using namespace quantspot::ui;

namespace {

const QStringList kIds{"bf16", "bnb-nf4", "bnb-int8"};
const QStringList kLayers{"transformer_blocks.0.attn.to_q", "transformer_blocks.18.attn.to_q", "single_transformer_blocks.0.proj_out",
                          "single_transformer_blocks.9.proj_out", "single_transformer_blocks.37.proj_out"};

NamedPolicy mine(const QString& name) {
  return {name, "flux", {}, {"bnb-nf4", {"norm"}, {{"b", "bf16"}, {"a", "bnb-int8"}}}, false, {}};
}

QString written(const QTemporaryDir& folder, const QByteArray& bytes) {
  QFile file(folder.filePath(QStringLiteral("given.json")));
  if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size()) qFatal("not written");
  return file.fileName();
}

}  // namespace

class PolicyLibraryTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void shippedOnesAreThereAndReadable() {
    const PolicyLibrary library({});
    const int files = static_cast<int>(QDir(QStringLiteral(QUANTSPOT_SOURCE_DIR "/resources/policies")).entryList({"*.json"}).size());
    QVERIFY(files >= 7);
    QCOMPARE(static_cast<int>(library.policies().size()), files);   // each is built in and can be read
    for (const NamedPolicy& policy : library.policies()) {
      QVERIFY(policy.shipped && !policy.about.isEmpty());
      QVERIFY2(parsePolicyText(policyFor(policy, kLayers), {policy.policy.base, "bf16", "fp32", "bnb-int8", "quanto-int8", "quanto-int4"}), qPrintable(policyFor(policy, kLayers)));
    }
    const auto forSdxl = library.policies(QStringLiteral("sdxl"));
    QVERIFY(std::ranges::any_of(forSdxl, [](const NamedPolicy& policy) { return policy.family.isEmpty(); }));
    QVERIFY(std::ranges::any_of(forSdxl, [](const NamedPolicy& policy) { return policy.family == "sd,sdxl"; }));
  }

  void theLastBlockIsThatOfTheModel() {
    NamedPolicy policy = mine(QStringLiteral("x"));
    policy.policy = {"bnb-nf4", {"single_transformer_blocks.{last}"}, {{"^transformer_blocks.{last}", "bnb-int8"}}};
    QVERIFY(needsLayers(policy) && !needsLayers(mine(QStringLiteral("y"))));
    QCOMPARE(policyFor(policy, kLayers), QStringLiteral("bnb-nf4?skip=single_transformer_blocks.37&^transformer_blocks.18=bnb-int8"));
    QCOMPARE(policyFor(policy, {}), QStringLiteral("bnb-nf4?skip=single_transformer_blocks.{last}&^transformer_blocks.{last}=bnb-int8"));
  }

  void aSavedPolicyIsThereAtTheNextStart() {
    QTemporaryDir folder;
    const QString path = folder.filePath(QStringLiteral("policies"));
    {
      PolicyLibrary library(path);
      QSignalSpy changed(&library, &PolicyLibrary::changed);
      const auto shipped = library.policies().size();
      QVERIFY(library.save(mine(QStringLiteral("  Zürich, 4 bit  "))));
      QVERIFY(library.save(mine(QStringLiteral("A first"))));
      QCOMPARE(changed.count(), 2);
      QCOMPARE(library.policies().size(), shipped + 2);
      QCOMPARE(library.policies().back().name, QStringLiteral("Zürich, 4 bit"));
    }
    PolicyLibrary again(path);
    const NamedPolicy last = again.policies().back();
    QCOMPARE(last.policy, mine({}).policy);          // the order of the rules, too
    QCOMPARE(last.family, QStringLiteral("flux"));
    QVERIFY(!last.shipped);
    NamedPolicy changed = mine(QStringLiteral("zürich, 4 BIT"));
    changed.policy.base = QStringLiteral("bf16");
    const auto before = again.policies().size();
    QVERIFY(again.save(changed));                    // the same name: replaced
    QCOMPARE(again.policies().size(), before);
    QVERIFY(again.remove(QStringLiteral("Zürich, 4 bit")));
    QCOMPARE(QDir(path).entryList(QDir::Files), QStringList{"a-first.json"});
    QVERIFY(!again.remove(QStringLiteral("Zürich, 4 bit")));
    QVERIFY(again.lastError().contains(QStringLiteral("no policy")));
  }

  void longTextsHaveShortNames() {
    const QString text = QStringLiteral("bnb-nf4?skip=norm&single_transformer_blocks.2=bf16");
    const QString id = QStringLiteral("fp8-layerwise-e5m2-and-a-long-tail");
    QCOMPARE(shortName(id), id);
    QCOMPARE(shortName(QStringLiteral("bnb-nf4?skip=attn")), QStringLiteral("bnb-nf4?skip=attn"));
    QCOMPARE(shortName(text), QStringLiteral("bnb-nf4?ski…s.2=bf16"));
    setPolicyNames({{text, QStringLiteral("mine")}, {QStringLiteral("bf16?a=fp32"), QString(50, 'x')}});
    QCOMPARE(shortName(text), QStringLiteral("mine"));
    QCOMPARE(shortName(QStringLiteral("bf16?a=fp32")).size(), 20);
    setPolicyNames({});
    QCOMPARE(shortName(QStringLiteral("bf16?a=fp32")), QStringLiteral("bf16?a=fp32"));
  }

  void namesThatMakeTheSameFileAreKeptApart() {
    QTemporaryDir folder;
    PolicyLibrary library(folder.path());
    QVERIFY(library.save(mine(QStringLiteral("a b"))) && library.save(mine(QStringLiteral("a/b"))) && library.save(mine(QStringLiteral("../../b"))));
    QCOMPARE(QDir(folder.path()).entryList(QDir::Files), (QStringList{"a-b-2.json", "a-b.json", "b.json"}));
  }

  void shippedNamesAreTaken() {
    PolicyLibrary library({});
    QVERIFY(!library.save(mine(library.policies().front().name)));
    QVERIFY(library.lastError().contains(QStringLiteral("comes with the program")));
    QVERIFY(!library.save(mine(QString())));
    QVERIFY(library.save(mine(QStringLiteral("without a disk"))));   // until the end of the program
    QCOMPARE(library.policies().back().name, QStringLiteral("without a disk"));
  }

  void aFolderThatCannotBeWrittenSaysSo() {
    QTemporaryDir folder;
    PolicyLibrary library(written(folder, "x") + QStringLiteral("/policies"));
    QVERIFY(!library.save(mine(QStringLiteral("a"))));
    QVERIFY2(library.lastError().contains(QStringLiteral("given.json/policies")), qPrintable(library.lastError()));
  }

  void anExportedPolicyIsImportedElsewhere() {
    QTemporaryDir folder;
    PolicyLibrary here({}), there(folder.filePath(QStringLiteral("there")));
    const QString file = folder.filePath(QStringLiteral("out.json"));
    QVERIFY(here.exportTo(file, mine(QStringLiteral("given away"))));
    const auto policy = there.import(file, kIds);
    QVERIFY(policy);
    QCOMPARE(policy->policy, mine({}).policy);
    QCOMPARE(there.policies().back().name, QStringLiteral("given away"));
    QVERIFY(!here.exportTo(folder.filePath(QStringLiteral("no/such/folder.json")), *policy));
    QVERIFY(here.lastError().contains(QStringLiteral("cannot be written")));
  }

  void importSaysWhatIsWrong_data() {
    QTest::addColumn<QByteArray>("json");
    QTest::addColumn<QString>("says");
    QTest::newRow("empty") << QByteArray() << "given.json: not JSON";
    QTest::newRow("no JSON") << QByteArray("bnb-nf4?skip=a") << "not JSON";
    QTest::newRow("a list") << QByteArray("[]") << "“schema” is missing";
    QTest::newRow("another file") << QByteArray(R"({"name": "x"})") << "“schema” is missing";
    QTest::newRow("a newer one") << QByteArray(R"({"schema": 2, "name": "x", "base": "bf16"})") << "schema 2 is not known to this version, which reads 1";
    QTest::newRow("no name") << QByteArray(R"({"schema": 1, "base": "bf16"})") << "“name” is missing";
    QTest::newRow("no base") << QByteArray(R"({"schema": 1, "name": "x", "base": 4})") << "“base” is missing or no text";
    QTest::newRow("unknown base") << QByteArray(R"({"schema": 1, "name": "x", "base": "nf3"})") << "this engine has no precision “nf3”";
    QTest::newRow("skip is text") << QByteArray(R"({"schema": 1, "name": "x", "base": "bf16", "skip": "a"})") << "“skip” is no list";
    QTest::newRow("skip holds a number") << QByteArray(R"({"schema": 1, "name": "x", "base": "bf16", "skip": [1]})") << "“skip” holds something";
    QTest::newRow("layers is an object") << QByteArray(R"({"schema": 1, "name": "x", "base": "bf16", "layers": {"a": "bf16"}})") << "“layers” is no list";
    QTest::newRow("unknown precision") << QByteArray(R"({"schema": 1, "name": "x", "base": "bf16", "layers": [{"pattern": "a", "precision": "q9"}]})") << "no precision “q9”";
    QTest::newRow("a pattern of two") << QByteArray(R"({"schema": 1, "name": "x", "base": "bf16", "skip": ["a&b=bf16"]})") << "the pattern “a&b=bf16”";
    QTest::newRow("a long name") << QByteArray(R"({"schema": 1, "base": "bf16", "name": "N"})").replace("\"N", '"' + QByteArray(81, 'n')) << "81 letters";
  }
  void importSaysWhatIsWrong() {
    QFETCH(QByteArray, json);
    QFETCH(QString, says);
    QTemporaryDir folder;
    PolicyLibrary library({});
    const auto before = library.policies().size();
    QVERIFY(!library.import(written(folder, json), kIds));
    QVERIFY2(library.lastError().contains(says), qPrintable(library.lastError()));
    QVERIFY(!library.lastError().contains(u'\n'));
    QCOMPARE(library.policies().size(), before);
  }

  void aBrokenFileOfTheFolderDoesNotHideTheOthers() {
    QTemporaryDir folder;
    written(folder, "{");
    QVERIFY(PolicyLibrary(folder.path()).save(mine(QStringLiteral("whole"))));
    const PolicyLibrary library(folder.path());
    QCOMPARE(library.policies().back().name, QStringLiteral("whole"));
    QCOMPARE(library.unreadable().size(), 1);
    QVERIFY(library.unreadable()[0].startsWith(QStringLiteral("given.json: not JSON")));
  }
};

QTEST_GUILESS_MAIN(PolicyLibraryTest)
#include "policy_library_test.moc"
