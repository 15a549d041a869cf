#include "ui/models/precision_names.h"

#include "ui/models/auto_choice.h"

namespace quantspot::ui {
namespace {

constexpr int kMost = 20, kEnd = 8;

QHash<QString, QString>& policyNames() {
  static QHash<QString, QString> names;
  return names;
}

}  // namespace

QString shortName(const QString& precision) {
  const auto named = policyNames().constFind(precision);
  if (named != policyNames().constEnd()) return named->size() <= kMost ? *named : named->left(kMost - 1) + u'…';
  if (const auto choice = parseAuto(precision)) return choice->label();
  if (!(precision.contains(u'?') || precision.contains(u'@')) || precision.size() <= kMost) return precision;
  return precision.left(kMost - kEnd - 1) + u'…' + precision.right(kEnd);
}

void setPolicyNames(QHash<QString, QString> names) { policyNames() = std::move(names); }

}  // namespace quantspot::ui
