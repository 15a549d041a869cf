// quantspot: the window. The engine starts in the background and may be on another machine.
#include "ui/models/compare_session.h"
#include "ui/views/main_window.h"
#include "ui/views/theme.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QFileInfo>
#include <QProcess>
#include <QSettings>

#include <cstdio>

using namespace quantspot;

namespace {

struct Options { QString store; ui::EngineCommand engine; };

Options parse(const QCoreApplication& application) {
  QCommandLineParser parser;
  parser.setApplicationDescription(QStringLiteral("Blind quality comparison of quantized diffusion models"));
  parser.addHelpOption();
  parser.addVersionOption();
  const QCommandLineOption data(QStringLiteral("data"), QStringLiteral("Keep comparisons and guesses in this folder."), QStringLiteral("DIR"));
  const QCommandLineOption engine(QStringLiteral("engine"), QStringLiteral("The engine to start, for example \"ssh host quantspot-engine\"."),
                                  QStringLiteral("PROGRAM"));
  parser.addOptions({data, engine});
  parser.process(application);
  Options options{study::StudyStore::defaultPath(), ui::localEngine()};
  if (parser.isSet(data)) options.store = parser.value(data) + QStringLiteral("/study.sqlite");
  if (QStringList words = QProcess::splitCommand(parser.value(engine)); !words.isEmpty()) {
    options.engine.program = words.takeFirst();
    options.engine.arguments = words;
  }
  return options;
}

bool wantsDark(const QSettings& settings) {
  const bool system = QGuiApplication::palette().color(QPalette::Window).lightness() < 128;
  return settings.value(QStringLiteral("dark"), system).toBool();
}

}  // namespace

int main(int argc, char** argv) {
  QApplication application(argc, argv);
  QCoreApplication::setApplicationName(QStringLiteral("quantspot"));
  QCoreApplication::setApplicationVersion(QStringLiteral(QUANTSPOT_VERSION));
  QGuiApplication::setApplicationDisplayName(QStringLiteral("QuantSpot"));
  const Options options = parse(application);
  QSettings settings(QFileInfo(options.store).path() + QStringLiteral("/settings.ini"), QSettings::IniFormat);
  views::applyTheme(application, wantsDark(settings));

  study::StudyStore store;
  ui::EngineClient engine(options.engine);
  const bool opened = store.open(options.store);
  ui::CompareSession session(&engine, &store);
  QObject::connect(&session, &ui::CompareSession::engineLog, [](const QString& line) { std::fprintf(stderr, "%s\n", qPrintable(line)); });
  views::MainWindow window(&session);
  QObject::connect(&window, &views::MainWindow::themeChosen, [&](bool dark) { settings.setValue(QStringLiteral("dark"), dark); });
  window.resize(1280, 800);
  window.restoreGeometry(settings.value(QStringLiteral("geometry")).toByteArray());
  window.show();
  if (!opened) Q_EMIT session.failed(store.lastError());
  session.connectEngine();
  const int code = QApplication::exec();
  settings.setValue(QStringLiteral("geometry"), window.saveGeometry());
  return code;
}
