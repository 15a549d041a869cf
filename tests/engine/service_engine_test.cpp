// The real engine and the default model over a pipe.
#include "engine/protocol/base64.h"
#include "tests/engine/engine_process.h"
#include "tests/engine/json_schema.h"
#include "tests/engine/print_json.h"
#include "tests/real_memory.h"

#include <QCryptographicHash>
#include <QFile>
#include <QImage>
#include <QTest>

#include <sys/resource.h>
#include <unistd.h>

#include <map>
#include <set>

using namespace quantspot;
using nlohmann::json;
using protocol::ErrorCode;

namespace {

// Small and quick: 2 steps of 64 × 64.
json request(const std::string& precision, std::uint64_t seed = 7) {
  return {{"model", "default"}, {"precision", precision},
          {"recipe", {{"prompt", "a fox on a yellow background"}, {"seed", seed}, {"steps", 2}, {"width", 64}, {"height", 48}, {"max_sequence_length", 32}}}};
}

QImage picture(const json& result) {
  const auto png = protocol::fromBase64(result["png"].get<std::string>());
  return QImage::fromData(png.data(), static_cast<int>(png.size())).convertToFormat(QImage::Format_RGB888);
}

// From now on the process may have this many bytes more than it has.
void limitMemory(qint64 process, rlim_t more) {
  QFile statm(QStringLiteral("/proc/%1/statm").arg(process));
  if (!statm.open(QIODevice::ReadOnly)) throw std::runtime_error("no /proc");
  const rlim_t limit = statm.readAll().split(' ')[0].toULongLong() * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + more;
  const rlimit both{limit, RLIM_INFINITY};   // so that it can be raised again
  if (::prlimit(static_cast<pid_t>(process), RLIMIT_AS, &both, nullptr) != 0) throw std::runtime_error("prlimit");
}

std::string pixelHash(const QImage& image) {
  QCryptographicHash hash(QCryptographicHash::Sha256);
  for (int y = 0; y < image.height(); ++y) hash.addData(QByteArray(reinterpret_cast<const char*>(image.constScanLine(y)), image.width() * 3));
  return hash.result().toHex().toStdString();
}

}  // namespace

class EngineTest : public QObject {
  Q_OBJECT
  const test::JsonSchema schema_{QUANTSPOT_SOURCE_DIR "/engine/protocol/schema.json"};
  QString wrong(const json& value, const char* definition) const { return QString::fromStdString(schema_.check(value, definition)); }

 private Q_SLOTS:
  void itSaysWhoItIs() {
    test::EngineProcess engine;
    const json result = engine.call("initialize");
    QCOMPARE(wrong(result, "InitializeResult"), QString());
    QCOMPARE(result["engine"]["threads"].get<int>(), 1);
    std::set<std::string> ids;
    for (const json& precision : result["precisions"]) ids.insert(precision["id"]);
    for (const char* id : {"fp32", "bf16", "fp8-layerwise", "bnb-int8", "bnb-nf4"}) QVERIFY2(ids.contains(id), id);
  }

  void itListsTheDefaultModel() {
    test::EngineProcess engine;
    const json result = engine.call("models/list");
    QCOMPARE(wrong(result, "ModelsListResult"), QString());
    QCOMPARE(QString::fromStdString(result["models"][0]["name"]), QStringLiteral("default"));
    QVERIFY(result["models"][0]["missing"].empty());
  }

  void itSaysWhatAModelTakes() {
    test::EngineProcess engine;
    const json flux = engine.call("models/traits", {{"model", "default"}});
    QCOMPARE(wrong(flux, "ModelTraits"), QString());
    QCOMPARE(flux["multiple"].get<int>(), 16);
    QVERIFY(!flux["classifier"].get<bool>() && flux["image_to_image"].get<bool>());
    QCOMPARE(flux["scheduler"].get<std::string>(), flux["schedulers"][0]["id"].get<std::string>());
    const std::string golden = QUANTSPOT_SOURCE_DIR "/tests/parity/golden/";
    const json sd = engine.call("models/traits", {{"model", golden + "sd_a/pipeline"}});
    QCOMPARE(wrong(sd, "ModelTraits"), QString());
    QVERIFY(sd["classifier"].get<bool>() && sd["clip_skip"].get<bool>() && sd["prompt_weights"].get<bool>());
    QVERIFY(sd["schedulers"].size() > 8 && sd["width"].get<int>() > 0);
    const json dit = engine.call("models/traits", {{"model", golden + "dit_a/pipeline"}});
    QCOMPARE(wrong(dit, "ModelTraits"), QString());
    QCOMPARE(dit["classes"].size(), std::size_t{1000});
    QCOMPARE(dit["classes"][7]["id"].get<std::string>(), std::string("7"));
    QVERIFY(!dit["image_to_image"].get<bool>());
  }

