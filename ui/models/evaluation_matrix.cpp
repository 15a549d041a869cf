#include "ui/models/evaluation_matrix.h"

#include "evaluation/figures.h"
#include "ui/models/precision_names.h"

namespace quantspot::ui {
namespace {

constexpr qsizetype kLongestPrompt = 34;   // of a row's header

QString scoreText(const evaluation::FigureInfo& info, const QString& label, const nlohmann::json& value) {
  if (value.is_number()) return label + u' ' + QString::fromStdString(evaluation::figureText(info, value.get<double>()));
  return info.id == "psnr" ? label + QStringLiteral(" ∞ dB") : QString();
}

}  // namespace

EvaluationMatrix::EvaluationMatrix(EvaluationRun* run, QObject* parent) : QAbstractTableModel(parent), run_(run) {
  connect(run, &EvaluationRun::opened, this, &EvaluationMatrix::reset);
  connect(run, &EvaluationRun::stateChanged, this, [this] { if (!run_->plan()) reset(); });
  connect(run, &EvaluationRun::cellChanged, this, &EvaluationMatrix::onCell);
}

int EvaluationMatrix::rowCount(const QModelIndex& parent) const {
  const evaluation::Plan* plan = run_->plan();
  return parent.isValid() || !plan ? 0 : static_cast<int>(plan->request().prompts.prompts.size() * plan->request().seeds.size());
}

int EvaluationMatrix::columnCount(const QModelIndex& parent) const {
  return parent.isValid() || !run_->plan() ? 0 : static_cast<int>(run_->plan()->request().precisions.size());
}

std::size_t EvaluationMatrix::prompt(int row) const { return static_cast<std::size_t>(row) / run_->plan()->request().seeds.size(); }
std::size_t EvaluationMatrix::seed(int row) const { return static_cast<std::size_t>(row) % run_->plan()->request().seeds.size(); }

const evaluation::Cell* EvaluationMatrix::cell(const QModelIndex& index) const {
  if (!run_->plan() || !index.isValid() || index.row() >= rowCount() || index.column() >= columnCount()) return nullptr;
  return &run_->plan()->cell(prompt(index.row()), seed(index.row()), static_cast<std::size_t>(index.column()));
}

EvaluationMatrix::Entry& EvaluationMatrix::entry(const QModelIndex& index) const {
  Entry& found = entries_[static_cast<std::size_t>(index.row() * columnCount() + index.column())];
  const evaluation::Cell& at = *cell(index);
  if (found.known || !run_->isFinished(at)) return found;
  found.known = true;
  try {
    const evaluation::Bytes png = run_->store()->png(at.key);
    found.image = QImage::fromData(png.data(), static_cast<int>(png.size()));
  } catch (const std::runtime_error&) {}   // somebody removed it: a cell without picture
  QStringList lines;
  const nlohmann::json scores = run_->scoresOf(at);
  for (const evaluation::FigureInfo& info : evaluation::figures())
    if (const auto score = scores.find(std::string(info.id)); score != scores.end())
      if (const QString text = scoreText(info, run_->labelOf(info), *score); !text.isEmpty()) lines << text;
  if (const auto report = run_->store()->report(at.key))
    for (const char* id : {"latency", "memory"})
      if (const auto value = evaluation::figureOf({{"report", *report}}, id); value && *value > 0)
        lines << scoreText(*evaluation::figureInfo(id), run_->labelOf(*evaluation::figureInfo(id)), *value);
  found.text = lines.value(0);
  found.tip = lines.join(u'\n');
  return found;
}

QVariant EvaluationMatrix::data(const QModelIndex& index, int role) const {
  const evaluation::Cell* at = cell(index);
  if (!at) return {};
  const QString failure = run_->failureOf(*at);
  const bool drawing = run_->isDrawing(*at), finished = run_->isFinished(*at);
  switch (role) {
    case StateRole: return !failure.isEmpty() ? Failed : finished ? Finished : drawing ? Drawing : Waiting;
    case PrecisionRole: return run_->request().precisions.value(index.column());
    case Qt::DisplayRole: return !failure.isEmpty() ? tr("failed") : drawing ? tr("drawing") : finished ? entry(index).text : QString();
    case Qt::ToolTipRole: return !failure.isEmpty() ? failure : finished ? entry(index).tip : drawing ? tr("being drawn") : tr("not drawn yet");
    case Qt::DecorationRole: return finished ? QVariant(entry(index).image) : QVariant();
    default: return {};
  }
}

QVariant EvaluationMatrix::headerData(int section, Qt::Orientation orientation, int role) const {
  if (!run_->plan()) return {};
  if (orientation == Qt::Horizontal) {
    const QString precision = run_->request().precisions.value(section);
    if (role == Qt::ToolTipRole) return precision;
    return role == Qt::DisplayRole ? shortName(precision) : QVariant();
  }
  const evaluation::Prompt& text = run_->plan()->request().prompts.prompts[prompt(section)];
  const QString whole = QString::fromStdString(text.text);
  if (role == SeedRole) return QString::number(run_->plan()->request().seeds[seed(section)]);
  if (role == Qt::ToolTipRole) return text.category.empty() ? whole : whole + QStringLiteral("\n") + QString::fromStdString(text.category);
  if (role != Qt::DisplayRole) return {};
  const QString shown = whole.size() > kLongestPrompt ? whole.left(kLongestPrompt - 1) + u'…' : whole;
  return tr("%1\nseed %2").arg(shown, headerData(section, orientation, SeedRole).toString());
}

std::vector<EvaluationMatrix::Picture> EvaluationMatrix::pictures(int row) const {
  std::vector<Picture> all;
  for (int column = 0; column < columnCount(); ++column) {
    const QModelIndex at = index(row, column);
    const bool finished = data(at, StateRole) == Finished;
    all.push_back({data(at, PrecisionRole).toString(), data(at, Qt::ToolTipRole).toString(), finished ? entry(at).image : QImage()});
  }
  return all;
}

void EvaluationMatrix::reset() {
  beginResetModel();
  entries_.assign(static_cast<std::size_t>(rowCount() * columnCount()), {});
  endResetModel();
}

void EvaluationMatrix::onCell(int prompt, int seed, int precision) {
  if (rowCount() == 0) return;
  if (prompt < 0) {                      // others drew something
    Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, columnCount() - 1));
    return;
  }
  const QModelIndex at = index(prompt * static_cast<int>(run_->plan()->request().seeds.size()) + seed, precision);
  entries_[static_cast<std::size_t>(at.row() * columnCount() + at.column())] = {};   // a score came
  Q_EMIT dataChanged(at, at);
}

}  // namespace quantspot::ui
