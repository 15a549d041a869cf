// Texts that stand for more than one precision: schedules over the steps, and choices that are left to the engine.
#include "tests/ui/fake_engine.h"
#include "ui/models/auto_choice.h"
#include "ui/models/comparison_runner.h"
#include "ui/models/policy_text.h"
#include "ui/models/precision_list_model.h"
#include "ui/models/precision_names.h"
#include "ui/models/step_schedule.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QSignalSpy>
#include <QTest>

using namespace quantspot;
using namespace quantspot::ui;

class ChoicesTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void aScheduleIsReadAndWritten_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("names");
    QTest::newRow("one") << "bnb-nf4?skip=a,b" << "all steps";
    QTest::newRow("two") << "bf16@0-3,bnb-nf4@4-" << "steps 0–3|from step 4";
    QTest::newRow("commas of a policy") << "bf16?skip=a,b@0-0,bnb-nf4?skip=c,d&x=fp32@1-4,bnb-int8@5-" << "step 0|steps 1–4|from step 5";
  }
  void aScheduleIsReadAndWritten() {
    QFETCH(QString, text);
    QFETCH(QString, names);
    const auto spans = parseSteps(text);
    QVERIFY(spans.has_value());
    QCOMPARE(stepsText(*spans), text);
    QStringList told;
    for (std::size_t i = 0; i < spans->size(); ++i) told << spanName(*spans, i);
    QCOMPARE(told.join(u'|'), names);
  }

  void whatLeavesOutAStepIsNoSchedule() {
    for (const char* text : {"bf16@1-", "bf16@0-3", "bf16@0-3,bnb-nf4@5-", "bf16@0-,bnb-nf4@4-", "bf16@0-3,", "bf16@", "@0-", "bf16@3-1,bnb-nf4@2-",
        "bf16@0-3,bnb-nf4@4-9"})
      QVERIFY2(!parseSteps(QString::fromLatin1(text)), text);
  }

  void aScheduleIsOfItsLastStepsKind() {
    QCOMPARE(baseId(QStringLiteral("bf16@0-3,bnb-nf4?skip=a,b@4-")), QStringLiteral("bnb-nf4"));
    QCOMPARE(baseId(QStringLiteral("bnb-int8?threshold=0")), QStringLiteral("bnb-int8"));
    PrecisionListModel list;
    list.setPrecisions({{"bf16", "BF16", "bf16", 16}, {"bnb-nf4", "NF4", "4-bit", 4.5}});
    QVERIFY(list.addPolicy(QStringLiteral("bf16@0-3,bnb-nf4@4-")));
    QCOMPARE(list.index(2).data(PrecisionListModel::FamilyRole).toString(), QStringLiteral("4-bit"));
  }

  void anAutoChoiceIsReadAndWritten() {
    for (const AutoChoice& choice : {AutoChoice{}, AutoChoice{6, 0}, AutoChoice{0.25, 0}, AutoChoice{0, 0.1}}) {
      const auto read = parseAuto(choice.id());
      QVERIFY(read.has_value());
      QCOMPARE(read->gibibytes, choice.gibibytes);
      QCOMPARE(read->error, choice.error);
      QCOMPARE(shortName(choice.id()), choice.label());
    }
    for (const char* id : {"bf16", "auto?memory=GiB", "auto?memory=-1GiB", "auto?error=x", "auto?error=0", "automatic",
                           "auto?memory=1e300GiB", "auto?memory=infGiB"})
      QVERIFY2(!parseAuto(QString::fromLatin1(id)), id);
    PrecisionListModel list;
    QVERIFY(list.addPolicy(QStringLiteral("auto?memory=6GiB")));
    QCOMPARE(list.index(0).data().toString(), QStringLiteral("Auto: up to 6\u2009GiB"));
  }

  // The engine is asked for what it knows: "auto" with its limit, and what the variants share.
  void theEngineIsToldTheLimitAndTheOptions() {
    EngineClient engine(fakeEngine());
    ComparisonRunner runner(&engine);
    QSignalSpy ready(&runner, &ComparisonRunner::imagesReady);
    const RunOptions options{.offload = QStringLiteral("group"), .loras = {{"style.safetensors", 0.5}}, .image = QByteArray("png")};
    runner.start({QStringLiteral("default"), foxRecipe(), {{QStringLiteral("bf16")}, {QStringLiteral("auto?memory=1.5GiB")},
        {QStringLiteral("auto?error=0.1")}}, options});
    QVERIFY(ready.wait());
    const auto asked = [&](int i) { return runner.result().samples[i].sample.report[QStringLiteral("asked")].toObject(); };
    QCOMPARE(asked(0)[u"precision"].toString(), QStringLiteral("bf16"));
    QCOMPARE(asked(1)[u"precision"].toString(), QStringLiteral("auto"));
    QCOMPARE(asked(1)[u"max_memory"].toDouble(), 1.5 * (1 << 30));
    QCOMPARE(asked(2)[u"max_error"].toDouble(), 0.1);
    for (int i = 0; i < 3; ++i) {
      QCOMPARE(asked(i)[u"offload"].toString(), QStringLiteral("group"));
      QCOMPARE(asked(i)[u"loras"].toArray()[0].toObject()[u"scale"].toDouble(), 0.5);
      QCOMPARE(QByteArray::fromBase64(asked(i)[u"image"].toString().toLatin1()), QByteArray("png"));
    }
    QCOMPARE(fromStored(toStored(runner.result())).startPicture, QByteArray("png"));
  }
};

QTEST_GUILESS_MAIN(ChoicesTest)
#include "choices_test.moc"
