// memory/estimate and what the engine finds, through its pipe and by the schema.
#include "engine/service/hardware.h"
#include "tests/engine/engine_process.h"
#include "tests/engine/json_schema.h"
#include "tests/engine/process_memory.h"
#include "tests/real_memory.h"

#include <QTest>

using namespace quantspot;
using nlohmann::json;

class EstimateTest : public QObject {
  Q_OBJECT
  const test::JsonSchema schema_{QUANTSPOT_SOURCE_DIR "/engine/protocol/schema.json"};
  const json recipe_ = {{"prompt", "a fox"}, {"width", 64}, {"height", 64}};

 private Q_SLOTS:
  void itTellsWhatEachPrecisionNeeds() {
    test::EngineProcess engine;
    const json params = {{"model", "default"}, {"precisions", {"bf16", "bnb-nf4", "bnb-nf3"}}, {"recipe", recipe_}};
    QCOMPARE(QString::fromStdString(schema_.check(params, "EstimateParams")), QString());
    const json result = engine.call("memory/estimate", params);
    QCOMPARE(QString::fromStdString(schema_.check(result, "EstimateResult")), QString());
    QCOMPARE(result["entries"].size(), std::size_t{3});
    QCOMPARE(result["entries"][0]["placements"].size(), std::size_t{4});
    QVERIFY(result["process_bytes"].get<std::int64_t>() > 0);
    QVERIFY(result["entries"][2]["placements"].empty() && result["entries"][2]["error"].get<std::string>().find("bnb-nf3") != std::string::npos);
    const auto weights = [&](std::size_t entry) { return result["entries"][entry]["placements"][1]["denoise"]["weights"].get<std::int64_t>(); };
    const json drawn = engine.call("samples/generate", {{"model", "default"}, {"precision", "bnb-nf4"}, {"recipe", {{"prompt", "a fox"}, {"width", 64}, {"height", 64}, {"steps", 1}}}});
    QCOMPARE(weights(1), drawn["report"]["weights"]["transformer"]["bytes"].get<std::int64_t>());
    QVERIFY(weights(1) < weights(0));
  }

  // The engine's own share is the same whether it has drawn before or not: the window's has, the command line's has not.
  void theFloorHoldsNoModel() {
    SKIP_UNDER_SANITIZER();
    const json params = {{"model", "default"}, {"precisions", {"bf16"}}, {"recipe", recipe_}};
    const auto floorOf = [&](test::EngineProcess& engine) { return engine.call("memory/estimate", params)["process_bytes"].get<std::int64_t>(); };
    test::EngineProcess fresh, used;
    for (const char* precision : {"fp32", "bf16"})
      used.call("samples/generate", {{"model", "default"}, {"precision", precision}, {"recipe", {{"prompt", "a fox"}, {"width", 256}, {"height", 256}, {"steps", 1}}}});
    const std::int64_t one = floorOf(fresh), other = floorOf(used), mib = 1 << 20;
    QVERIFY2(std::abs(one - other) < 16 * mib, qPrintable(QStringLiteral("%1 and %2 MiB").arg(one / mib).arg(other / mib)));
    const std::int64_t now = test::residentBytes(used.process().processId());
    QVERIFY2(now > other + 16 * mib, qPrintable(QStringLiteral("%1 and %2 MiB").arg(now / mib).arg(other / mib)));   // or the test tells nothing
    QCOMPARE(floorOf(used), other);
  }

  void wrongQuestionsAreRefused() {
    test::EngineProcess engine;
    const auto code = [&](const json& params) {
      const auto reply = engine.replyTo(engine.send("memory/estimate", params));
      return reply.error ? reply.error->code : 0;
    };
    QCOMPARE(code({{"precisions", json::array()}, {"recipe", recipe_}}), protocol::InvalidParams);
    QCOMPARE(code({{"precisions", {"bnb-nf3"}}, {"recipe", recipe_}}), protocol::InvalidParams);
    QCOMPARE(code({{"precisions", {"bf16"}}, {"recipe", recipe_}, {"batch", 0}}), protocol::InvalidParams);
    QVERIFY(code({{"model", "/nowhere"}, {"precisions", {"bf16"}}, {"recipe", recipe_}}) != 0);
  }

  void theMachineIsTold() {
    test::EngineProcess engine;
    const json found = engine.call("initialize")["engine"]["hardware"];
    QVERIFY(found["ram"].get<std::int64_t>() >= found["ram_free"].get<std::int64_t>() && found["ram_free"].get<std::int64_t>() > 0);
    QVERIFY(found["gpus"].is_array());
  }

  // A library with the driver's functions stands in for it.
  void gpusAreToldByTheirDriver() {
    const json found = service::hardwareBlock(FAKE_DRIVER);
    QCOMPARE(found["gpus"].size(), std::size_t{2});
    QCOMPARE(found["gpus"][0]["name"].get<std::string>(), std::string("Fake GPU 0"));
    QCOMPARE(found["gpus"][1]["memory"].get<std::int64_t>(), std::int64_t{24} << 30);
    QCOMPARE(found["gpus"][0]["capability"].get<int>(), 89);
    QCOMPARE(found["gpus"][0]["bandwidth"].get<double>(), 1008e9);
    QVERIFY(service::hardwareBlock("libno_such_driver.so")["gpus"].empty());
  }
};

QTEST_GUILESS_MAIN(EstimateTest)
#include "service_estimate_test.moc"
