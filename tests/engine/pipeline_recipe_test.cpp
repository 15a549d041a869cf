#include "engine/pipeline/recipe.h"

#include <QTest>

#include <cmath>

using namespace quantspot;
using protocol::Recipe;

namespace {

const model::FamilyInfo& kFlux = model::families().front()->info();

}  // namespace

Q_DECLARE_METATYPE(std::function<void(Recipe&)>)

class RecipeTest : public QObject {
  Q_OBJECT

  static QString complaint(const std::function<void(Recipe&)>& change, const model::FamilyInfo& family = kFlux) {
    Recipe recipe;
    recipe.prompt = "a fox";
    change(recipe);
    try {
      pipeline::checkRecipe(recipe, family);
      return {};
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
  }

 private Q_SLOTS:
  void theDefaultsAndTheEdgesAreFine() {
    QCOMPARE(complaint([](Recipe&) {}), QString());
    QCOMPARE(complaint([](Recipe& r) { r.width = 16; r.height = 8192; r.steps = 1; r.max_sequence_length = 1; }), QString());
    QCOMPARE(complaint([](Recipe& r) { r.steps = 1000; r.max_sequence_length = 512; r.guidance = 0; }), QString());
  }

  void everythingElseNamesItsKeyAndWhatIsPossible() {
    QCOMPARE(complaint([](Recipe& r) { r.width = 100; }), QStringLiteral("width = 100 is not a multiple of 16; the nearest is 96"));
    QCOMPARE(complaint([](Recipe& r) { r.height = -16; }), QStringLiteral("height = -16 is not a multiple of 16; the nearest is 16"));
    QCOMPARE(complaint([](Recipe& r) { r.height = 8208; }), QStringLiteral("height = 8208 is out of range; use 16 to 8192"));
    QCOMPARE(complaint([](Recipe& r) { r.steps = 0; }), QStringLiteral("steps = 0 is out of range; use 1 to 1000"));
    QCOMPARE(complaint([](Recipe& r) { r.steps = 1001; }), QStringLiteral("steps = 1001 is out of range; use 1 to 1000"));
    QCOMPARE(complaint([](Recipe& r) { r.max_sequence_length = 0; }), QStringLiteral("max_sequence_length = 0 is out of range; use 1 to 512"));
    QCOMPARE(complaint([](Recipe& r) { r.scheduler = "ddim"; }), QStringLiteral("scheduler 'ddim' is not for FLUX.1; use flow-match-euler, flow-match-heun"));
    QCOMPARE(complaint([](Recipe& r) { r.scheduler = "dpm"; }), QStringLiteral("scheduler 'dpm' is not known; use flow-match-euler, flow-match-heun"));
    QVERIFY(complaint([](Recipe& r) { r.guidance = NAN; }).startsWith("guidance = nan"));
    QVERIFY(complaint([](Recipe& r) { r.true_cfg = INFINITY; }).startsWith("true_cfg = inf"));
  }

  // What a family does not read is not left out in silence.
  void optionsOfOtherFamiliesAreRefused_data() {
    QTest::addColumn<QString>("key");
    QTest::addColumn<QStringList>("takenBy");
    QTest::addColumn<std::function<void(Recipe&)>>("change");
    const auto row = [](const char* key, QStringList families, std::function<void(Recipe&)> change) { QTest::newRow(key) << key << families << std::move(change); };
    row("clip_skip", {"sd", "sdxl", "sd3"}, [](Recipe& r) { r.clip_skip = 1; });
    row("guidance_rescale", {"sd", "sdxl"}, [](Recipe& r) { r.guidance_rescale = 0.5; });
    row("prompt_weights", {"sd", "sdxl"}, [](Recipe& r) { r.prompt_weights = true; });
    row("bin_size", {"pixart"}, [](Recipe& r) { r.bin_size = true; });
    row("original_size", {"sdxl"}, [](Recipe& r) { r.original_size = {64, 64}; });
    row("target_size", {"sdxl"}, [](Recipe& r) { r.target_size = {64, 64}; });
    row("crop", {"sdxl"}, [](Recipe& r) { r.crop = {0, 0}; });
    row("true_cfg", {"flux"}, [](Recipe& r) { r.true_cfg = 4; });
    row("max_sequence_length", {"flux", "sd3", "pixart"}, [](Recipe& r) { r.max_sequence_length = 64; });
    row("negative_prompt", {"flux", "sd", "sdxl", "sd3", "pixart"}, [](Recipe& r) { r.negative_prompt = "blue"; });
  }
  void optionsOfOtherFamiliesAreRefused() {
    QFETCH(QString, key);
    QFETCH(QStringList, takenBy);
    QFETCH(std::function<void(Recipe&)>, change);
    for (const auto& family : model::families()) {
      const QString id = QString::fromUtf8(family->info().id.data(), static_cast<qsizetype>(family->info().id.size()));
      const QString said = complaint(change, family->info());
      if (takenBy.contains(id)) QCOMPARE(said, QString());
      else QVERIFY2(said.startsWith(key + " is not for " + QString::fromStdString(std::string(family->info().label)) + ", only for "), qPrintable(id + ": " + said));
    }
  }

  void aBatchSharesAllButPromptsAndSeed() {
    const auto complaint = [](const std::function<void(Recipe&)>& change) {
      Recipe first, other;
      first.negative_prompt = other.negative_prompt = "blue";
      first.true_cfg = other.true_cfg = 2;
      change(other);
      try {
        pipeline::checkBatch(first, other);
        return QString();
      } catch (const std::invalid_argument& error) {
        return QString(error.what());
      }
    };
    QCOMPARE(complaint([](Recipe& r) { r.prompt = "a fox"; r.negative_prompt = "red"; r.seed = 9; }), QString());
    QCOMPARE(complaint([](Recipe& r) { r.width = 64; }), QStringLiteral("pictures of one batch share their size; draw these one after another"));
    QVERIFY(complaint([](Recipe& r) { r.steps = 3; }).contains("steps"));
    QVERIFY(complaint([](Recipe& r) { r.guidance = 2; }).contains("guidance"));
    QVERIFY(complaint([](Recipe& r) { r.negative_prompt.reset(); }).contains("true_cfg"));
    QVERIFY(complaint([](Recipe& r) { r.max_sequence_length = 9; }).contains("max_sequence_length"));
  }

  void trueCfgNeedsAScaleAndANegativePrompt() {
    Recipe recipe;
    recipe.true_cfg = 4;
    QVERIFY(!pipeline::usesTrueCfg(recipe));
    recipe.negative_prompt = "";
    QVERIFY(pipeline::usesTrueCfg(recipe));
    recipe.true_cfg = 1;
    QVERIFY(!pipeline::usesTrueCfg(recipe));
  }
};

QTEST_APPLESS_MAIN(RecipeTest)
#include "pipeline_recipe_test.moc"
