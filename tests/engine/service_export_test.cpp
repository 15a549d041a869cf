// exports/write as a client meets it: what it answers, and that a refused, cancelled or impossible export leaves nothing.
#include "tests/engine/engine_process.h"
#include "tests/engine/json_schema.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace quantspot;
using nlohmann::json;
using protocol::ErrorCode;

namespace {

const std::string kGolden = QUANTSPOT_SOURCE_DIR "/tests/parity/golden/";

QByteArray contents(const QString& path) {
  QFile file(path);
  return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

}  // namespace

class ServiceExportTest : public QObject {
  Q_OBJECT
  QTemporaryDir folder_;
  const test::JsonSchema schema_{QUANTSPOT_SOURCE_DIR "/engine/protocol/schema.json"};

  QString path(const QString& name) const { return folder_.filePath(name); }
  json request(const char* out, const char* precision = "bnb-nf4", const std::string& model = kGolden + "export/pipeline") const {
    return {{"model", model}, {"precision", precision}, {"out", path(out).toStdString()},
            {"recipe", {{"prompt", "two owls"}, {"seed", 5u}, {"steps", 2}, {"width", 16}, {"height", 32}, {"max_sequence_length", 16}}}};
  }
  bool isNothingAt(const char* out) const { return !QFile::exists(path(out)) && !QFile::exists(path(QString(out) + ".part")); }

 private Q_SLOTS:
  void itAnswersWithTheManifestOfWhatIsThere() {
    test::EngineProcess engine;
    const json asked = request("written");
    QCOMPARE(QString::fromStdString(schema_.check(asked, "ExportParams")), QString());
    const json result = engine.call("exports/write", asked);
    QCOMPARE(QString::fromStdString(schema_.check(result, "ExportResult")), QString());
    QVERIFY(result["out"] == asked["out"]);
    QVERIFY(json::parse(contents(path("written/manifest.json")).toStdString()) == result["manifest"]);
    std::int64_t bytes = contents(path("written/manifest.json")).size();
    for (const json& file : result["manifest"]["files"]) bytes += contents(path("written/" + QString::fromStdString(file["path"]))).size();
    QCOMPARE(result["bytes"].get<std::int64_t>(), bytes);
    QVERIFY(contents(path("written/run.py")).contains("prompt=\"two owls\""));
    QVERIFY(!engine.progress.empty() && engine.progress.back().step == engine.progress.back().steps);
  }

  void nothingIsOverwrittenUnlessAsked() {
    test::EngineProcess engine;
    engine.call("exports/write", request("twice", "bf16"));
    const QByteArray before = contents(path("twice/manifest.json"));
    const auto refused = engine.replyTo(engine.send("exports/write", request("twice")));
    QVERIFY(refused.error && refused.error->code == ErrorCode::InvalidParams);
    QVERIFY2(QByteArray(refused.error->what()).contains("is already there"), refused.error->what());
    QCOMPARE(contents(path("twice/manifest.json")), before);
    json forced = request("twice");
    forced["force"] = true;
    QCOMPARE(engine.call("exports/write", forced)["manifest"]["precision"].get<std::string>(), std::string("bnb-nf4"));
    QVERIFY(!QFile::exists(path("twice.part")));
  }

  void cancelledWhileItWaitsOrWrites() {
    test::EngineProcess engine;
    const std::int64_t running = engine.send("exports/write", request("running", "quanto-int4", "default"));
    const std::int64_t waiting = engine.send("exports/write", request("waiting"));
    engine.call("cancel", {{"id", waiting}});
    engine.waitForProgress("load", 1);
    engine.call("cancel", {{"id", running}});
    for (const std::int64_t id : {waiting, running}) {
      const auto reply = engine.replyTo(id);
      QVERIFY(reply.error && reply.error->code == ErrorCode::Cancelled);
    }
    QVERIFY(isNothingAt("running") && isNothingAt("waiting"));
    engine.call("exports/write", request("running"));   // and the engine goes on
    QVERIFY(QFile::exists(path("running/manifest.json")));
  }

