#include "study/order.h"

#include "study/error.h"

#include <QCryptographicHash>
#include <QMessageAuthenticationCode>
#include <QRandomGenerator>

namespace quantspot::study {

Square balancedLatinSquare(int n) {
  if (n < 1) throw Error(QStringLiteral("an order needs one condition or more, not %1").arg(n));
  Square square;
  for (int row = 0; row < n; ++row) {
    square.emplace_back();
    // 0, 1, n−1, 2, n−2, …, shifted by the row.
    for (int place = 0; place < n; ++place) square.back().push_back(((place % 2 ? (place + 1) / 2 : n - place / 2) + row) % n);
  }
  return square;
}

Square williamsSquare(int n) {
  Square square = balancedLatinSquare(n);
  if (n % 2 == 1 && n > 1)
    for (int row = 0; row < n; ++row)
      square.emplace_back(square[static_cast<std::size_t>(row)].rbegin(), square[static_cast<std::size_t>(row)].rend());
  return square;
}

quint32 SecretDraws::next() {
  if (pool_.isEmpty())
    pool_ = QMessageAuthenticationCode::hash(label_ + '#' + QByteArray::number(counter_++), secret_, QCryptographicHash::Sha256);
  quint32 value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<quint8>(pool_[i]);
  pool_.remove(0, 4);
  return value;
}

int SecretDraws::below(int bound) {
  const quint64 span = Q_UINT64_C(1) << 32, limit = span - span % static_cast<quint64>(bound);
  quint64 draw = next();
  while (draw >= limit) draw = next();   // without modulo bias
  return static_cast<int>(draw % static_cast<quint64>(bound));
}

QByteArray randomBytes(int bytes) {
  QByteArray result;
  while (result.size() < bytes) {
    const quint32 draw = QRandomGenerator::system()->generate();
    result.append(reinterpret_cast<const char*>(&draw), sizeof draw);
  }
  return result.left(bytes);
}

QByteArray sha256Hex(const QByteArray& bytes) { return QCryptographicHash::hash(bytes, QCryptographicHash::Sha256).toHex(); }

QByteArray hmacHex(const QByteArray& secret, const QByteArray& message) {
  return QMessageAuthenticationCode::hash(message, secret, QCryptographicHash::Sha256).toHex();
}

}  // namespace quantspot::study
