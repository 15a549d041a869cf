// What is kept of a comparison and of the guesses about it. Plain values; pixels stay PNG bytes here.
#pragma once

#include <QByteArray>
#include <QDateTime>
#include <QJsonObject>
#include <QString>
#include <QStringList>

#include <optional>
#include <vector>

namespace quantspot::study {

inline constexpr char kReference[] = "bf16";   // the variant that others are compared with
inline constexpr char kAskedAgain[] = "asked-again";   // an answer about pictures whose names this very trial had shown: stored, never rename
inline constexpr char kSeenBefore[] = "seen-before";   // one of its pictures lay in the history with its name: stored, never rename
inline constexpr char kPicked[] = "picked";    // the choice of the slot taken for the quantized one

// NameEach: give every tile its precision. SpotOne: pick the quantized tile among repeats of the reference. Rate: every tile's quality, 1 to 5.
enum class Task { NameEach, SpotOne, Rate };
QString taskName(Task task);                           // "name-each", "spot", "rate": stored, never rename
std::optional<Task> taskFromName(const QString& name);

// Figures measured after the fact; absent where the measurement was not made or failed.
struct Scores {
  std::optional<double> psnr, ssim;   // dB; 0…1; against the first bf16 sample of the comparison
  std::optional<double> lpips;        // AlexNet's, against the same; where the engine has its weights
  std::optional<double> clip;         // image against prompt
  std::optional<double> repeat_psnr;  // dB, of the reference: itself drawn again, against it (the noise floor); infinite: the same pixels
  QString clip_label;                 // "CLIP-tiny" with the embedded model
  QStringList failures;               // "ssim: …", one line each
  bool operator==(const Scores&) const = default;
};

// One image, or the reason why there is none (then png is empty and failure is not).
struct Sample {
  qint64 id = 0;                      // 0 until stored
  QString precision;                  // id or policy text
  int repeat = 0;                     // counts samples of one precision in one comparison
  QByteArray png;
  QJsonObject report;                 // schema 1, as the engine wrote it
  Scores scores;
  QString failure;
};

struct Comparison {
  qint64 id = 0;                      // 0 until stored
  QDateTime created;                  // UTC
  QString model;                      // "default" or a folder
  QJsonObject recipe;                 // keys of protocol::Recipe
  std::vector<Sample> samples;
  QByteArray startPicture = {};       // PNG that image to image started from; empty: none
};

// One question and its answer. They are stored together: no slot order lies in the database before the answer.
struct AnsweredTrial {
  qint64 id = 0, comparison = 0;
  Task task = Task::NameEach;
  std::vector<qint64> slot_samples;   // sample ids, slot A first
  QStringList choices;                // per slot. NameEach: the precision named; SpotOne: kPicked or nothing; Rate: "1" to "5"
  int confidence = 0;                 // 1…5, 0: not given
  qint64 response_ms = 0;             // from the images on screen to the answer
  int hits = 0, tiles = 0;            // NameEach: tiles named right of all; SpotOne: 0 or 1 of 1; Rate: none
  double chance = 0;                  // of one tile: 1 / number of slots; Rate: 0
  QString uncounted = {};             // why it is kept out of tallies: kAskedAgain, kSeenBefore; empty: it is in them
  QDateTime answered;                 // UTC
};

// A row of the history.
struct ComparisonHead {
  qint64 id = 0;
  QDateTime created;
  QString model, prompt;
  quint64 seed = 0;
  QStringList precisions, failed;     // with a picture; without one
  int trials = 0, hits = 0, tiles = 0;
  int uncounted = 0;                  // of the trials: in no tally
  std::vector<std::pair<QString, int>> ratings = {};   // precision and grade, of the last trial that rated them
  QStringList tags = {};              // the user's own words, sorted
};

// Counted answers of one task with one chance level, summed.
struct Tally {
  Task task = Task::NameEach;
  double chance = 0;
  int trials = 0, hits = 0, tiles = 0;
};

// How often tiles of one precision were named as another, over all counted NameEach answers.
struct ConfusionCell {
  QString truth, choice;
  int count = 0;
};

// One grade of one counted Rate answer.
struct RatedTile {
  QString model, precision;
  qint64 trial = 0;
  int grade = 0;                      // 1…5
};

}  // namespace quantspot::study
