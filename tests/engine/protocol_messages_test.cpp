#include "engine/protocol/base64.h"
#include "engine/protocol/quantity.h"
#include "engine/protocol/fields.h"
#include "engine/protocol/rpc.h"

#include <QTest>

#include <cmath>
#include <numeric>

using namespace quantspot::protocol;
using nlohmann::json;

class MessagesTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void base64FollowsTheStandard() {
    const std::vector<std::pair<std::string, std::string>> vectors = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="},
                                                                      {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xbf", "+/+/"}};
    for (const auto& [plain, coded] : vectors) {
      const std::vector<std::uint8_t> bytes(plain.begin(), plain.end());
      QCOMPARE(toBase64(bytes), coded);
      QCOMPARE(fromBase64(coded), bytes);
    }
  }

  void base64KeepsEveryByteAtEveryLength() {
    for (std::size_t n = 0; n < 300; ++n) {
      std::vector<std::uint8_t> bytes(n);
      std::iota(bytes.begin(), bytes.end(), static_cast<std::uint8_t>(n));
      QCOMPARE(fromBase64(toBase64(bytes)), bytes);
    }
  }

  void brokenBase64IsRefused() {
    for (const char* text : {"abc", "ab!d", "a===", "====", "ab=c", "Zg==\n"}) QVERIFY_EXCEPTION_THROWN(fromBase64(text), std::invalid_argument);
  }

  void quantitiesAreReadTheSameInEveryLocale() {
    const std::tuple<const char*, double, const char*> good[] = {{"6GiB", 6, "GiB"}, {"500 MB", 500, "MB"}, {"-5%", -5, "%"}, {"+0.05", 0.05, ""},
                                                                  {"1e3 ", 1000, ""}, {"1.5  G", 1.5, "G"}};
    for (const auto& [text, value, unit] : good) {
      const auto found = parseQuantity(text);
      QVERIFY2(found && found->value == value && found->unit == unit, text);
    }
    for (const char* text : {"", "GiB", " 5", "+-5", "--5", "inf", "nan", "infGiB", "1e999"}) QVERIFY2(!parseQuantity(text), text);
    QCOMPARE(parseQuantity("0x10")->unit, std::string("x10"));   // which no caller knows
  }

  void callsAndRepliesComeBack() {
    const Call call = toCall(parseMessage(encode(Call{5, "samples/generate", {{"a", 1}}})));
    QCOMPARE(call.id, std::optional<std::int64_t>(5));
    QCOMPARE(call.method, std::string("samples/generate"));
    QVERIFY(call.params == json({{"a", 1}}));
    const Reply reply = toReply(parseMessage(encode(Reply{5, {{"b", 2}}, {}})));
    QVERIFY(reply.result == json({{"b", 2}}) && !reply.error);
    const Reply failed = toReply(parseMessage(encode(Reply{{}, {}, RpcError(OutOfMemory, "no room")})));
    QVERIFY(!failed.id && failed.error->code == OutOfMemory && failed.error->what() == std::string("no room"));
  }

  void brokenTextInAMessageDoesNotThrow() { QVERIFY(!encode(Reply{1, "caf\xe9", {}}).empty()); }

