#include "study/error.h"
#include "study/order.h"
#include "study/picture.h"
#include "tests/study/reason.h"
#include "tests/study/sample_study.h"

#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QTemporaryDir>
#include <QTest>

#include <functional>
#include <set>

using namespace quantspot::study;
using quantspot::study::test::reason;

class ProtocolTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void aProtocolComesBackFromItsJson() {
    Protocol p = sample::protocol();
    p.before = {{"eyes", "choice", "Do you wear glasses?", {"yes", "no"}}};
    p.stopping = {StoppingRule::Sprt, 0.25, 0.4, 0.05, 0.1, 50};
    p.resume = ResumePolicy::Restart;
    p.order = OrderScheme::Williams;
    const QJsonObject json = toJson(p);
    QCOMPARE(toJson(protocolFromJson(json)), json);
    QCOMPARE(readProtocol(QJsonDocument(json).toJson()).blocks.size(), 2u);
  }

  void whatMakesNoSenseIsRefused_data() {
    QTest::addColumn<QString>("path");
    QTest::addColumn<QJsonValue>("value");
    QTest::addColumn<QString>("said");
    QTest::newRow("schema") << "schema" << QJsonValue(2) << "schema must be 1";
    QTest::newRow("misspelt") << "titel" << QJsonValue("x") << "no key titel";
    QTest::newRow("reference") << "reference" << QJsonValue("fp32") << "'fp32' is not among the variants";
    QTest::newRow("order") << "order" << QJsonValue("latin") << "one of balanced-latin-square, williams, random";
    QTest::newRow("no comparisons") << "comparisons" << QJsonValue(QJsonArray()) << "no comparison";
    QTest::newRow("kind") << "blocks" << QJsonValue(QJsonArray{QJsonObject{{"kind", "guess"}}}) << "blocks[0].kind must be spot";
    QTest::newRow("trials") << "blocks" << QJsonValue(QJsonArray{QJsonObject{{"kind", "abx"}}}) << "blocks[0]: trials must be 1";
    QTest::newRow("slots") << "blocks" << QJsonValue(QJsonArray{QJsonObject{{"kind", "spot"}, {"trials", 5}, {"slots", 1}}})
        << "slots must be 2 to 9";
    QTest::newRow("type") << "title" << QJsonValue(5) << "title must be a text";
    QTest::newRow("whole") << "practice" << QJsonValue(1.5) << "practice must be a whole number";
    QTest::newRow("margin") << "analysis" << QJsonValue(QJsonObject{{"margin", 1.0}}) << "margin must lie between";
    QTest::newRow("sprt") << "stopping" << QJsonValue(QJsonObject{{"rule", "sprt"}}) << "0 < null_rate";
    QTest::newRow("date") << "retention_until" << QJsonValue("soon") << "must be a date";
    QTest::newRow("viewing") << "min_viewing_s" << QJsonValue(-1) << "min_viewing_s must be 0 or more";
  }
  void whatMakesNoSenseIsRefused() {
    QFETCH(QString, path);
    QFETCH(QJsonValue, value);
    QFETCH(QString, said);
    QJsonObject json = toJson(sample::protocol());
    json[path] = value;
    const QString error = reason([&] { protocolFromJson(json); });
    QVERIFY2(error.contains(said), qPrintable(error));
  }

  // Variants are policies, too, and people name those as they like.
  void variantsHaveTheirFiguresInEveryScript() {
    Protocol p = sample::protocol();
    p.variants = {"bf16", QStringLiteral("größer"), QStringLiteral("重み “4”")};
    p.bits = {{p.variants[1], 4.5}, {p.variants[2], 3}};
    p.costs = {{p.variants[1], {2e9, 3}}};
    const Protocol again = protocolFromJson(toJson(p));
    QCOMPARE(again.bits, p.bits);
    QCOMPARE(again.costs[p.variants[1]].seconds, 3.0);
    QJsonObject json = toJson(p);
    json["costs"] = QJsonObject{{p.variants[1], QJsonObject{{QStringLiteral("größe"), 1}}}};
    QCOMPARE(reason([&] { protocolFromJson(json); }), QStringLiteral("protocol: there is no key costs.größer.größe"));
  }

  void aBlockNeedsAComparisonThatCounts() {
    Protocol p = sample::protocol();
    p.blocks[1].comparisons = {"c5"};                                    // of practice
    QVERIFY(reason([&] { validate(p); }).contains("blocks[1]: all its comparisons are for practice"));
    p.blocks[1].comparisons << "c2";
    QCOMPARE(reason([&] { validate(p); }), QString());
  }

  // What freezes no more; what was frozen with it can still be read.
  void whatNobodyMeansIsNotFrozen_data() {
    QTest::addColumn<std::function<void(Protocol&)>>("change");
    QTest::addColumn<QString>("said");
    const auto row = [](const char* name, const char* said, const std::function<void(Protocol&)>& change) {
      QTest::newRow(name) << change << QString::fromUtf8(said);
    };
    row("trials", "blocks[]: 10019 trials of one participant are more than 10000", [](Protocol& p) { p.blocks[0].trials = 10005; });
    row("practice", "more than 10000", [](Protocol& p) { p.practice = 1000000000; });
    row("people", "participants must be 100000 or fewer", [](Protocol& p) { p.participants = 1000000000; });
    row("ranking", "blocks[0]: a ranking shows all 10 variants, and there is room for 9", [](Protocol& p) {
      p.blocks[0] = {}, p.blocks[0].kind = TrialKind::Ranking, p.blocks[0].trials = 1;
      for (int i = 0; p.variants.size() < 10; ++i) p.variants << QStringLiteral("v%1").arg(i);
    });
    row("question twice", "question 'q' is there twice", [](Protocol& p) { p.before = {{"q", "text", "One?", {}}, {"q", "text", "Two?", {}}}; });
    row("question without words", "question 'q' has no words", [](Protocol& p) { p.after = {{"q", "text", " ", {}}}; });
    row("answer twice", "answers must be unlike each other", [](Protocol& p) { p.after = {{"q", "choice", "One?", {"yes", "no", "yes"}}}; });
    row("empty answer", "and none empty", [](Protocol& p) { p.after = {{"q", "choice", "One?", {"yes", ""}}}; });
    row("misspelt in bits", "bits: there is no variant 'bnb-nf5'", [](Protocol& p) { p.bits = {{"bnb-nf5", 4}}; });
    row("misspelt in costs", "costs: there is no variant 'bnb-nf5'", [](Protocol& p) { p.costs = {{"bnb-nf5", {1, 1}}}; });
    row("variant without a name", "variants: each needs a name in one line, and one is ''", [](Protocol& p) { p.variants[1] = " "; });
    row("variant of two lines", "and one is 'a b'", [](Protocol& p) { p.variants[1] = "a\nb"; });
    row("median below 0", "min_median_ms must be 0 or more", [](Protocol& p) { p.exclusion.min_median_ms = -1; });
    row("no bits", "bits: must be above 0", [](Protocol& p) { p.bits = {{"bnb-nf4", 0}}; });
    row("costs below 0", "must be 0 or more", [](Protocol& p) { p.costs = {{"bnb-nf4", {1, -1}}}; });
  }
  void whatNobodyMeansIsNotFrozen() {
    QFETCH(std::function<void(Protocol&)>, change);
    QFETCH(QString, said);
    Protocol p = sample::protocol();
    change(p);
    QCOMPARE(reason([&] { protocolFromJson(toJson(p)); }), QString());
    const QString error = reason([&] { freeze(p, sample::pictures(p), "x", SealCost::Interactive); });
    QVERIFY2(error.contains(said), qPrintable(error));
  }

  void freezingNamesEveryPictureAndHidesWhichIsWhich() {
    const Protocol p = sample::protocol();
    const FrozenStudy study = sample::frozen(p);
    QCOMPARE(study.hash().size(), 64);
    QCOMPARE(study.pictures.size(), 24);
    const Mapping mapping = study.open(sample::kPassphrase);
    for (const StudyComparison& c : p.comparisons)
      QCOMPARE(barePicture(study.pictures[mapping.images[c.id]["bnb-nf4"]]), sample::pictures(p)[c.id]["bnb-nf4"]);
    QVERIFY(!study.frozen.contains(mapping.salt.toHex()) && !study.sealed.contains("bnb-nf4")
        && !study.sealed.contains(mapping.images["c0"]["bf16"].toLatin1()));
    FrozenStudy changed = study;
    changed.frozen.replace("NF4, as seen", "NF4, as SEEN");
    QVERIFY(changed.hash() != study.hash());
    QVERIFY(reason([&] { study.open("wrong"); }).contains("passphrase is wrong"));
    changed.frozen = study.frozen;
    changed.frozen.replace("\"mapping_sha256\":\"", "\"mapping_sha256\":\"0");
    QVERIFY(reason([&] { changed.open(sample::kPassphrase); }).contains("committed to"));
  }

  void storedPicturesTellNothingButTheirPixels() {
    const Protocol p = sample::protocol();
    Pictures told = sample::pictures(p);
    QByteArray& nf4 = told["c1"]["bnb-nf4"];
    const QByteArray plain = nf4;
    nf4.insert(8 + 25, sample::pngChunk("tEXt", "Comment bnb-nf4") + sample::pngChunk("tIME", "1234567"));
    told["c2"]["gguf-q4_k"] = sample::tinyPng(QByteArray(700, 'x'));
    const FrozenStudy study = freeze(p, told, sample::kPassphrase, SealCost::Interactive);
    for (const QByteArray& stored : study.pictures) {
      QCOMPARE(stored.size(), study.pictures.first().size());
      QVERIFY(!stored.contains("Comment") && !stored.contains("tIME"));
    }
    QCOMPARE(barePicture(study.pictures[study.open(sample::kPassphrase).images["c1"]["bnb-nf4"]]), plain);
    told["c2"]["bf16"] = plain.chopped(3);
    QVERIFY(reason([&] { freeze(p, told, "x", SealCost::Interactive); }).contains("'c2', variant 'bf16': there is no PNG picture: the PNG picture is cut off"));
    told["c2"]["bf16"] = plain;
    told["c2"]["bf16"][45] ^= 1;
    QVERIFY(reason([&] { freeze(p, told, "x", SealCost::Interactive); }).contains("a checksum does not fit"));
    told["c2"]["bf16"] = plain;
    told["c2"]["bf16"].replace(8, 25, sample::pngChunk("IHDR", QByteArray("\0\0\0\2\0\0\0\1\x8\x2\0\0\0", 13)));
    QVERIFY(reason([&] { freeze(p, told, "x", SealCost::Interactive); }).contains("differ in width or height"));
  }

  void theViewersSwitchesAreReadAndOnByDefault() {
    QJsonObject json = toJson(sample::protocol());
    json.remove("viewer"), json.remove("break_every");               // a protocol of before they existed
    QVERIFY(protocolFromJson(json).viewer.zoom && protocolFromJson(json).viewer.flicker);
    QCOMPARE(protocolFromJson(json).break_every, 0);
    json["viewer"] = QJsonObject{{"zoom", false}, {"slider", false}};
    json["break_every"] = 12;
    const Protocol again = protocolFromJson(toJson(protocolFromJson(json)));
    QVERIFY(!again.viewer.zoom && again.viewer.swap && !again.viewer.slider && again.viewer.flicker);
    QCOMPARE(again.break_every, 12);
  }

  void aModelComparedWithItselfIsRefused() {
    const Protocol p = sample::protocol();
    Pictures same = sample::pictures(p);
    same["c2"]["bnb-nf4"] = same["c2"]["bf16"];
    QVERIFY(reason([&] { freeze(p, same, "x", SealCost::Interactive); }).contains("'c2': the pictures of 'bf16' and 'bnb-nf4' are the same file"));
    same["c2"].remove("bnb-nf4");
    QVERIFY(reason([&] { freeze(p, same, "x", SealCost::Interactive); }).contains("there is no PNG"));
    QVERIFY(reason([&] { freeze(p, sample::pictures(p), "", SealCost::Interactive); }).contains("passphrase is empty"));
  }

  void picturesAreReadByComparisonAndVariant() {
    const Protocol p = sample::protocol();
    QTemporaryDir folder;
    const Pictures all = sample::pictures(p);
    QVERIFY(reason([&] { readPictures(p, folder.path()); }).contains("c0/bf16.png cannot be read"));
    for (auto c = all.begin(); c != all.end(); ++c)
      for (auto v = c->begin(); v != c->end(); ++v) {
        QVERIFY(QDir(folder.path()).mkpath(c.key()));
        QFile file(folder.filePath(c.key() + '/' + variantFileName(v.key()) + ".png"));
        QVERIFY(file.open(QIODevice::WriteOnly) && file.write(*v) > 0);
      }
    QCOMPARE(readPictures(p, folder.path()), all);
    QCOMPARE(variantFileName("bnb-nf4?skip=a/b~"), QStringLiteral("bnb-nf4%3Fskip%3Da%2Fb%7E"));
  }

  void sealsOpenOnlyWithTheirPassphraseAndUntouched() {
    const QByteArray sealed = seal("which is which", "secret", SealCost::Interactive);
    QCOMPARE(unseal(sealed, "secret"), QByteArray("which is which"));
    QVERIFY(seal("which is which", "secret", SealCost::Interactive) != sealed);
    QVERIFY(!sealed.contains("which"));
    QVERIFY(!reason([&] { unseal(sealed, "Secret"); }).isEmpty());
    for (const qsizetype at : {qsizetype(0), qsizetype(7), qsizetype(9), qsizetype(30), sealed.size() - 1}) {
      QByteArray bent = sealed;
      bent[at] = static_cast<char>(bent[at] ^ 1);
      QVERIFY2(!reason([&] { unseal(bent, "secret"); }).isEmpty(), qPrintable(QString::number(at)));
    }
    QVERIFY(reason([&] { unseal("QSSEAL1", "secret"); }).contains("damaged"));
  }

  void squaresAreBalanced() {
    for (int n = 1; n <= 9; ++n) {
      std::vector<std::vector<int>> at(n, std::vector<int>(n)), after(n, std::vector<int>(n));
      const Square square = williamsSquare(n);
      for (const auto& row : square) {
        QCOMPARE(std::set<int>(row.begin(), row.end()).size(), static_cast<std::size_t>(n));
        for (int k = 0; k < n; ++k) {
          ++at[row[k]][k];
          if (k > 0) ++after[row[k - 1]][row[k]];
        }
      }
      const int rounds = static_cast<int>(square.size()) / n;
      QCOMPARE(rounds, n % 2 == 1 && n > 1 ? 2 : 1);
      for (int a = 0; a < n; ++a)
        for (int b = 0; b < n; ++b) {
          QCOMPARE(at[a][b], rounds);
          QCOMPARE(after[a][b], a == b ? 0 : rounds);
        }
    }
    QVERIFY(!reason([] { williamsSquare(0); }).isEmpty());
  }

  void drawsAreEvenAndHangOnTheSecret() {
    SecretDraws draws("salt", "label"), again("salt", "label"), other("pepper", "label");
    std::vector<int> counts(6);
    bool different = false;
    for (int i = 0; i < 6000; ++i) {
      const int draw = draws.below(6);
      ++counts[draw];
      QCOMPARE(again.below(6), draw);
      different |= other.below(6) != draw;
    }
    QVERIFY(different);
    QVERIFY(quantspot::statistics::evenness(counts).p_value > 0.001);
  }
};

QTEST_GUILESS_MAIN(ProtocolTest)
#include "protocol_test.moc"
