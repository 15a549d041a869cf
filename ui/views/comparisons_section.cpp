#include "ui/views/comparisons_section.h"

#include "study/attestation.h"
#include "ui/models/precision_names.h"
#include "ui/views/draft_form.h"
#include "ui/views/path_dialog.h"

#include <QCheckBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QJsonArray>
#include <QLabel>
#include <QPushButton>
#include <QSignalBlocker>
#include <QTreeWidget>
#include <QVBoxLayout>

namespace quantspot::views {
namespace {

enum Role { ComparisonRole = Qt::UserRole, IdRole };

QString names(const QStringList& precisions) {
  QStringList shown;
  for (const QString& precision : precisions) shown << ui::shortName(precision);
  return shown.join(QStringLiteral(", "));
}

}  // namespace

ComparisonsSection::ComparisonsSection(ui::StudyDraft* draft, study::StudyStore* store, QWidget* parent)
    : QWidget(parent), draft_(draft), store_(store), list_(new QTreeWidget), problem_(new QLabel), known_(new QLabel),
      take_(new QPushButton(tr("Take them all the same"))), column_(new QVBoxLayout(this)) {
  column_->setContentsMargins(0, 0, 0, 0), column_->setSpacing(8);
  list_->setHeaderLabels({tr("Comparison"), tr("Variants"), tr("Practice")});
  list_->setRootIsDecorated(false), list_->setMinimumHeight(180), list_->setUniformRowHeights(true);
  list_->setStyleSheet(QStringLiteral("QTreeView::item { padding: 3px 0; }"));
  list_->header()->setSectionResizeMode(Picked, QHeaderView::Stretch), list_->header()->setSectionResizeMode(Variants, QHeaderView::ResizeToContents);
  list_->header()->setStretchLastSection(false), list_->setAccessibleName(tr("Comparisons of the study"));
  problem_->setProperty("role", "problem"), problem_->setWordWrap(true), problem_->hide();
  known_->setProperty("role", "quiet"), known_->setWordWrap(true);
  take_->setToolTip(tr("Look at the pictures first: the study will say that the gate was overruled"));
  take_->setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Fixed), take_->hide();
  connect(take_, &QPushButton::clicked, this, [this] {
    draft_->takeDoubted();
    say({});
    fill();
  });
  auto* row = new QHBoxLayout;
  auto* import = new QPushButton(tr("Import folder…"));
  import->setToolTip(tr("A folder per comparison, with VARIANT.png files: pictures of other programs"));
  connect(import, &QPushButton::clicked, this, [this] {
    askForPath(this, {tr("Import folder"), PathKind::Folder}, [this](const QString& folder) { importFolder(folder); });
  });
  row->addWidget(import), row->addStretch(1);
  column_->addWidget(list_), column_->addWidget(problem_), column_->addWidget(take_), column_->addLayout(row);
  auto* model = new DraftForm(draft_);
  model->addLine(tr("Model"), tr("what the pictures were made with; said in the report"), [](const study::Protocol& p) { return p.model; },
                 [](study::Protocol& p, const QString& text) { p.model = text; });
  column_->addWidget(model), column_->addWidget(known_);
  connect(list_, &QTreeWidget::itemChanged, this, &ComparisonsSection::onChanged);
  connect(draft_, &ui::StudyDraft::changed, this, &ComparisonsSection::refreshVariants);
  connect(store_, &study::StudyStore::changed, this, &ComparisonsSection::fill);
  fill();
  refreshVariants();
}

QString ComparisonsSection::said() const { return problem_->text(); }

QString ComparisonsSection::known() const { return known_->text(); }

void ComparisonsSection::say(const QString& text) {
  problem_->setText(text), problem_->setVisible(!text.isEmpty());
  take_->setVisible(!draft_->doubted().isEmpty());
}

void ComparisonsSection::fill() {
  const QSignalBlocker quiet(list_);
  list_->clear();
  const auto add = [this](const QString& text, const QString& variants, qint64 comparison, const QString& id) {
    auto* item = new QTreeWidgetItem(list_, {text, variants});
    const study::StudyComparison* taken = comparison == 0 || draft_->contains(comparison) ? draft_->protocol().comparison(id) : nullptr;
    item->setData(Picked, ComparisonRole, comparison), item->setData(Picked, IdRole, id);
    item->setCheckState(Picked, taken ? Qt::Checked : Qt::Unchecked);
    item->setCheckState(Practice, taken && taken->practice ? Qt::Checked : Qt::Unchecked);
  };
  for (const study::ComparisonHead& head : store_->comparisons())
    add(QStringLiteral("%1  ·  %2").arg(head.prompt).arg(head.seed), names(head.precisions), head.id, ui::StudyDraft::idOf(head.id));
  for (const study::StudyComparison& c : draft_->protocol().comparisons)
    if (draft_->isFromFolder(c.id)) add(c.prompt, tr("from a folder"), 0, c.id);
  list_->resizeColumnToContents(Variants);
}

void ComparisonsSection::onChanged(QTreeWidgetItem* item, int column) {
  const QString id = item->data(Picked, IdRole).toString();
  const qint64 comparison = item->data(Picked, ComparisonRole).toLongLong();
  say({});
  if (column == Practice)
    return draft_->edit([&](study::Protocol& p) {
      for (study::StudyComparison& c : p.comparisons)
        if (c.id == id) c.practice = item->checkState(Practice) == Qt::Checked;
    });
  if (column != Picked) return;
  if (item->checkState(Picked) == Qt::Unchecked) {
    draft_->remove(id);
    if (comparison == 0) QMetaObject::invokeMethod(this, &ComparisonsSection::fill, Qt::QueuedConnection);
    return;
  }
  const QString why = draft_->addFromHistory(comparison);
  if (why.isEmpty()) return;
  const QSignalBlocker quiet(list_);
  item->setCheckState(Picked, Qt::Unchecked);
  say(tr("“%1” cannot be taken: %2").arg(item->text(Picked), why));
}

void ComparisonsSection::importFolder(const QString& folder) {
  const QStringList refused = draft_->addFromFolder(folder);
  fill();
  say(refused.join(u'\n'));
}

void ComparisonsSection::refreshVariants() {
  QStringList lines;
  for (const QJsonValue& line : study::attestationFigures(draft_->protocol())["lines"].toArray()) lines << line.toString();
  lines.removeFirst();                       // the model stands above
  known_->setText(lines.join(u'\n'));
  known_->setVisible(!draft_->protocol().comparisons.empty());
  if (variants_) variants_->deleteLater();
  variants_ = new QWidget;
  auto* row = new QHBoxLayout(variants_);
  row->setContentsMargins(0, 0, 0, 0), row->setSpacing(14);
  if (!draft_->offered().isEmpty()) row->addWidget(new QLabel(tr("Variants:")));
  for (const QString& variant : draft_->offered()) {
    const bool reference = variant == draft_->protocol().reference;
    auto* box = new QCheckBox(reference ? tr("%1 (reference)").arg(ui::shortName(variant)) : ui::shortName(variant));
    box->setChecked(draft_->protocol().variants.contains(variant)), box->setEnabled(!reference);
    connect(box, &QCheckBox::clicked, this, [this, variant](bool on) { draft_->setVariant(variant, on); });
    row->addWidget(box);
  }
  row->addStretch(1);
  column_->addWidget(variants_);
}

}  // namespace quantspot::views