  void itSaysWhatCannotBeHeld() {
    test::EngineProcess engine;
    const json fit = engine.call("precisions/fit", {{"shapes", {{64, 256}, {64, 100}, {16, 12, 3, 3}}}});
    QCOMPARE(wrong(fit, "FitResult"), QString());
    QVERIFY(!fit["instead"][0].contains("gguf-q4_k") && !fit["instead"][0].contains("bnb-nf4"));
    QCOMPARE(fit["instead"][1]["gguf-q4_k"].get<std::string>(), std::string("bf16"));
    QVERIFY(fit["instead"][2].contains("gguf-q4_k"));                  // 108 values in a row
  }

  void aScanIsMadeOnceAndSearchedAgain() {
    test::EngineProcess engine;
    json params = {{"precision", "bnb-nf4"}, {"prompts", {"a fox"}}, {"blocks", true}, {"recipe", request("bf16")["recipe"]}};
    const json first = engine.call("policies/scan", params);
    QCOMPARE(wrong(first, "ScanResult"), QString());
    QVERIFY(!first.contains("found") && first["groups"].size() > 5);
    params["known"] = first["groups"];
    params["max_error"] = first["all"].get<double>() / 2;
    const json second = engine.call("policies/scan", params);
    QCOMPARE(wrong(second, "ScanResult"), QString());
    QVERIFY(second["groups"] == first["groups"]);
    QVERIFY(second["found"]["measured"].get<double>() <= params["max_error"].get<double>());
  }

  void reportsAreWholeAndTrue() {
    test::EngineProcess engine;
    const json result = engine.call("samples/generate", request("bnb-nf4"));
    QCOMPARE(wrong(result, "GenerateResult"), QString());
    const json& report = result["report"];
    const QImage image = picture(result);
    QCOMPARE(image.size(), QSize(64, 48));
    QCOMPARE(QString::fromStdString(pixelHash(image)), QString::fromStdString(report["image_sha256"]));
    QCOMPARE(report["seconds"]["steps"].size(), std::size_t{2});
    QVERIFY(report["recipe"]["guidance"].is_null());
    for (const char* phase : {"load", "encode", "denoise", "decode"}) QVERIFY2(report["peak_bytes"][phase].get<std::int64_t>() > 50 << 20, phase);
    for (const auto& [component, weights] : report["weights"].items()) {
      std::int64_t sum = 0;
      for (const json& layer : weights["layers"]) sum += layer["bytes"].get<std::int64_t>();
      QCOMPARE(sum, weights["bytes"].get<std::int64_t>());
    }
  }

  void variantsShareTheNoiseAndDiffer() {
    test::EngineProcess engine;
    const json bf16 = engine.call("samples/generate", request("bf16")), nf4 = engine.call("samples/generate", request("bnb-nf4"));
    QCOMPARE(test::text(bf16["report"]["noise_sha256"]), test::text(nf4["report"]["noise_sha256"]));
    QVERIFY(bf16["report"]["image_sha256"] != nf4["report"]["image_sha256"]);
    QVERIFY(!bf16["report"]["prompt_reused"].get<bool>());
    QVERIFY(nf4["report"]["prompt_reused"].get<bool>());
  }

  void textEncodersFollowTheirOwnRules() {
    test::EngineProcess engine;
    const json plain = engine.call("samples/generate", request("bnb-nf4"))["report"], packed = engine.call("samples/generate", request("bnb-nf4?text_encoder=bnb-nf4"))["report"];
    QVERIFY(packed["weights"]["transformer"] == plain["weights"]["transformer"]);
    QVERIFY(packed["weights"]["text_encoder"]["bytes"].get<int>() < 0.8 * plain["weights"]["text_encoder"]["bytes"].get<int>());
    QVERIFY(!packed["prompt_reused"].get<bool>());   // another embedding
    QVERIFY(packed["image_sha256"] != plain["image_sha256"]);
    QVERIFY(engine.call("samples/generate", request("bnb-fp4?text_encoder=bnb-nf4"))["report"]["prompt_reused"].get<bool>());
  }

