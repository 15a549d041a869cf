// quantspot-cli as a program: what it printed and how it ended.
#pragma once

#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>

namespace quantspot::test {

struct Outcome {
  int code = -1;                                     // −1: killed, crashed or too slow
  QByteArray out, err;
  QJsonObject json() const { return QJsonDocument::fromJson(out).object(); }
};

inline Outcome finish(QProcess& cli) {
  if (!cli.waitForFinished(240000)) cli.kill();
  return {cli.exitStatus() == QProcess::NormalExit ? cli.exitCode() : -1, cli.readAllStandardOutput(), cli.readAllStandardError()};
}

inline Outcome runCli(const QStringList& arguments, const QStringList& environment = {}) {
  QProcess cli;
  cli.setEnvironment(QProcess::systemEnvironment() + environment);
  cli.start(QStringLiteral(QUANTSPOT_CLI), arguments);
  return finish(cli);
}

}  // namespace quantspot::test
