// The real engine over weights that are cut while it reads them.
#include "tests/engine/engine_process.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <csignal>
#include <filesystem>

using namespace quantspot;
using nlohmann::json;

namespace {

bool isStopped(qint64 process) {
  QFile stat(QStringLiteral("/proc/%1/stat").arg(process));
  return stat.open(QIODevice::ReadOnly) && stat.readAll().contains(") T ");
}

}  // namespace

class ServiceCutTest : public QObject {
  Q_OBJECT
 private Q_SLOTS:
  // The engine is held at its first layer, the weights are cut, and it goes on; whole again, they are drawn by the same engine.
  void weightsThatAreCutWhileTheyAreReadAreOneLine() {
    QTemporaryDir folder;
    const std::filesystem::path model = folder.filePath("model").toStdString(), part = model / "transformer/diffusion_pytorch_model.safetensors";
    std::filesystem::copy(QUANTSPOT_SOURCE_DIR "/tests/parity/golden/flux_a/pipeline", model, std::filesystem::copy_options::recursive);
    std::filesystem::copy_file(part, model / "whole");
    test::EngineProcess engine({"QUANTSPOT_TEST_STOP_AT=load:1:bf16"});
    json small = {{"model", model.string()}, {"precision", "bf16"}, {"cache", false},
                  {"recipe", {{"prompt", "a fox"}, {"seed", 7u}, {"steps", 2}, {"width", 64}, {"height", 48}, {"max_sequence_length", 32}}}};
    const auto id = engine.send("samples/generate", small);
    engine.waitForProgress("load", 1);
    QTRY_VERIFY_WITH_TIMEOUT(isStopped(engine.process().processId()), 60000);
    std::filesystem::resize_file(part, std::filesystem::file_size(part) / 4);
    ::kill(static_cast<pid_t>(engine.process().processId()), SIGCONT);
    const protocol::Reply reply = engine.replyTo(id);
    QVERIFY(reply.error.has_value());
    const QString said = reply.error->what();
    QVERIFY2(said.contains(QString::fromStdString(part.string())) && said.contains("it was cut while") && !said.contains('\n'), qPrintable(said));
    std::filesystem::copy_file(model / "whole", part, std::filesystem::copy_options::overwrite_existing);
    small["precision"] = "fp32";         // which the hook does not hold
    QVERIFY(engine.call("samples/generate", small)["png"].is_string());
  }
};

QTEST_GUILESS_MAIN(ServiceCutTest)
#include "service_cut_test.moc"