  void precisionsMayChangeOverTheSteps() {
    test::EngineProcess engine;
    const json bf16 = engine.call("samples/generate", request("bf16"))["report"], nf4 = engine.call("samples/generate", request("bnb-nf4"))["report"];
    const json mixed = engine.call("samples/generate", request("bf16@0-0,bnb-nf4@1-")), reverse = engine.call("samples/generate", request("bnb-nf4@0-0,bf16@1-"));
    QCOMPARE(wrong(mixed, "GenerateResult"), QString());
    QCOMPARE(QString::fromStdString(mixed["report"]["precision"]), QStringLiteral("bf16@0-0,bnb-nf4@1-"));
    QCOMPARE(mixed["report"]["seconds"]["steps"].size(), std::size_t{2});
    const std::set<std::string> pictures = {bf16["image_sha256"], nf4["image_sha256"], mixed["report"]["image_sha256"], reverse["report"]["image_sha256"]};
    QCOMPARE(pictures.size(), std::size_t{4});
    QVERIFY(engine.call("samples/generate", request("bf16@0-0,bf16@1-"))["report"]["image_sha256"] == bf16["image_sha256"]);
    const protocol::Reply tooShort = engine.replyTo(engine.send("samples/generate", request("bf16@0-0")));
    QVERIFY2(tooShort.error && QString(tooShort.error->what()).contains("ends with step 0"), tooShort.error ? tooShort.error->what() : "accepted");
  }

  // No group of 32 divides these rows, so that GGUF leaves them in 16 bit.
  void layersThatCannotBeHeldAreReported() {
    test::EngineProcess engine;
    json small = request("gguf-q4_0");
    small["model"] = QUANTSPOT_SOURCE_DIR "/tests/parity/golden/flux_a/pipeline";
    const json result = engine.call("samples/generate", small);
    QCOMPARE(wrong(result, "GenerateResult"), QString());
    const json fallbacks = result["report"]["fallbacks"];
    QVERIFY(!fallbacks.empty());
    std::map<std::string, std::string> precisions;
    for (const json& layer : result["report"]["weights"]["transformer"]["layers"]) precisions[layer["name"]] = layer["precision"];
    for (const json& f : fallbacks) QCOMPARE(precisions[f["layer"]], f["used"].get<std::string>());
    QVERIFY(engine.call("samples/generate", request("bf16"))["report"]["fallbacks"].empty());
  }

  void autoTakesWhatFitsAndSaysWhy() {
    test::EngineProcess engine;
    const json whole = engine.call("samples/generate", request("auto"));
    QCOMPARE(wrong(whole, "GenerateResult"), QString());
    QCOMPARE(QString::fromStdString(whole["report"]["auto"]["precision"]), QStringLiteral("bf16"));
    QCOMPARE(QString::fromStdString(whole["report"]["precision"]), QStringLiteral("bf16"));
    json narrow = request("auto");
    narrow["max_memory"] = 1 << 20;
    const protocol::Reply reply = engine.replyTo(engine.send("samples/generate", narrow));
    QVERIFY2(reply.error && QString(reply.error->what()).contains("no precision fits"), reply.error ? reply.error->what() : "accepted");
  }

  void activationsAreCalibratedOverPrompts() {
    test::EngineProcess engine;
    json calibrated = request("quanto-int8a8");
    const json without = engine.call("samples/generate", calibrated)["report"];
    calibrated["calibration"] = {"a pizza on a green background", "a panda"};
    const json first = engine.call("samples/generate", calibrated), again = engine.call("samples/generate", calibrated);
    QCOMPARE(wrong(first, "GenerateResult"), QString());
    QVERIFY(first["report"]["image_sha256"] != without["image_sha256"]);
    QCOMPARE(test::text(first["report"]["image_sha256"]), test::text(again["report"]["image_sha256"]));   // from the scales that were kept
    QVERIFY(first["report"]["seconds"]["calibrate"].get<double>() > 0 && !again["report"]["seconds"].contains("calibrate"));
    test::EngineProcess other;
    QCOMPARE(test::text(other.call("samples/generate", calibrated)["report"]["image_sha256"]), test::text(first["report"]["image_sha256"]));
    calibrated["precision"] = "bnb-nf4";   // nothing to calibrate
    QVERIFY(engine.call("samples/generate", calibrated)["report"]["image_sha256"] == engine.call("samples/generate", request("bnb-nf4"))["report"]["image_sha256"]);
  }

