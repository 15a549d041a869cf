#include "ui/models/trial_choices.h"

#include <QCoreApplication>

namespace quantspot::ui {
namespace {

using study::TrialKind;

QString tr(const char* text) { return QCoreApplication::translate("quantspot::ui::TrialChoices", text); }

}  // namespace

std::vector<TrialChoice> choicesOf(const TrialScreen& trial) {
  std::vector<TrialChoice> choices;
  const auto letters = [&](int count, const QString& label) {
    for (int slot = 0; slot < count; ++slot) {
      const QString letter(QChar(u'A' + slot));
      choices.push_back({letter, label.arg(letter), static_cast<Qt::Key>(Qt::Key_A + slot)});
    }
  };
  switch (trial.kind) {
    case TrialKind::Spot:
    case TrialKind::Triangle: letters(static_cast<int>(trial.pictures.size()), QStringLiteral("%1")); break;
    case TrialKind::Abx: letters(2, tr("X is %1")); break;
    case TrialKind::Preference:
      letters(2, tr("%1 is better"));
      if (trial.ties) choices.push_back({QStringLiteral("tie"), tr("No difference"), Qt::Key_N});
      break;
    case TrialKind::SameDifferent: return {{QStringLiteral("same"), tr("Same"), Qt::Key_S}, {QStringLiteral("different"), tr("Different"), Qt::Key_D}};
    case TrialKind::Rating: {
      const char* const words[] = {"Bad", "Poor", "Fair", "Good", "Excellent"};
      for (int grade = 1; grade <= 5; ++grade)
        choices.push_back({QString::number(grade), QStringLiteral("%1  %2").arg(grade).arg(tr(words[grade - 1])), static_cast<Qt::Key>(Qt::Key_0 + grade)});
      break;
    }
    case TrialKind::Ranking: break;
  }
  return choices;
}

QString questionOf(TrialKind kind, int pictures) {
  switch (kind) {
    case TrialKind::Spot: return pictures == 2 ? tr("Which of the two was changed?") : tr("One picture was changed. Which one?");
    case TrialKind::Abx: return tr("Is X the same picture as A, or as B?");
    case TrialKind::Preference: return tr("Which picture is better?");
    case TrialKind::Triangle: return tr("Two pictures are alike. Which one is odd?");
    case TrialKind::SameDifferent: return tr("Are these the same picture, or two different ones?");
    case TrialKind::Rating: return tr("How good is this picture?");
    case TrialKind::Ranking: break;
  }
  return tr("Put the pictures in order, the best first.");
}

QString instructionOf(TrialKind kind, int pictures, bool flickers) {
  QString text;
  switch (kind) {
    case TrialKind::Spot:
      if (pictures == 2) text = tr("You see two pictures. One of them was made in another way. Say which one.");
      else text = tr("You see several pictures. All but one are alike; one was made in another way. Say which one.");
      break;
    case TrialKind::Abx: text = tr("You see the pictures A and B, and a third, X, which is one of the two again. Say which."); break;
    case TrialKind::Preference: text = tr("You see two pictures. Say which one is better, as you see it."); break;
    case TrialKind::Triangle: text = tr("You see three pictures. Two are alike, one is odd. Say which one."); break;
    case TrialKind::SameDifferent: text = tr("You see two pictures. Say whether they are the same or different."); break;
    case TrialKind::Rating: text = tr("You see one picture at a time. Say how good it is, from 1 (bad) to 5 (excellent)."); break;
    case TrialKind::Ranking: text = tr("You see several pictures. Put them in order, from the best to the worst."); break;
  }
  if (flickers) text += QLatin1Char(' ') + tr("The pictures take turns in one place; the letter above says which one you see.");
  return text;
}

QString lettersOf(TrialKind kind) { return kind == TrialKind::Abx ? QStringLiteral("ABX") : QStringLiteral("ABCDEFGHI"); }

}  // namespace quantspot::ui
