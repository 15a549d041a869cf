// Token ids against transformers, for awkward prompts and every form of tokenizer files.
#include "engine/model/clip_tokenizer.h"
#include "engine/model/t5_tokenizer.h"
#include "engine/model/unicode.h"
#include "tests/engine/model_golden.h"

#include <QTemporaryDir>
#include <QTest>

using namespace quantspot::model;
using namespace quantspot::model::test;

namespace {

nlohmann::json cases() { return readJson(source("tests/parity/golden/tokenizers/cases.json")); }

// A folder with only these files of another one, and its tokenizer_config.json, as the reference saw it.
std::unique_ptr<QTemporaryDir> copyOf(const std::filesystem::path& folder, const std::vector<std::string>& files) {
  auto copy = std::make_unique<QTemporaryDir>();
  const std::filesystem::path to = copy->path().toStdString();
  for (const auto& file : files) std::filesystem::copy_file(folder / file, to / file);
  std::filesystem::copy_file(folder / "tokenizer_config.json", to / "tokenizer_config.json");
  return copy;
}

}  // namespace

class ModelTokenizerTest : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void idsEqualTheReference_data() {
    QTest::addColumn<int>("index");
    const auto all = cases();
    for (std::size_t i = 0; i < all["tokenizers"].size(); ++i)
      QTest::newRow((all["tokenizers"][i]["folder"].get<std::string>() + "/" + all["tokenizers"][i]["files"][0].get<std::string>()).c_str()) << static_cast<int>(i);
  }
  void idsEqualTheReference() {
    QFETCH(int, index);
    const auto all = cases();
    const auto row = all["tokenizers"][static_cast<std::size_t>(index)];
    const auto folder = copyOf(source(row["folder"]), row["files"]);
    const std::filesystem::path path = folder->path().toStdString();
    const bool clip = row["class"] == "CLIPTokenizer";
    const auto clipTokenizer = clip ? std::make_unique<ClipTokenizer>(path) : nullptr;
    const auto t5Tokenizer = clip ? nullptr : std::make_unique<T5Tokenizer>(path);
    for (std::size_t i = 0; i < all["prompts"].size(); ++i) {
      const auto prompt = all["prompts"][i].get<std::string>();
      auto expected = row["ids"][i].get<std::vector<std::int64_t>>();
      expected.pop_back();
      if (clip) expected.erase(expected.begin());
      const auto got = clip ? clipTokenizer->tokens(prompt) : t5Tokenizer->tokens(prompt);
      if (got != expected)
        QFAIL(qPrintable(QStringLiteral("%1\n got %2\nwant %3").arg(QString::fromStdString(prompt), QString::fromStdString(nlohmann::json(got).dump()),
                                                               QString::fromStdString(nlohmann::json(expected).dump()))));
    }
  }

  void idsOfTheGoldenPipelines_data() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"flux_a", "flux_b", "flux_c"}) QTest::newRow(name) << name;
  }
  void idsOfTheGoldenPipelines() {
    QFETCH(QString, name);
    const Golden golden(name.toStdString());
    const ClipTokenizer clip(golden.pipeline() / "tokenizer");
    const T5Tokenizer t5(golden.pipeline() / "tokenizer_2");
    const auto prompts = golden.recipe["prompts"].get<std::vector<std::string>>();
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      const auto row = static_cast<std::int64_t>(i);
      QVERIFY(at::tensor(clip.encode(prompts[i]).ids, at::kLong).equal(golden["clip_ids"][row]));
      QVERIFY(at::tensor(t5.encode(prompts[i], golden.recipe["max_sequence_length"]).ids, at::kLong).equal(golden["t5_ids"][row]));
    }
  }

  void whatIsCutIsTold() {
    const auto folder = source("resources/default_model");
    std::string prompt;
    for (int i = 0; i < 74; ++i) prompt += "a ";
    const ClipTokenizer clip(folder / "tokenizer");
    QVERIFY(clip.encode(prompt + "fox").cut.empty());
    const TokenIds cut = clip.encode(prompt + "fox and a green pizza");
    QCOMPARE(cut.cut, std::string("and a green pizza"));
    QCOMPARE(cut.ids.size(), std::size_t{77});
    // The cut falls inside the four bytes of the fox: what is told must still be UTF-8.
    const TokenIds inside = clip.encode(prompt + "\U0001F98A");
    QVERIFY(!inside.cut.empty());
    QCOMPARE(inside.cut, unicode::encode(unicode::decode(inside.cut)));
    const T5Tokenizer t5(folder / "tokenizer_2");
    QVERIFY(t5.encode("a fox", 8).cut.empty());
    const TokenIds t5Cut = t5.encode("a a a a a a a a", 5);
    QCOMPARE(t5Cut.cut, std::string("a a a a"));
    QCOMPARE(t5Cut.ids.size(), std::size_t{5});
    QCOMPARE(t5Cut.ids.back(), std::int64_t{1});
  }

  // From transformers 5.23 on the same folders.
  void oddCorners() {
    using Ids = std::vector<std::int64_t>;
    const ClipTokenizer plain(source("resources/default_model/tokenizer")), normalized(source("tests/parity/golden/flux_c/pipeline/tokenizer"));
    QCOMPARE(plain.tokens("<|ENDOFTEXT|>"), (Ids{27, 347, 524, 633, 69, 596, 968, 91, 285}));  // the byte-level step splits once more
    QCOMPARE(normalized.tokens("<|ENDOFTEXT|>"), (Ids{1}));  // special_tokens_map.json says: look after lower-casing
    const T5Tokenizer t5(source("resources/default_model/tokenizer_2"));
    QCOMPARE(t5.tokens("\u0600e\u0301"), (Ids{44, 2, 64, 2}));  // U+0600 and e are one grapheme, so that the accent stays apart
  }

  void aWordOfABookIsQuick() {
    const ClipTokenizer clip(source("resources/default_model/tokenizer"));
    std::string word;
    for (int i = 0; i < 50000; ++i) word += static_cast<char>('a' + i % 191 * i % 26);
    QVERIFY(clip.encode(word).total > 10000);
  }

  void badFilesGiveOneLine_data() {
    QTest::addColumn<QString>("file");
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<QString>("expected");
    QTest::newRow("nothing") << "" << QByteArray() << "vocab.json: is missing";
    QTest::newRow("no merges") << "vocab.json" << QByteArray("{\"a\": 0}") << "merges.txt: is missing";
    QTest::newRow("ids that are no whole numbers") << "vocab.json" << QByteArray("{\"a\": 2.5}") << "vocab.json: is not a BPE tokenizer";
    QTest::newRow("an id that no integer holds") << "vocab.json" << QByteArray("{\"a\": 1e30}") << "vocab.json: is not a BPE tokenizer";
    QTest::newRow("vocab of another kind") << "vocab.json" << QByteArray("{\"a\": \"b\"}") << "vocab.json: is not a BPE tokenizer";
    QTest::newRow("not json") << "tokenizer.json" << QByteArray("{") << "is not valid JSON";
    QTest::newRow("no model") << "tokenizer.json" << QByteArray("{}") << "is not a BPE tokenizer";
    QTest::newRow("merge of unknown") << "tokenizer.json" << QByteArray(R"({"model": {"vocab": {"a": 0}, "merges": ["a b"]}})")
                                      << "merge 'a b' does not fit the vocabulary";
    QTest::newRow("damaged list") << "tokenizer.json" << QByteArray(R"({"model": {"vocab": {"a": 0}, "merges": []}, "added_tokens": [3]})") << "special tokens are damaged";
    QTest::newRow("no end token") << "tokenizer.json" << QByteArray(R"({"model": {"vocab": {"a": 0}, "merges": []}})") << "is not in the vocabulary";
  }
  void badFilesGiveOneLine() {
    QFETCH(QString, file);
    QFETCH(QByteArray, content);
    QFETCH(QString, expected);
    QTemporaryDir folder;
    if (!file.isEmpty()) {
      QFile out(folder.filePath(file));
      QVERIFY(out.open(QIODevice::WriteOnly));
      out.write(content);
    }
    try {
      ClipTokenizer tokenizer(folder.path().toStdString());
      QFAIL("no error");
    } catch (const ModelError& error) {
      QVERIFY2(QString(error.what()).contains(expected), error.what());
      QVERIFY(!QString(error.what()).contains('\n'));
    }
  }

  void damagedSentencePieceIsNamed() {
    QTemporaryDir folder;
    QFile out(folder.filePath("spiece.model"));
    QVERIFY(out.open(QIODevice::WriteOnly));
    out.write("not a model");
    out.close();
    QVERIFY_THROWS_EXCEPTION(ModelError, T5Tokenizer(folder.path().toStdString()));
  }

  void normalizationFormC() {
    using namespace quantspot::model::unicode;
    QCOMPARE(encode(nfc(U"e\u0301")), std::string("é"));
    QCOMPARE(encode(nfc(U"a\u0323\u0302")), std::string("ậ"));  // two marks, either order
    QCOMPARE(encode(nfc(U"a\u0302\u0323")), std::string("ậ"));
    QCOMPARE(encode(nfc(U"\u1112\u1161\u11AB")), std::string("한"));
    QCOMPARE(encode(nfc(U"\u212B")), std::string("Å"));
    QCOMPARE(encode(lower(U"ÀΣİ")), std::string("àσi̇"));
    QCOMPARE(decode("a\xFFz"), std::u32string(U"a\uFFFDz"));
  }
};

QTEST_GUILESS_MAIN(ModelTokenizerTest)
#include "model_tokenizer_test.moc"