  void layersOfAnotherTypeAreCast() {
    test::EngineProcess engine;
    const json report = engine.call("samples/generate", request("bnb-nf4?proj_out=fp32&norm_out=fp16"))["report"];
    std::map<std::string, std::string> precisions;
    for (const json& layer : report["weights"]["transformer"]["layers"]) precisions[layer["name"]] = layer["precision"];
    QCOMPARE(QString::fromStdString(precisions["proj_out"]), QStringLiteral("fp32"));
    QCOMPARE(QString::fromStdString(precisions["norm_out.linear"]), QStringLiteral("fp16"));
  }

  void theSameRequestGivesTheSamePixelsInAnyEngine() {
    test::EngineProcess first, second;
    const json a = first.call("samples/generate", request("bf16"));
    first.call("samples/generate", request("bf16", 8));
    QCOMPARE(test::text(first.call("samples/generate", request("bf16"))["png"]), test::text(a["png"]));
    QCOMPARE(test::text(second.call("samples/generate", request("bf16"))["png"]), test::text(a["png"]));
  }

  void seedsAndPromptsMakeOtherPictures() {
    test::EngineProcess engine;
    const json base = engine.call("samples/generate", request("bf16"))["report"], seed = engine.call("samples/generate", request("bf16", 8))["report"];
    json other = request("bf16");
    other["recipe"]["prompt"] = "a pizza on a green background";
    const json prompt = engine.call("samples/generate", other)["report"];
    QVERIFY(base["noise_sha256"] != seed["noise_sha256"] && base["image_sha256"] != seed["image_sha256"]);
    QVERIFY(base["noise_sha256"] == prompt["noise_sha256"] && base["image_sha256"] != prompt["image_sha256"]);
  }

  void aNegativePromptCountsOnlyWithTrueCfg() {
    test::EngineProcess engine;
    json negative = request("fp32");
    negative["recipe"]["negative_prompt"] = "yellow";
    const json plain = engine.call("samples/generate", request("fp32"))["report"], idle = engine.call("samples/generate", negative)["report"];
    negative["recipe"]["true_cfg"] = 4;
    const json guided = engine.call("samples/generate", negative)["report"];
    QCOMPARE(test::text(plain["image_sha256"]), test::text(idle["image_sha256"]));
    QVERIFY(plain["image_sha256"] != guided["image_sha256"]);
  }

  void aCutPromptIsTold() {
    test::EngineProcess engine;
    json cut = request("bf16");
    cut["recipe"]["max_sequence_length"] = 4;
    const json report = engine.call("samples/generate", cut)["report"];
    QCOMPARE(report["truncated"].size(), std::size_t{1});
    QCOMPARE(engine.log.size(), std::size_t{1});
    QVERIFY(QString::fromStdString(engine.log[0].message).contains("T5"));
  }

  void progressNamesTheStagesInOrder() {
    test::EngineProcess engine;
    const auto id = engine.send("samples/generate", request("bf16"));
    engine.replyTo(id);
    std::vector<std::string> stages;
    for (const protocol::Progress& p : engine.progress) {
      QCOMPARE(p.id, id);
      QCOMPARE(wrong(p, "Progress"), QString());
      if (stages.empty() || stages.back() != p.stage) stages.push_back(p.stage);
    }
    QCOMPARE(stages, (std::vector<std::string>{"encode", "load", "denoise", "decode"}));
  }

  void cancelEndsWithinAStep() {
    test::EngineProcess engine;
    json endless = request("bf16");
    endless["recipe"]["steps"] = 1000;
    const auto id = engine.send("samples/generate", endless);
    engine.waitForProgress("denoise", 2);
    QVERIFY(engine.call("cancel", {{"id", id}}).is_null());
    const protocol::Reply reply = engine.replyTo(id, 30);
    QVERIFY(reply.error && reply.error->code == ErrorCode::Cancelled);
    int last = 0;
    for (const protocol::Progress& p : engine.progress) last = std::max(last, p.stage == "denoise" ? p.step : 0);
    QVERIFY2(last < 200, std::to_string(last).c_str());
    engine.call("samples/generate", request("bf16"));   // and it goes on
  }

