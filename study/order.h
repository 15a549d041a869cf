// Orders: designs that balance them across participants, and draws that no participant can foresee.
#pragma once

#include <QByteArray>
#include <QString>

#include <vector>

namespace quantspot::study {

using Square = std::vector<std::vector<int>>;

// n rows (2 n for odd n ≥ 3: the square and its mirror) of the numbers 0 … n − 1: each at each place equally often, and each directly after each
// other equally often (Williams 1949). Throws Error for n < 1.
Square williamsSquare(int n);

// n rows: each number at each place once; neighbours are balanced for even n only.
Square balancedLatinSquare(int n);

// Numbers drawn from a secret: HMAC-SHA256(secret, label ‖ counter). The same secret and label give the same numbers everywhere.
class SecretDraws {
 public:
  SecretDraws(const QByteArray& secret, const QByteArray& label) : secret_(secret), label_(label) {}
  int below(int bound);   // 0 … bound − 1, all equally likely
  template <class Value>
  void shuffle(std::vector<Value>& values) {
    for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[static_cast<std::size_t>(below(static_cast<int>(i)))]);
  }

 private:
  quint32 next();
  QByteArray secret_, label_, pool_;
  quint64 counter_ = 0;
};

// `bytes` bytes of the system's generator for secrets.
QByteArray randomBytes(int bytes);

QByteArray sha256Hex(const QByteArray& bytes);
QByteArray hmacHex(const QByteArray& secret, const QByteArray& message);

}  // namespace quantspot::study
