#include "ui/views/frozen_study_view.h"

#include "study/attestation.h"
#include "study/ledger.h"

#include <QHBoxLayout>
#include <QJsonArray>
#include <QLabel>
#include <QLocale>
#include <QPushButton>
#include <QVBoxLayout>

namespace quantspot::views {
namespace {

QString summaryOf(const study::Protocol& p, int people) {
  QStringList parts;
  for (const study::Block& block : p.blocks)
    parts << QObject::tr("%1 × %2%3").arg(block.trials + block.gold + block.null + block.repeats).arg(study::kindName(block.kind),
                                                                                      block.flicker_hz > 0 ? QObject::tr(" in turn") : QString());
  return QObject::tr("Each person answers %1, about %2 comparisons of %3 variants. %4 of %5 planned people have begun.")
      .arg(parts.join(QStringLiteral(", "))).arg(p.comparisons.size()).arg(p.variants.size()).arg(people).arg(p.participants);
}

// The model, and what is known of how its pictures were made.
QString attestedText(const study::Protocol& p) {
  QStringList lines;
  for (const QJsonValue& line : study::attestationFigures(p)["lines"].toArray()) lines << line.toString();
  return lines.join(u' ');
}

}  // namespace

FrozenStudyView::FrozenStudyView(const QString& store, const QString& hash, QWidget* parent)
    : QWidget(parent), title_(new QLabel), summary_(new QLabel), attested_(new QLabel), hash_(new QLabel),
      participant_(new QPushButton(tr("Start for a participant"))) {
  QFont large = title_->font();
  large.setPointSizeF(large.pointSizeF() * 1.3), large.setBold(true);
  title_->setFont(large);
  summary_->setWordWrap(true);
  hash_->setProperty("role", "quiet"), hash_->setTextInteractionFlags(Qt::TextSelectableByMouse), hash_->setWordWrap(true);
  participant_->setProperty("role", "main");
  participant_->setToolTip(tr("Full screen; asks for the passphrase first. On other computers: quantspot --participant %1 --store …").arg(hash.left(8)));
  connect(participant_, &QPushButton::clicked, this, [this, hash] { Q_EMIT participantWanted(hash); });
  auto* row = new QHBoxLayout;
  row->addWidget(title_, 1), row->addWidget(participant_);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(22, 16, 22, 10), layout->setSpacing(8);
  attested_->setProperty("role", "quiet"), attested_->setWordWrap(true);
  layout->addLayout(row), layout->addWidget(summary_), layout->addWidget(attested_), layout->addWidget(hash_);
  try {
    study::Ledger ledger(store);
    const study::FrozenStudy study = ledger.study(hash);
    const study::Protocol p = study.protocol();
    title_->setText(p.title);
    attested_->setText(attestedText(p));
    summary_->setText(summaryOf(p, static_cast<int>(ledger.seats(hash).size())));
    hash_->setText(tr("Hash %1").arg(hash));
    const QString closed = ledger.closedAt(hash);
    participant_->setVisible(closed.isEmpty());
  } catch (const std::exception& error) {
    summary_->setText(QString::fromUtf8(error.what())), summary_->setProperty("role", "problem");
    participant_->setEnabled(false);
  }
}

QString FrozenStudyView::said() const { return title_->text() + u'\n' + summary_->text() + u'\n' + attested_->text() + u'\n' + hash_->text(); }

}  // namespace quantspot::views