  void aWaitingRequestCanBeCancelled() {
    test::EngineProcess engine;
    json endless = request("bf16");
    endless["recipe"]["steps"] = 1000;
    const auto running = engine.send("samples/generate", endless), waiting = engine.send("samples/generate", request("fp32"));
    engine.waitForProgress("denoise", 1);
    engine.call("cancel", {{"id", waiting}});
    QCOMPARE(engine.replyTo(waiting).error->code, int(ErrorCode::Cancelled));
    engine.call("cancel", {{"id", running}});
    QCOMPARE(engine.replyTo(running).error->code, int(ErrorCode::Cancelled));
  }

  void quickQuestionsAreAnsweredWhileItWorks() {
    test::EngineProcess engine;
    json endless = request("bf16");
    endless["recipe"]["steps"] = 1000;
    const auto id = engine.send("samples/generate", endless);
    engine.waitForProgress("denoise", 1);
    engine.call("models/list");
    engine.call("cancel", {{"id", id}});
    QVERIFY(engine.replyTo(id).error.has_value());
  }

  void wrongRequestsGetOneClearLine_data() {
    QTest::addColumn<QString>("method");
    QTest::addColumn<QString>("patch");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("word");
    const int params = ErrorCode::InvalidParams;
    QTest::newRow("method") << "samples/draw" << "{}" << int(ErrorCode::MethodNotFound) << "samples/draw";
    QTest::newRow("precision") << "samples/generate" << R"({"precision":"bnb-nf5"})" << params << "bnb-nf5";
    QTest::newRow("width") << "samples/generate" << R"({"recipe":{"width":100}})" << params << "width = 100";
    QTest::newRow("height 4") << "samples/generate" << R"({"recipe":{"height":4}})" << params << "height = 4";
    QTest::newRow("huge") << "samples/generate" << R"({"recipe":{"width":1600000}})" << params << "width = 1600000";
    QTest::newRow("steps") << "samples/generate" << R"({"recipe":{"steps":0}})" << params << "steps = 0";
    QTest::newRow("many steps") << "samples/generate" << R"({"recipe":{"steps":1001}})" << params << "1 to 1000";
    QTest::newRow("seed") << "samples/generate" << R"({"recipe":{"seed":-3}})" << params << "seed = -3";
    QTest::newRow("length") << "samples/generate" << R"({"recipe":{"max_sequence_length":513}})" << params << "513";
    QTest::newRow("half a step") << "samples/generate" << R"({"recipe":{"steps":3.7}})" << params << "recipe.steps = 3.7 is not a whole number";
    QTest::newRow("text for bytes") << "samples/generate" << R"({"max_memory":"6"})" << params << "max_memory = \"6\" is not a whole number";
    QTest::newRow("beyond 64 bits") << "policies/scan" << R"({"max_bytes":18446744073709551615})" << params << "max_bytes = 18446744073709551615 is not within";
    QTest::newRow("scheduler") << "samples/generate" << R"({"recipe":{"scheduler":"dpm"}})" << params << "flow-match-euler";
    QTest::newRow("guidance") << "samples/generate" << R"({"recipe":{"guidance":-1}})" << params << "guidance = -1";
    QTest::newRow("prompt") << "samples/generate" << R"({"recipe":{"prompt":7}})" << params << "string";
    QTest::newRow("offload") << "samples/generate" << R"({"offload":"disk"})" << params << "disk";
    QTest::newRow("model") << "samples/generate" << R"({"model":"/nowhere/at/all"})" << int(ErrorCode::InternalError) << "/nowhere/at/all";
    QTest::newRow("metric") << "metrics/score" << R"({"metric":"beauty","image":""})" << params << "beauty";
    QTest::newRow("picture") << "metrics/score" << R"({"metric":"psnr","image":"AAAA","reference":"AAAA"})" << params << "image";
  }
  void wrongRequestsGetOneClearLine() {
    QFETCH(QString, method);
    QFETCH(QString, patch);
    QFETCH(int, code);
    QFETCH(QString, word);
    static test::EngineProcess engine;
    json params = method.startsWith("samples") ? request("bf16") : json::object();
    params.merge_patch(json::parse(patch.toStdString()));
    const protocol::Reply reply = engine.replyTo(engine.send(method.toStdString(), params));
    QVERIFY(reply.error.has_value());
    const QString message = reply.error->what();
    QCOMPARE(reply.error->code, code);
    QVERIFY2(message.contains(word) && !message.contains('\n'), qPrintable(message));
  }

