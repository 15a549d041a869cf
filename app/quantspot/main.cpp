// quantspot: the window. The engine starts in the background and may be on another machine.
#include "ui/models/compare_session.h"
#include "ui/models/participant_session.h"
#include "ui/views/compare_page.h"
#include "ui/views/decide_page.h"
#include "ui/views/evaluate_page.h"
#include "ui/views/main_window.h"
#include "ui/views/participant_window.h"
#include "ui/views/path_dialog.h"
#include "ui/views/study_page.h"
#include "ui/views/theme.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QEventLoop>
#include <QFileInfo>
#include <QProcess>
#include <QScreen>
#include <QSettings>
#include <QTimer>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>

using namespace quantspot;

namespace {

struct Options {
  QString store;                       // of comparisons; settings and journals lie beside it
  ui::EngineCommand engine;
  bool participant = false, passphrase_on_stdin = false;
  ui::ParticipantSession::Place place;
};

Options parse(const QCoreApplication& application) {
  QCommandLineParser parser;
  parser.setApplicationDescription(QStringLiteral("Blind quality comparison of quantized diffusion models"));
  parser.addHelpOption();
  parser.addVersionOption();
  const QCommandLineOption data(QStringLiteral("data"), QStringLiteral("Keep comparisons and guesses in this folder."), QStringLiteral("DIR"));
  const QCommandLineOption engine(QStringLiteral("engine"), QStringLiteral("The engine to start, for example \"ssh host quantspot-engine\"."),
                                  QStringLiteral("PROGRAM"));
  const QCommandLineOption participant(QStringLiteral("participant"), QStringLiteral("Nothing but the screen for a participant of this study: "
                                       "the beginning of its hash, or \"only\" for the store's only one."), QStringLiteral("STUDY"));
  const QCommandLineOption store(QStringLiteral("store"), QStringLiteral("Where studies lie: a file (default: that of the comparisons), "
                                 "or postgresql://USER:PASSWORD@HOST/DATABASE."),
                                 QStringLiteral("STORE"));
  const QCommandLineOption station(QStringLiteral("station"), QStringLiteral("This window's name, where several answer on one computer."),
                                   QStringLiteral("NAME"), QStringLiteral("here"));
  const QCommandLineOption secret(QStringLiteral("passphrase-stdin"),
                                  QStringLiteral("Read the study's passphrase from standard input instead of the screen."));
  parser.addOptions({data, engine, participant, store, station, secret});
  if (!parser.parse(QCoreApplication::arguments())) {   // process() would end with 1
    std::fprintf(stderr, "quantspot: %s (see quantspot --help)\n", qPrintable(parser.errorText()));
    std::exit(2);
  }
  parser.process(application);
  Options options;
  options.store = study::StudyStore::defaultPath(), options.engine = ui::localEngine();
  if (parser.isSet(data)) options.store = parser.value(data) + QStringLiteral("/study.sqlite");
  if (QStringList words = QProcess::splitCommand(parser.value(engine)); !words.isEmpty()) {
    options.engine.program = words.takeFirst();
    options.engine.arguments = words;
  }
  options.participant = parser.isSet(participant), options.passphrase_on_stdin = parser.isSet(secret);
  options.place.store = parser.isSet(store) ? parser.value(store) : options.store;
  options.place.history = options.store;
  options.place.study = parser.value(participant), options.place.station = parser.value(station);
  options.place.folder = QFileInfo(options.store).path() + QStringLiteral("/stations");
  if (options.place.study == QLatin1String("only")) options.place.study.clear();
  return options;
}

// Nobody typed anything: the screen comes with the study open, unless the store keeps it waiting; then it says so.
void waitForOpening(ui::ParticipantSession& session) {
  QEventLoop loop;
  const auto check = [&] { if (!session.isBusy()) loop.quit(); };
  QObject::connect(&session, &ui::ParticipantSession::busyChanged, &loop, check);
  QTimer::singleShot(3000, &loop, &QEventLoop::quit);
  if (session.isBusy()) loop.exec();
}

// The whole screen for a participant. The passphrase never stands on a command line or in the environment, where others read it.
int runParticipant(const Options& options) {
  ui::ParticipantSession session(options.place);
  views::ParticipantWindow window(&session);
  if (options.passphrase_on_stdin) {
    std::string line;
    std::getline(std::cin, line);
    session.unlock(QString::fromStdString(line));
    std::fill(line.begin(), line.end(), '\0');
    waitForOpening(session);
  }
  window.takeScreen();
  return QApplication::exec();
}

int runWindow(const Options& options, QSettings& settings) {
  study::StudyStore store;
  ui::EngineClient engine(options.engine);
  const bool opened = store.open(options.store);
  ui::CompareSession session(&engine, &store);
  QObject::connect(&session, &ui::CompareSession::engineLog, [](const QString& line) { std::fprintf(stderr, "%s\n", qPrintable(line)); });
  views::MainWindow window(&session);
  QObject::connect(&window, &views::MainWindow::themeChosen, [&](bool dark) { settings.setValue(QStringLiteral("dark"), dark); });
  window.evaluatePage()->setSettings(settings.fileName());
  window.decidePage()->setSettings(settings.fileName());
  const QSize room = window.screen()->availableSize();
  window.resize(std::min(1280, room.width() - 16), std::min(800, room.height() - 48));   // with a frame around it
  window.restoreGeometry(settings.value(QStringLiteral("geometry")).toByteArray());
  views::rememberFolderIn(settings.fileName());
  window.show();
  window.studyPage()->useStudies(options.place.store);
  // Said before anything is drawn that would be lost.
  const QString folder = QFileInfo(options.store).path();
  if (!opened) window.comparePage()->setBlocked(store.lastError());
  else if (!QFileInfo(folder).isWritable())
    window.comparePage()->setBlocked(QStringLiteral("%1 can only be read: nothing new would be kept. Start with --data and a folder that can be written, "
                                                    "or look at what is there on the other pages").arg(folder));
  session.connectEngine();
  const int code = QApplication::exec();
  settings.setValue(QStringLiteral("geometry"), window.saveGeometry());
  return code;
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
  return options.participant ? runParticipant(options) : runWindow(options, settings);
}