  void whatCannotBeWrittenIsSaid_data() {
    QTest::addColumn<QString>("change");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("word");
    const auto row = [](const char* name, const char* change, int code, const char* word) { QTest::newRow(name) << change << code << word; };
    row("precision", R"({"precision":"bnb-nf5"})", ErrorCode::InvalidParams, "bnb-nf5");
    row("no scales", R"({"precision":"quanto-int8a8"})", ErrorCode::InvalidParams, "have no scale");
    row("no recipe", R"({"recipe":null})", ErrorCode::InvalidParams, "no recipe");
    row("size", R"({"recipe":{"prompt":"x","width":100}})", ErrorCode::InvalidParams, "width = 100");
    row("model", R"({"model":"/nowhere"})", ErrorCode::InternalError, "/nowhere");
    row("images", R"({"images":"/nowhere"})", ErrorCode::InternalError, "/nowhere");
    row("parent", R"({"out":"/nowhere/at/all"})", ErrorCode::InvalidParams, "is not there");
    row("no folder", R"({"out":""})", ErrorCode::InvalidParams, "out");
    row("a file", R"({"out":"/etc/passwd"})", ErrorCode::InvalidParams, "already there");
    row("a file by force", R"({"out":"/etc/passwd","force":true})", ErrorCode::InvalidParams, "passwd");
    row("somebody's folder", R"({"out":"/tmp","force":true})", ErrorCode::InvalidParams, "no earlier export");
    row("type", R"({"force":"yes"})", ErrorCode::InvalidParams, "force = \"yes\" is not true or false");
  }
  void whatCannotBeWrittenIsSaid() {
    QFETCH(QString, change);
    QFETCH(int, code);
    QFETCH(QString, word);
    test::EngineProcess engine;
    json asked = request("refused");
    asked.merge_patch(json::parse(change.toStdString()));
    const auto reply = engine.replyTo(engine.send("exports/write", asked));
    QVERIFY(reply.error.has_value());
    const QByteArray said = reply.error->what();
    QVERIFY2(reply.error->code == code && said.contains(word.toUtf8()) && !said.contains('\n'), said);
    QVERIFY(isNothingAt("refused"));
  }

  // A real disk of 256 KiB, which only the engine sees.
  void aFullDiskIsToldBeforeAnythingIsWritten() {
    QProcess probe;
    probe.start("unshare", {"-rm", "sh", "-c", "mount -t tmpfs -o size=256k tmpfs '" + folder_.path() + "'"});
    if (!probe.waitForFinished(30000) || probe.exitCode() != 0) QSKIP("this account may not mount in a namespace of its own (unshare -rm)");
    QVERIFY(QDir().mkpath(path("disk")));
    QFile script(path("engine.sh"));
    QVERIFY(script.open(QIODevice::WriteOnly));
    script.write(QStringLiteral("#!/bin/sh\nexec unshare -rm sh -c 'mount -t tmpfs -o size=256k tmpfs \"%1\" && exec \"%2\" \"$@\"' sh \"$@\"\n")
                     .arg(path("disk"), QStringLiteral(QUANTSPOT_ENGINE)).toUtf8());
    script.close();
    QVERIFY(script.setPermissions(QFile::ReadOwner | QFile::ExeOwner));
    test::EngineProcess engine({}, script.fileName());
    const auto reply = engine.replyTo(engine.send("exports/write", request("disk/deploy")));
    QVERIFY(reply.error.has_value());
    QVERIFY2(reply.error->code == ErrorCode::InternalError && QByteArray(reply.error->what()).contains("are free; make room"), reply.error->what());
    const QDir seen(QStringLiteral("/proc/%1/root%2").arg(engine.process().processId()).arg(path("disk")));
    QVERIFY(seen.exists());
    QVERIFY2(seen.entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot).isEmpty(), "something was left");
  }
};

QTEST_GUILESS_MAIN(ServiceExportTest)
#include "service_export_test.moc"
