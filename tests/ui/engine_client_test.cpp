#include "tests/ui/fake_engine.h"

#include <QElapsedTimer>
#include <QSignalSpy>
#include <QTest>

#include <memory>

using namespace quantspot;
using namespace quantspot::ui;
using protocol::GenerateResult;

Q_DECLARE_METATYPE(quantspot::protocol::Progress)

namespace {

// One request and what came of it.
struct Outcome {
  int results = 0, errors = 0;
  GenerateResult result;
  RpcError error;
  bool over() const { return results + errors > 0; }
};

qint64 generate(EngineClient& engine, QObject* context, Outcome& outcome, const std::string& precision = "bf16") {
  const protocol::GenerateParams params{.model = "default", .precision = precision, .recipe = foxRecipe()};
  return engine.call<GenerateResult>(
      QStringLiteral("samples/generate"), params, context, [&](const GenerateResult& result) { ++outcome.results; outcome.result = result; },
      [&](const RpcError& error) { ++outcome.errors; outcome.error = error; });
}

}  // namespace

class EngineClientTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  void initTestCase() { qRegisterMetaType<protocol::Progress>("quantspot::protocol::Progress"); }

  void aCallStartsTheEngineAndGetsItsReply() {
    EngineClient engine(fakeEngine());
    QSignalSpy ready(&engine, &EngineClient::initialized), progress(&engine, &EngineClient::progress), log(&engine, &EngineClient::log);
    Outcome outcome;
    const qint64 id = generate(engine, this, outcome);
    QVERIFY(!outcome.over());   // never inside call()
    QTRY_VERIFY(outcome.over());
    QCOMPARE(outcome.results, 1);
    QCOMPARE(outcome.result.report.at("precision").get<std::string>(), std::string("bf16"));
    QCOMPARE(ready.count(), 1);
    QCOMPARE(ready[0][0].value<protocol::InitializeResult>().precisions.size(), 4u);
    QCOMPARE(progress.count(), 4);
    QCOMPARE(progress[3][0].value<protocol::Progress>().id, id);
    QCOMPARE(progress[3][0].value<protocol::Progress>().step, 4);
    QTRY_COMPARE(log.count(), 1);
    QCOMPARE(log[0][0].toString(), QStringLiteral("fake engine is up"));
  }

  void anErrorKeepsItsCodeAndWords() {
    EngineClient engine(fakeEngine({QStringLiteral("--error=bnb-nf4")}));
    Outcome outcome, next;
    generate(engine, this, outcome, "bnb-nf4");
    generate(engine, this, next);
    QTRY_VERIFY(next.over());
    QCOMPARE(outcome.errors, 1);
    QCOMPARE(outcome.error.code, int(protocol::OutOfMemory));
    QCOMPARE(outcome.error.message, QStringLiteral("bnb-nf4 needs 3.2 GiB, 1.1 GiB are free"));
    QCOMPARE(next.results, 1);
  }

  void aReplyOfTheWrongShapeIsAnError() {
    EngineClient engine(fakeEngine());
    RpcError error;
    engine.call<GenerateResult>(QStringLiteral("models/list"), nlohmann::json::object(), this, [](const GenerateResult&) { QFAIL("no such result"); },
                                [&](const RpcError& got) { error = got; });
    QTRY_COMPARE(error.code, int(protocol::InternalError));
    QVERIFY2(error.message.contains(QStringLiteral("models/list")), qPrintable(error.message));
    QVERIFY(engine.isRunning());
  }

  void noHandlerOutlivesItsContext() {
    EngineClient engine(fakeEngine());
    Outcome dropped, kept;
    auto context = std::make_unique<QObject>();
    generate(engine, context.get(), dropped);
    context.reset();
    generate(engine, this, kept);
    QTRY_VERIFY(kept.over());
    QVERIFY(!dropped.over());
  }

  void cancelEndsTheRequestAndNotTheEngine() {
    EngineClient engine(fakeEngine({QStringLiteral("--slow=200")}));
    QSignalSpy progress(&engine, &EngineClient::progress), lost(&engine, &EngineClient::engineLost);
    Outcome outcome;
    const qint64 id = generate(engine, this, outcome);
    QTRY_COMPARE(progress.count(), 1);
    engine.cancel(id);
    QTRY_VERIFY(outcome.over());
    QCOMPARE(outcome.error.code, int(protocol::Cancelled));
    QCOMPARE(progress.count(), 1);   // within one step
    QVERIFY(lost.isEmpty() && engine.isRunning());
  }

  void anEngineThatIsDeafToCancelIsEnded() {
    EngineClient engine(fakeEngine({QStringLiteral("--slow=60000"), QStringLiteral("--deaf")}));
    engine.setCancelGrace(50);
    QSignalSpy progress(&engine, &EngineClient::progress), lost(&engine, &EngineClient::engineLost);
    Outcome outcome;
    const qint64 id = generate(engine, this, outcome);
    QTRY_VERIFY(!progress.isEmpty());
    engine.cancel(id);
    QTRY_COMPARE(lost.count(), 1);
    QCOMPARE(outcome.error.code, kEngineLost);
  }

  void aKilledEngineIsReportedAndTheNextCallStartsAnother() {
    EngineClient engine(fakeEngine({QStringLiteral("--die-after=1")}));
    QSignalSpy lost(&engine, &EngineClient::engineLost), ready(&engine, &EngineClient::initialized);
    Outcome first, second, third;
    generate(engine, this, first);
    generate(engine, this, second);
    QTRY_COMPARE(lost.count(), 1);
    QCOMPARE(first.results, 1);
    QCOMPARE(second.error.code, kEngineLost);
    QVERIFY2(second.error.message.contains(QStringLiteral("signal 9")) && second.error.message.contains(QStringLiteral("memory")), qPrintable(second.error.message));
    QVERIFY(!engine.isRunning());
    generate(engine, this, third);
    QTRY_VERIFY(third.over());
    QCOMPARE(third.results, 1);
    QCOMPARE(ready.count(), 2);
  }

  void anEngineThatEndsTellsItsLastWords() {
    EngineClient engine(fakeEngine({QStringLiteral("--exit=3")}));
    Outcome outcome;
    generate(engine, this, outcome);
    QTRY_VERIFY(outcome.over());
    QCOMPARE(outcome.error.message, QStringLiteral("the engine ended with exit code 3: transformer/config.json: no such file"));
  }

  void aMissingProgramIsNamed() {
    EngineClient engine({QStringLiteral("/nowhere/quantspot-engine"), {}});
    QSignalSpy lost(&engine, &EngineClient::engineLost);
    Outcome outcome;
    generate(engine, this, outcome);
    QVERIFY(!outcome.over());
    QTRY_VERIFY(outcome.over());
    QVERIFY2(outcome.error.message.contains(QStringLiteral("/nowhere/quantspot-engine")), qPrintable(outcome.error.message));
    QTRY_COMPARE(lost.count(), 1);
  }

  void strayTextOnStdoutGoesToTheLog() {
    EngineClient engine(fakeEngine({QStringLiteral("--garbage")}));
    QSignalSpy log(&engine, &EngineClient::log);
    Outcome outcome;
    generate(engine, this, outcome);
    QTRY_VERIFY(outcome.over());
    QCOMPARE(outcome.results, 1);
    QVERIFY(std::any_of(log.begin(), log.end(), [](const auto& call) { return call[0].toString().contains(QStringLiteral("a library says hello")); }));
  }

  void aFrameThatIsNoJsonEndsTheEngine() {
    EngineClient engine(fakeEngine({QStringLiteral("--broken")}));
    QSignalSpy lost(&engine, &EngineClient::engineLost);
    Outcome outcome;
    generate(engine, this, outcome);
    QTRY_VERIFY(outcome.over());
    QCOMPARE(outcome.error.code, kEngineLost);
    QVERIFY2(outcome.error.message.contains(QStringLiteral("no message")), qPrintable(outcome.error.message));
    QCOMPARE(lost.count(), 1);
  }

  // What does not fit its field: an error of the request that names it, and the engine stays.
  void aReplyThatDoesNotFitIsAnErrorThatNamesTheField_data() {
    QTest::addColumn<QString>("result");
    QTest::addColumn<QString>("line");
    QTest::newRow("float for an integer") << R"({"png": "", "report": {"floor_bytes": 3.7}})" << "report.floor_bytes = 3.7 is not a whole number";
    QTest::newRow("string for a number") << R"({"png": "", "report": {"seconds": {"total": "4"}}})" << "report.seconds.total = \"4\" is not a number";
    QTest::newRow("NaN of another library") << R"({"png": "", "report": {"seconds": {"steps": [null]}}})" << "report.seconds.steps[0] = null is not a number";
    QTest::newRow("beyond 64 bits") << R"({"png": "", "report": {"peak_bytes": {"load": 1e19}}})" << "report.peak_bytes.load = 1e+19 is not a whole number";
    QTest::newRow("missing") << R"({"report": {}})" << "png is missing";
    QTest::newRow("something else") << "[]" << "the message (a list) is not an object";
  }
  void aReplyThatDoesNotFitIsAnErrorThatNamesTheField() {
    QFETCH(QString, result);
    QFETCH(QString, line);
    EngineClient engine(fakeEngine({QStringLiteral("--result=samples/generate ") + result}));
    QSignalSpy lost(&engine, &EngineClient::engineLost);
    Outcome outcome;
    generate(engine, this, outcome);
    QTRY_VERIFY(outcome.over());
    QCOMPARE(outcome.error.code, int(protocol::InternalError));
    QCOMPARE(outcome.error.message, QStringLiteral("the engine's reply to samples/generate cannot be read: ") + line);
    QVERIFY(engine.isRunning() && lost.isEmpty());
  }

  void anotherProtocolVersionIsRefused() {
    EngineClient engine(fakeEngine({QStringLiteral("--protocol=99")}));
    QSignalSpy lost(&engine, &EngineClient::engineLost), ready(&engine, &EngineClient::initialized);
    engine.start();
    QTRY_COMPARE(lost.count(), 1);
    QVERIFY(lost[0][0].toString().contains(QStringLiteral("99")));
    QVERIFY(ready.isEmpty());
  }

  void stopFailsWhatIsPendingWithoutAnAlarm() {
    EngineClient engine(fakeEngine({QStringLiteral("--slow=60000")}));
    QSignalSpy lost(&engine, &EngineClient::engineLost), progress(&engine, &EngineClient::progress);
    Outcome outcome;
    generate(engine, this, outcome);
    QTRY_VERIFY(!progress.isEmpty());
    QElapsedTimer clock;
    clock.start();
    engine.stop();
    QVERIFY(clock.elapsed() < 50);   // no wait for the process
    QCOMPARE(outcome.error.code, kEngineLost);
    QVERIFY(lost.isEmpty() && !engine.isRunning());
  }

  void aHostIsNeverAnOptionOfSsh() {
    const EngineCommand command = remoteEngine(QStringLiteral("-oProxyCommand=evil"));
    QVERIFY(command.arguments.indexOf(QStringLiteral("--")) < command.arguments.indexOf(QStringLiteral("-oProxyCommand=evil")));
  }
};

QTEST_GUILESS_MAIN(EngineClientTest)
#include "engine_client_test.moc"