  void badMessagesAreRefused_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<int>("code");
    QTest::newRow("no JSON") << "{\"jsonrpc\":" << int(ParseError);
    QTest::newRow("batch") << "[]" << int(InvalidRequest);
    QTest::newRow("no version") << R"({"method":"initialize"})" << int(InvalidRequest);
    QTest::newRow("no method") << R"({"jsonrpc":"2.0","id":1})" << int(InvalidRequest);
    QTest::newRow("method is a number") << R"({"jsonrpc":"2.0","method":7})" << int(InvalidRequest);
    QTest::newRow("id is a string") << R"({"jsonrpc":"2.0","method":"x","id":"one"})" << int(InvalidRequest);
    QTest::newRow("params are a list") << R"({"jsonrpc":"2.0","method":"x","params":[1]})" << int(InvalidRequest);
  }
  void badMessagesAreRefused() {
    QFETCH(QString, text);
    QFETCH(int, code);
    try {
      toCall(parseMessage(text.toStdString()));
      QFAIL("accepted");
    } catch (const RpcError& error) {
      QCOMPARE(error.code, code);
    }
  }

  void aRecipeNeedsOnlyItsPrompt() {
    const Recipe recipe = json{{"prompt", "a fox"}}.get<Recipe>();
    Recipe expected;
    expected.prompt = "a fox";
    QVERIFY(recipe == expected);
    QVERIFY_EXCEPTION_THROWN((json{{"seed", 1}}.get<Recipe>()), json::exception);
  }

  void aRecipeComesBackWhole() {
    const Recipe recipe{.prompt = "ä", .negative_prompt = "", .seed = ~std::uint64_t{0}, .steps = 3, .width = 32, .height = 48, .guidance = 2.5,
                        .true_cfg = 4, .scheduler = "other", .guidance_rescale = 0.5, .clip_skip = 2, .original_size = {{640, 480}}, .target_size = {{64, 32}}, .crop = {{3, 5}}, .strength = 0.3, .prompt_weights = true, .vae_tiling = true, .vae_slicing = true, .bin_size = true,
                        .max_sequence_length = 64};
    QVERIFY(json::parse(json(recipe).dump()).get<Recipe>() == recipe);
    Recipe plain;
    plain.prompt = "x";
    QVERIFY(json(plain)["negative_prompt"].is_null() && json(plain)["guidance"].is_null());
    QVERIFY(json(plain).get<Recipe>() == plain);
    for (const char* key : {"guidance_rescale", "clip_skip", "original_size", "target_size", "crop", "strength", "prompt_weights", "vae_tiling", "vae_slicing", "bin_size"}) QVERIFY2(!json(plain).contains(key), key);
  }

  void aRecipeRefusesNumbersThatItWouldBend_data() {
    QTest::addColumn<QString>("recipe");
    QTest::newRow("half a step") << R"({"prompt":"x","steps":2.5})";
    QTest::newRow("negative seed") << R"({"prompt":"x","seed":-1})";
    QTest::newRow("huge width") << R"({"prompt":"x","width":4294967296})";
    QTest::newRow("text") << R"({"prompt":"x","height":"128"})";
    QTest::newRow("true") << R"({"prompt":"x","seed":true})";
  }
  void aRecipeRefusesNumbersThatItWouldBend() {
    QFETCH(QString, recipe);
    QVERIFY_EXCEPTION_THROWN(json::parse(recipe.toStdString()).get<Recipe>(), FieldError);
  }

  void anInfiniteScoreIsNull() {
    const json sent = ScoreResult{"psnr", "PSNR", INFINITY};
    QVERIFY(sent["value"].is_null());
    QVERIFY(std::isinf(sent.get<ScoreResult>().value));
    QVERIFY(!sent.contains("ci95") && !sent.contains("published") && !sent.contains("features"));
  }

  void aScoreOfSetsComesBackWhole() {
    ScoreResult sent{"kid", "KID", 0.01};
    sent.n = 30, sent.ci95 = {0.005, 0.015}, sent.published = 0.02, sent.weights_sha256 = "ab", sent.warnings = {"few"}, sent.features = {{0.5f, -1}};
    const ScoreResult got = json(sent).get<ScoreResult>();
    QCOMPARE(got.n, sent.n);
    QVERIFY(got.ci95 == sent.ci95 && got.published == sent.published && got.weights_sha256 == sent.weights_sha256);
    QVERIFY(got.warnings == sent.warnings && got.features == sent.features);
    const ScoreResult old = json::parse(R"({"metric":"psnr","label":"PSNR","value":30})").get<ScoreResult>();   // of an engine before sets
    QVERIFY(old.n == 1 && !old.ci95 && old.warnings.empty());
  }
};

QTEST_APPLESS_MAIN(MessagesTest)
#include "protocol_messages_test.moc"
