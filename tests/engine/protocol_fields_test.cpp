// Every field of every message with what does not fit it: one line that names the field, and nothing is bent.
#include "engine/protocol/fields.h"
#include "engine/protocol/read.h"
#include "engine/protocol/rpc.h"
#include "tests/engine/message_samples.h"

#include <QTest>

#include <set>

using namespace quantspot::protocol;
using nlohmann::json;
using quantspot::test::Sample;

namespace {

// Empty: it was read.
std::string complaint(const Sample& sample, const json& message) try {
  sample.read(message);
  return {};
} catch (const FieldError& error) {
  return error.what();
}

// The place of a value as FieldError writes it.
std::string pathOf(const json::json_pointer& place) {
  std::string path;
  for (json::json_pointer rest = place; !rest.empty(); rest = rest.parent_pointer()) {
    const std::string key = rest.back();
    const bool index = !key.empty() && key.find_first_not_of("0123456789") == std::string::npos;
    path = (index ? '[' + key + ']' : key) + (path.empty() || path.front() == '[' ? "" : ".") + path;
  }
  return path;
}

// Of a field that holds `good`: what does not fit it.
std::vector<json> misfits(const json& good, bool mayLack) {
  const json list = json::array({json::array()}), object = {{"a", 1}};
  std::vector<json> bad = {list, object};
  if (good.is_array()) bad = {object};
  if (good.is_object()) bad = {list};
  if (!mayLack) bad.push_back(nullptr);
  if (!good.is_string()) bad.push_back("3");
  if (!good.is_boolean()) bad.push_back(true);
  if (!good.is_number()) bad.insert(bad.end(), {7, 0.5});
  if (good.is_number_integer()) bad.insert(bad.end(), {3.7, 3.0, 1e30, -1e30, good == ~std::uint64_t{0} ? json(-1) : json(~std::uint64_t{0})});
  return bad;
}

}  // namespace

class FieldsTest : public QObject {
  Q_OBJECT
  const std::vector<Sample> samples_ = quantspot::test::messageSamples();

 private Q_SLOTS:
  void everyMessageOfTheSchemaIsThereWithAllItsFields() {
    const json schema = json::parse(std::ifstream(QUANTSPOT_SOURCE_DIR "/engine/protocol/schema.json"));
    std::set<std::string> left;
    for (const auto& [name, definition] : schema["$defs"].items()) left.insert(name);
    for (const Sample& sample : samples_) {
      for (const auto& [definition, place] : sample.holds) {
        QVERIFY2(sample.whole.contains(place), (sample.name + place.to_string()).c_str());
        for (const auto& [key, rule] : schema["$defs"][definition]["properties"].items())
          QVERIFY2(sample.whole[place].contains(key) || (definition == "Report" && key == "unet"), (definition + "." + key).c_str());
        left.erase(definition);
      }
    }
    for (const char* plain : {"TwoNumbers", "Empty", "Null"}) left.erase(plain);
    QVERIFY2(left.empty(), left.empty() ? "" : left.begin()->c_str());
  }

  void whatIsWholeIsRead() {
    for (const Sample& sample : samples_) QCOMPARE(QString::fromStdString(complaint(sample, sample.whole)), QString());
  }

  void everyFieldRefusesWhatDoesNotFit() {
    int tried = 0;
    for (const Sample& sample : samples_) {
      const json leaves = sample.whole.flatten();
      for (const auto& [flat, value] : leaves.items()) {
        for (json::json_pointer place(flat); !place.empty(); place = place.parent_pointer()) {
          const std::string path = pathOf(place);
          if (sample.untyped.contains(path)) break;
          for (const json& bad : misfits(sample.whole[place], sample.mayLack.contains(path))) {
            json message = sample.whole;
            message[place] = bad;
            const std::string line = complaint(sample, message), said = sample.name + ": " + path + " = " + bad.dump() + ": " + line;
            QVERIFY2(line.starts_with(path) && line.find(" is not ") != std::string::npos, said.c_str());
            QVERIFY2(line.find('\n') == std::string::npos && line.find("json.exception") == std::string::npos && line.size() < 250, said.c_str());
            ++tried;
          }
        }
      }
    }
    qInfo("%d values refused", tried);
    QVERIFY(tried > 1500);
  }

  void everyMethodOfTheSchemaHasItsResultChecked() {
    const json schema = json::parse(std::ifstream(QUANTSPOT_SOURCE_DIR "/engine/protocol/schema.json"));
    for (const auto& [method, parts] : schema["methods"].items()) {
      const std::string definition = parts["result"]["$ref"].get<std::string>().substr(std::string("#/$defs/").size());
      if (definition == "Null") continue;
      const auto sample = std::ranges::find(samples_, definition, &Sample::name);
      QVERIFY2(sample != samples_.end(), definition.c_str());
      checkResult(method, sample->whole);
      QVERIFY_EXCEPTION_THROWN(checkResult(method, json::array()), FieldError);
    }
    checkResult("of/later", json::array());
  }