  void brokenFramesAndMessagesDoNotStopIt() {
    test::EngineProcess engine;
    engine.sendRaw("hello\n" + protocol::frame("{no json") + "Content-Length: lots\r\n\r\n");
    QCOMPARE(engine.replyTo({}).error->code, int(ErrorCode::ParseError));
    QCOMPARE(engine.replyTo({}).error->code, int(ErrorCode::ParseError));
    engine.call("initialize");
  }

  void shutdownAndTheEndOfInputEndIt() {
    test::EngineProcess asked, closed, cut;
    asked.call("shutdown");
    QVERIFY(asked.waitForEnd());
    QCOMPARE(asked.process().exitCode(), 0);
    closed.process().closeWriteChannel();
    QVERIFY(closed.waitForEnd());
    QCOMPARE(closed.process().exitCode(), 0);
    cut.sendRaw("Content-Length: 10\r\n\r\n{");
    cut.process().closeWriteChannel();
    QVERIFY(cut.waitForEnd());
    QCOMPARE(cut.process().exitCode(), 1);
  }

  void theEndOfInputStopsWhatRuns() {
    test::EngineProcess engine;
    json endless = request("bf16");
    endless["recipe"]["steps"] = 1000;
    engine.send("samples/generate", endless);
    engine.waitForProgress("denoise", 1);
    engine.process().closeWriteChannel();
    QVERIFY(engine.waitForEnd(30));
  }

  void theCrashHookKillsAtItsStepAndOnlyThere() {
    test::EngineProcess engine({"QUANTSPOT_TEST_CRASH_AT=denoise:1:bnb-nf4"});
    engine.call("samples/generate", request("bf16"));
    const auto id = engine.send("samples/generate", request("bnb-nf4"));
    QVERIFY_EXCEPTION_THROWN(engine.replyTo(id), std::runtime_error);
    QVERIFY(engine.waitForEnd());
    QCOMPARE(engine.process().exitStatus(), QProcess::CrashExit);
    QCOMPARE(engine.progress.back().step, 1);
  }

  void memoryThatIsNotThereIsToldAsSuch() {
    SKIP_UNDER_SANITIZER();
    test::EngineProcess engine;
    engine.call("samples/generate", request("bf16"));
    limitMemory(engine.process().processId(), 400 << 20);   // nothing for a quarter of a million tokens
    json huge = request("bf16");
    huge["recipe"]["width"] = huge["recipe"]["height"] = 8192;
    const protocol::Reply reply = engine.replyTo(engine.send("samples/generate", huge));
    QVERIFY(reply.error.has_value());
    QVERIFY2(reply.error->code == ErrorCode::OutOfMemory, reply.error->what());
    engine.call("samples/generate", request("bf16"));
  }

  // Whatever runs out, and in whatever phase: the next precision draws it, or one line says what was missing; and the engine goes on.
  void autoEndsInAPictureOrOneLine() {
    SKIP_UNDER_SANITIZER();
    test::EngineProcess engine;
    engine.call("samples/generate", request("bf16"));
    json wanted = request("auto");
    wanted["recipe"]["width"] = wanted["recipe"]["height"] = 512;
    wanted["recipe"]["steps"] = 1;
    wanted["max_memory"] = std::int64_t{8} << 30;
    int drawn = 0, refused = 0;
    for (const int mebibytes : {8, 24, 48, 64, 96, 128, 192, 1024}) {
      limitMemory(engine.process().processId(), std::int64_t{mebibytes} << 20);
      const protocol::Reply reply = engine.replyTo(engine.send("samples/generate", wanted));
      if (reply.error) {
        QVERIFY2(reply.error->code == ErrorCode::OutOfMemory, reply.error->what());
        QVERIFY(!QString(reply.error->what()).contains('\n'));
        ++refused;
      } else {
        QVERIFY(reply.result["report"]["auto"]["precision"].is_string());
        ++drawn;
      }
    }
    QVERIFY2(drawn > 0 && refused > 0, qPrintable(QString("%1 drawn, %2 refused").arg(drawn).arg(refused)));
  }

