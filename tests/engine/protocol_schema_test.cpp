// The structs and the public schema say the same. Whole replies of the real engine are checked in service_engine_test.
#include "engine/protocol/rpc.h"
#include "tests/engine/json_schema.h"

#include <QTest>

using namespace quantspot::protocol;
using nlohmann::json;

namespace {

json propertiesOf(const json& value) {
  json names = json::array();
  for (const auto& [name, part] : value.items()) names.push_back(name);
  return names;
}

}  // namespace

class SchemaTest : public QObject {
  Q_OBJECT
  const quantspot::test::JsonSchema schema_{QUANTSPOT_SOURCE_DIR "/engine/protocol/schema.json"};

  template <class Message>
  void compare(const char* definition, const Message& message) {
    const json sent = message;
    QCOMPARE(QString::fromStdString(schema_.check(sent, definition)), QString());
    QCOMPARE(QString::fromStdString(propertiesOf(sent).dump()),
             QString::fromStdString(propertiesOf(schema_.root()["$defs"][definition]["properties"]).dump()));
  }

 private Q_SLOTS:
  void itsVersionIsTheProtocols() { QCOMPARE(schema_.root()["version"].get<int>(), kProtocolVersion); }

  void everyStructHasExactlyTheKeysOfItsDefinition() {
    Recipe recipe;
    recipe.prompt = "a fox";
    const std::string hash(64, 'a');
    Recipe whole = recipe;               // with the keys that are sent only where they are asked for
    whole.guidance_rescale = 0.7;
    whole.clip_skip = 1;
    whole.strength = 0.5;
    whole.prompt_weights = whole.vae_tiling = whole.vae_slicing = whole.bin_size = true;
    whole.original_size = whole.target_size = whole.crop = std::array{8, 16};
    compare("Recipe", whole);
    compare("GenerateParams", GenerateParams{"default", "bf16", recipe, "none"});
    compare("Lora", Lora{"x.safetensors", 0.5});
    compare("ScoreParams", ScoreParams{"psnr", "", "", "", "default"});
    ScoreResult score{"cmmd", "CMMD", 20};
    score.ci95 = {19.5, 20.5}, score.published = 21, score.warnings = {"few"}, score.features = {{0.5f}};
    compare("ScoreResult", score);
    QCOMPARE(QString::fromStdString(schema_.check(json(ScoreResult{"clip", "CLIP-tiny", 20}), "ScoreResult")), QString());
    compare("MetricWeightsEntry", MetricWeightsEntry{"inception", "FID", "MIT", {"https://x"}, 1, true});
    compare("OfferedParams", OfferedParams{});
    compare("OfferedMetric", OfferedMetric{"fid", "set", "fd-clip-tiny", "FD-CLIP-tiny", "fid"});
    compare("OfferedResult", OfferedResult{});
    compare("MetricsListResult", MetricsListResult{"/x", {}});
    compare("MetricDownloadParams", MetricDownloadParams{"inception"});
    compare("MetricDownloadResult", MetricDownloadResult{"inception", "/x"});
    compare("PrecisionInfo", PrecisionInfo{"bf16", "BF16", "bf16", 16, true});
    compare("InitializeResult", InitializeResult{kProtocolVersion, json::object(), {{"fp32", "FP32", "bf16", 32}}});
    compare("ModelEntry", ModelEntry{"default", "/x", "flux", 1, {"vae is missing"}});
    compare("ModelsListResult", ModelsListResult{});
    compare("DownloadParams", DownloadParams{"a/b"});
    compare("DownloadResult", DownloadResult{"a/b", "/x", "0", "mit", 4, 100, 50});
    compare("InspectParams", InspectParams{});
    compare("LayerEntry", LayerEntry{"vae", "decoder", "bf16", {1, 2}, 4});
    compare("InspectResult", InspectResult{"x", "flux", hash, 1, {}});
    compare("TraitsParams", TraitsParams{});
    ModelTraits traits;
    traits.schedulers = {{"ddim", "DDIM"}}, traits.classes = {{"1", "goldfish"}};
    compare("ModelTraits", traits);
    compare("FitParams", FitParams{{{64, 32}}});
    compare("FitResult", FitResult{{{{"gguf-q4_k", "gguf-q5_0"}}}});
    const ScannedGroup group{"block", {"block.q"}, 2, 1, 0.1};
    compare("ScannedGroup", group);
    ScanParams scan;
    scan.recipe = recipe, scan.prompts = {"a fox"}, scan.known = {group};
    compare("ScanParams", scan);
    compare("ExportParams", ExportParams{"default", "bnb-nf4", "/x", "/y", recipe, true});
    compare("ExportResult", ExportResult{"/x", 1, json::object()});
    compare("EstimateParams", EstimateParams{"default", {"bf16"}, recipe, 1, false});
    compare("PlacementBytes", PlacementBytes{"model", {1, 2, 3}, {}, {}});
    compare("PhaseBytes", PhaseBytes{1, 2, 3});
    compare("EstimateEntry", EstimateEntry{"bf16", "", {}});
    compare("EstimateResult", EstimateResult{});
    compare("CancelParams", CancelParams{3});
    compare("Progress", Progress{1, "denoise", 2, 20});
    compare("LogLine", LogLine{"warning", "cut"});
  }

  void errorCodesAreListed() {
    for (const int code : {ParseError, InvalidRequest, MethodNotFound, InvalidParams, InternalError, ErrorCode::Cancelled, OutOfMemory})
      QVERIFY2(schema_.root()["errors"].contains(std::to_string(code)), std::to_string(code).c_str());
    QCOMPARE(schema_.root()["errors"].size(), std::size_t{7});
  }

  void theCheckerFindsWhatIsWrong_data() {
    QTest::addColumn<QString>("recipe");
    QTest::newRow("missing") << "{}";
    QTest::newRow("type") << R"({"prompt":7})";
    QTest::newRow("unknown key") << R"({"prompt":"x","sead":1})";
    QTest::newRow("multiple") << R"({"prompt":"x","width":100})";
    QTest::newRow("maximum") << R"({"prompt":"x","steps":1001})";
  }
  void theCheckerFindsWhatIsWrong() {
    QFETCH(QString, recipe);
    QVERIFY(!schema_.check(json::parse(recipe.toStdString()), "Recipe").empty());
  }
};

QTEST_APPLESS_MAIN(SchemaTest)
#include "protocol_schema_test.moc"