  void numbersOf32BitsAreNotCut() {
    for (const auto& [name, path] : quantspot::test::narrowFields()) {
      const auto sample = std::ranges::find(samples_, name, &Sample::name);
      QVERIFY2(sample != samples_.end(), name.c_str());
      json message = sample->whole;
      const json::json_pointer place(path);
      QVERIFY2(message.contains(place), path.c_str());
      message[place] = std::int64_t{1} << 32;
      const QString expected = QString::fromStdString(pathOf(place)) + QStringLiteral(" = 4294967296 is not within -2147483648 to 2147483647");
      QCOMPARE(QString::fromStdString(complaint(*sample, message)), expected);
    }
  }

  void whatIsMissingIsNamed() {
    QCOMPARE(QString::fromStdString(complaint(samples_.front(), {{"model", "x"}, {"recipe", {{"seed", 1}}}})), QStringLiteral("recipe.prompt is missing"));
    const auto scan = std::ranges::find(samples_, "ScanResult", &Sample::name);
    json message = scan->whole;
    message["groups"][0].erase("error");
    QCOMPARE(QString::fromStdString(complaint(*scan, message)), QStringLiteral("groups[0].error is missing"));
    QCOMPARE(QString::fromStdString(complaint(*scan, json::array())), QStringLiteral("the message (a list) is not an object"));
  }

  void unknownFieldsOfALaterVersionArePassedOver() {
    for (const Sample& sample : samples_) {
      json message = sample.whole;
      message["of_a_later_version"] = {{"x", 3.7}};
      QCOMPARE(QString::fromStdString(complaint(sample, message)), QString());
    }
  }

  void namesAndValuesOfThePeerStayOneShortLine() {
    const auto hardly = std::ranges::find(samples_, "FitResult", &Sample::name);
    const std::string key = "a\n\x1b[31m" + std::string(500, 'k'), line = complaint(*hardly, {{"instead", {{{key, std::vector<int>(9)}}}}});
    QVERIFY2(line.starts_with("instead[0].a  [31mkkk") && line.size() < 200 && line.ends_with("(a list) is not a string"), line.c_str());
    const std::string text = complaint(samples_.front(), {{"model", "x"}, {"recipe", {{"prompt", "x"}, {"steps", "\xff\n" + std::string(999, 't')}}}});
    QVERIFY2(text.starts_with("recipe.steps = \"\\ufffd\\nttt") && text.size() < 150 && text.ends_with("… is not a whole number"), text.c_str());
  }

  void noJsonIsToldWithItsField_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("line");
    QTest::newRow("NaN") << R"({"id":1,"params":{"recipe":{"prompt":"x","guidance":NaN}}})" << " at byte 53, in params.recipe.guidance: 'NaN' does not belong there";
    QTest::newRow("infinity") << R"({"params":{"max_error": -Infinity, "x":1}})" << " at byte 25, in params.max_error: '-Infinity' does not belong there";
    QTest::newRow("beyond a double") << R"({"params":{"all":[1,1e999]}})" << " at byte 21, in params.all: '1e999' does not belong there";
    QTest::newRow("cut") << R"({"params":{"all":[1)" << " at byte 20, in params.all: it ends there";
    QTest::newRow("nothing") << "" << " at byte 1: it ends there";
  }
  void noJsonIsToldWithItsField() {
    QFETCH(QString, text);
    QFETCH(QString, line);
    try {
      parseMessage(text.toStdString());
      QFAIL("accepted");
    } catch (const RpcError& error) {
      QCOMPARE(error.code, int(ParseError));
      QCOMPARE(QString::fromUtf8(error.what()), "the message is no JSON" + line);
    }
  }

  void errorsAndIdsOfRepliesAreReadAsStrictly_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("line");
    const QString start = QStringLiteral(R"({"jsonrpc":"2.0","id":)");
    QTest::newRow("code") << start + R"(1,"error":{"code":3.7,"message":"x"}})" << "error.code = 3.7 is not a whole number";
    QTest::newRow("message") << start + R"(1,"error":{"code":3,"message":7}})" << "error.message = 7 is not a string";
    QTest::newRow("error") << start + R"(1,"error":"x"})" << "error = \"x\" is not an object";
    QTest::newRow("id of a float") << start + R"(1.5,"result":1})" << "the id of a request is an integer of 64 bits";
    QTest::newRow("id beyond") << start + R"(18446744073709551615,"result":1})" << "the id of a request is an integer of 64 bits";
  }
  void errorsAndIdsOfRepliesAreReadAsStrictly() {
    QFETCH(QString, text);
    QFETCH(QString, line);
    try {
      toReply(parseMessage(text.toStdString()));
      QFAIL("accepted");
    } catch (const RpcError& error) {
      QCOMPARE(QString::fromUtf8(error.what()), line);
    }
  }
};

QTEST_APPLESS_MAIN(FieldsTest)
#include "protocol_fields_test.moc"
