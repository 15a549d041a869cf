#include "ui/views/frozen_study_view.h"

#include "study/attestation.h"
#include "study/rounding.h"
#include "ui/views/theme.h"

#include <QDate>
#include <QHBoxLayout>
#include <QJsonArray>
#include <QLabel>
#include <QLocale>
#include <QPushButton>
#include <QTimer>
#include <QVBoxLayout>

namespace quantspot::views {
namespace {

constexpr int kAgainMs = 4000;

// planned: 0 where the protocol does not say.
QString begunText(int people, int planned) {
  const QString counted = study::counted(people, "person", "people");
  if (planned == 0) return people == 0 ? QObject::tr("Nobody has begun.") : QObject::tr(people == 1 ? "%1 has begun." : "%1 have begun.").arg(counted);
  return people > planned ? QObject::tr("%1 have begun, %2 were planned.").arg(counted).arg(planned)
                          : QObject::tr("%1 of %2 planned people have begun.").arg(people).arg(planned);
}

QString summaryOf(const study::Protocol& p, int people) {
  QStringList parts;
  for (const study::Block& block : p.blocks)
    parts << QObject::tr("%1 × %2%3").arg(block.trials + block.gold + block.null + block.repeats).arg(study::kindName(block.kind),
                                                                                      block.flicker_hz > 0 ? QObject::tr(" in turn") : QString());
  const QString comparisons = study::counted(static_cast<int>(p.comparisons.size()), "comparison", "comparisons");
  return QObject::tr("Each person answers %1, about %2 of %3 variants. ")
      .arg(parts.join(QStringLiteral(", ")), comparisons).arg(p.variants.size()) + begunText(people, p.participants);
}

// The model, and what is known of how its pictures were made.
QString attestedText(const study::Protocol& p) {
  QStringList lines;
  for (const QJsonValue& line : study::attestationFigures(p)["lines"].toArray()) lines << line.toString();
  if (!p.retention_until.isEmpty()) {
    lines << QObject::tr("Records are kept until %1.").arg(p.retention_until);
    if (QDate::fromString(p.retention_until, Qt::ISODate) < QDate::currentDate())
      lines << QObject::tr("That day has passed: erase the participants' records.");
  }
  return lines.join(u' ');
}

}  // namespace

FrozenStudyView::FrozenStudyView(const QString& store, const QString& hash, QWidget* parent)
    : QWidget(parent), study_(hash), title_(new QLabel), summary_(new QLabel), attested_(new QLabel), hash_(new QLabel),
      participant_(new QPushButton(tr("Start for a participant"))), ledger_(store, ui::LedgerThread::Keep::Nothing) {
  QFont large = title_->font();
  large.setPointSizeF(large.pointSizeF() * 1.3), large.setBold(true);
  title_->setFont(large);
  summary_->setWordWrap(true);
  hash_->setProperty("role", "quiet"), hash_->setTextInteractionFlags(Qt::TextSelectableByMouse), hash_->setWordWrap(true);
  participant_->setProperty("role", "main");
  participant_->setToolTip(tr("Full screen; asks for the passphrase first. "
                              "On other computers: quantspot --participant %1 --store …").arg(hash.left(8)));
  connect(participant_, &QPushButton::clicked, this, [this, hash] { Q_EMIT participantWanted(hash); });
  auto* row = new QHBoxLayout;
  row->addWidget(title_, 1), row->addWidget(participant_);
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(22, 16, 22, 10), layout->setSpacing(8);
  attested_->setProperty("role", "quiet"), attested_->setWordWrap(true);
  layout->addLayout(row), layout->addWidget(summary_), layout->addWidget(attested_), layout->addWidget(hash_);
  hash_->setText(tr("Hash %1").arg(hash));
  participant_->setEnabled(false);
  summary_->setText(tr("Reading the study…"));
  load();
}

void FrozenStudyView::load() {
  struct Found {
    study::Protocol protocol;
    int people = 0;
    bool closed = false;
  };
  auto found = std::make_shared<Found>();
  ledger_.begin([found, hash = study_](study::Ledger& ledger) {
    *found = {ledger.study(hash).protocol(), static_cast<int>(ledger.seats(hash).size()), !ledger.closedAt(hash).isEmpty()};
  }, [this, found](std::exception_ptr error) {
    try {
      if (error) std::rethrow_exception(error);
      fill(found->protocol, found->people, found->closed);
    } catch (const std::exception& problem) {
      summary_->setText(tr("%1. Trying again…").arg(QString::fromUtf8(problem.what()))), setRole(summary_, "problem");
      QTimer::singleShot(kAgainMs, this, &FrozenStudyView::load);
    }
  });
}

void FrozenStudyView::fill(const study::Protocol& p, int people, bool closed) {
  title_->setText(p.title);
  setRole(summary_, "");
  summary_->setText(summaryOf(p, people));
  attested_->setText(attestedText(p));
  participant_->setVisible(!closed), participant_->setEnabled(true);
}

QString FrozenStudyView::said() const { return title_->text() + u'\n' + summary_->text() + u'\n' + attested_->text() + u'\n' + hash_->text(); }

}  // namespace quantspot::views