  void inspectCountsTheBytesOfAPrecision_data() {
    QTest::addColumn<QString>("precision");
    QTest::addColumn<double>("perWeight");   // bytes
    QTest::addColumn<int>("perRow");
    QTest::addColumn<int>("perBlock");       // of 64
    QTest::addColumn<double>("bias");        // bytes each
    QTest::newRow("bnb-nf4") << "bnb-nf4" << 0.5 << 0 << 4 << 2.0;
    QTest::newRow("bnb-int8") << "bnb-int8" << 1.0 << 4 << 0 << 2.0;
    QTest::newRow("fp8-layerwise") << "fp8-layerwise" << 1.0 << 0 << 0 << 1.0;
    QTest::newRow("fp32") << "fp32" << 4.0 << 0 << 0 << 4.0;
  }
  void inspectCountsTheBytesOfAPrecision() {
    QFETCH(QString, precision);
    QFETCH(double, perWeight);
    QFETCH(int, perRow);
    QFETCH(int, perBlock);
    QFETCH(double, bias);
    test::EngineProcess engine;
    const json plain = engine.call("models/inspect", {{"model", "default"}, {"precision", "bf16"}});
    const json packed = engine.call("models/inspect", {{"precision", precision.toStdString()}});
    QCOMPARE(wrong(packed, "InspectResult"), QString());
    std::map<std::string, std::int64_t> before;
    for (const json& layer : plain["layers"]) before[layer["component"].get<std::string>() + layer["name"].get<std::string>()] = layer["bytes"];
    int count = 0;
    for (const json& layer : packed["layers"]) {
      if (layer["component"] != "transformer" || layer["precision"] != precision.toStdString() || layer["shape"].size() != 2) continue;
      ++count;
      const std::int64_t rows = layer["shape"][0], n = rows * layer["shape"][1].get<std::int64_t>();
      const std::int64_t biases = (before.at("transformer" + layer["name"].get<std::string>()) - 2 * n) / 2;
      const double expected = perWeight * n + perRow * rows + perBlock * ((n + 63) / 64) + bias * biases;
      QVERIFY2(layer["bytes"].get<double>() == expected, qPrintable(test::text(layer)));
    }
    QVERIFY2(count > 40, qPrintable(QString::number(count)));   // layerwise casting leaves out what is called norm
  }

  void scoresComeBack() {
    test::EngineProcess engine;
    const std::string a = engine.call("samples/generate", request("bf16"))["png"], b = engine.call("samples/generate", request("bnb-nf4"))["png"];
    const json psnr = engine.call("metrics/score", {{"metric", "psnr"}, {"image", b}, {"reference", a}});
    QVERIFY(psnr["value"].get<double>() > 15 && psnr["value"].get<double>() < 70);
    QVERIFY(engine.call("metrics/score", {{"metric", "psnr"}, {"image", a}, {"reference", a}})["value"].is_null());
    QCOMPARE(engine.call("metrics/score", {{"metric", "ssim"}, {"image", a}, {"reference", a}})["value"].get<double>(), 1.0);
    const json clip = engine.call("metrics/score", {{"metric", "clip"}, {"image", a}, {"prompt", "a fox on a yellow background"}});
    QCOMPARE(wrong(clip, "ScoreResult"), QString());
    QCOMPARE(QString::fromStdString(clip["label"]), QStringLiteral("CLIP-tiny"));
    QVERIFY(clip["value"].get<double>() >= 0 && clip["value"].get<double>() < 100);
    const json sets = engine.call("metrics/score", {{"metric", "kid"}, {"images", {a, b, a, b, a, b}}, {"references", {b, b, a, b, b, b}}});
    QCOMPARE(wrong(sets, "ScoreResult"), QString());
    QVERIFY(sets["label"] == "KD-CLIP-tiny" && sets["n"] == 6 && sets["ci95"][0] < sets["ci95"][1] && sets["warnings"].size() == 1);
    const json list = engine.call("metrics/list");
    QCOMPARE(wrong(list, "MetricsListResult"), QString());
    QVERIFY(list["metrics"].size() >= 8);
    QCOMPARE(engine.call("metrics/score", {{"metric", "gmsd"}, {"image", a}, {"reference", a}})["value"].get<double>(), 0.0);
  }
};

QTEST_GUILESS_MAIN(EngineTest)
#include "service_engine_test.moc"
