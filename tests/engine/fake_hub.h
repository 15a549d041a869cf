// A hub on this machine, for tests: fake_hub.py in a process of its own, with a small repository for every way of going wrong.
#pragma once

#include <QDir>
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>

#include <cstdlib>

namespace quantspot::test {

class FakeHub {
 public:
  explicit FakeHub(const QStringList& owners) {
    for (const QString& owner : owners) {
      const QString repo = dir_.filePath(owner + "/tiny");
      write(repo + "/model_index.json", "{\"_class_name\": \"FluxPipeline\"}");
      write(repo + "/vae/config.json", "{}");
      write(repo + "/vae/diffusion_pytorch_model.safetensors", weights(30000));
      write(repo + "/vae/diffusion_pytorch_model.fp16.safetensors", weights(100));
      write(repo + "/vae/diffusion_pytorch_model.bin", weights(100));
      write(repo + "/transformer/a name.safetensors", weights(20000));
      write(repo + "/whole.safetensors", weights(1000));
    }
    process_.start(PYTHON3, {QStringLiteral(QUANTSPOT_SOURCE_DIR "/tests/engine/fake_hub.py"), dir_.path()});
    if (!process_.waitForReadyRead(20000)) qFatal("fake_hub.py does not start: %s", process_.readAllStandardError().constData());
    endpoint_ = "http://127.0.0.1:" + process_.readLine().trimmed().toStdString();
  }
  ~FakeHub() {
    process_.kill();
    process_.waitForFinished();
  }

  const std::string& endpoint() const { return endpoint_; }
  static constexpr const char* kCommit = "0123456789abcdef0123456789abcdef01234567";
  static QByteArray weights(int bytes) {
    QByteArray data(bytes, '\0');
    for (int i = 0; i < bytes; ++i) data[i] = static_cast<char>(i * 7 + i / 256);
    return data;
  }

 private:
  static void write(const QString& path, const QByteArray& data) {
    QDir().mkpath(QFileInfo(path).path());
    QFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(data) != data.size()) std::abort();
  }

  QTemporaryDir dir_;
  QProcess process_;
  std::string endpoint_;
};

}  // namespace quantspot::test
