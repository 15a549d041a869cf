// A real PostgreSQL server, started for one test and thrown away.
#pragma once

#include <QDir>
#include <QProcess>
#include <QTcpServer>
#include <QTemporaryDir>

#include <unistd.h>

namespace sample {

class PostgresServer {
 public:
  PostgresServer() {
    const QDir versions("/usr/lib/postgresql");
    const QStringList found = versions.entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name);
    if (!found.isEmpty()) bin_ = versions.filePath(found.last() + "/bin/");
    QTcpServer probe;
    probe.listen(QHostAddress::LocalHost);
    port_ = probe.serverPort();
  }
  ~PostgresServer() {
    if (running_) control("stop", "immediate");
  }
  // Empty when it runs; else why not.
  QString start() {
    if (bin_.isEmpty() || !QFile::exists(bin_ + "initdb")) return "PostgreSQL is not installed (Debian: postgresql)";
    if (geteuid() == 0 && run("chown", {"postgres", folder_.path()}, false) != 0) return "there is no user 'postgres' to run the server as";
    if (run(bin_ + "initdb", {"-D", data(), "-A", "trust", "-U", "qs", "--no-sync"}) != 0) return "initdb failed: " + said_;
    if (!again()) return "the server did not start: " + said_;
    return run(bin_ + "createdb", {"-h", "127.0.0.1", "-p", QString::number(port_), "-U", "qs", "study"}) == 0 ? QString() : said_;
  }
  bool again() {
    running_ = run(bin_ + "pg_ctl", {"-D", data(), "-w", "-l", folder_.filePath("log"), "-o",
        QStringLiteral("-p %1 -c listen_addresses=127.0.0.1 -c unix_socket_directories=").arg(port_), "start"}) == 0;
    return running_;
  }
  void control(const QString& what, const QString& mode) { run(bin_ + "pg_ctl", {"-D", data(), "-w", "-m", mode, what}); }
  QString url() const { return QStringLiteral("postgresql://qs:secret@127.0.0.1:%1/study").arg(port_); }

 private:
  QString data() const { return folder_.filePath("data"); }
  // PostgreSQL refuses to run as root.
  int run(QString program, QStringList arguments, bool as_postgres = true) {
    if (as_postgres && geteuid() == 0) {
      arguments = QStringList{"--reuid=postgres", "--regid=postgres", "--clear-groups", program} + arguments;
      program = "setpriv";
    }
    QProcess process;
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.setStandardOutputFile(folder_.filePath("said"));   // a pipe would stay open in the server
    process.setWorkingDirectory(folder_.path());
    process.start(program, arguments);
    process.waitForFinished(60000);
    QFile said(folder_.filePath("said"));
    said_ = said.open(QIODevice::ReadOnly) ? QString::fromUtf8(said.readAll()) : QString();
    return process.exitStatus() == QProcess::NormalExit && process.error() == QProcess::UnknownError ? process.exitCode() : -1;
  }

  QTemporaryDir folder_;
  QString bin_, said_;
  int port_ = 0;
  bool running_ = false;
};

}  // namespace sample
