// What participants must not see, encrypted with the experimenter's passphrase until the reveal.
#pragma once

#include <QByteArray>
#include <QString>

namespace quantspot::study {

// How much work a guess of the passphrase costs: Interactive 64 MiB and about 0.1 s, Moderate 256 MiB and about 1 s.
enum class SealCost { Interactive, Moderate };

// libsodium's secret box (XSalsa20-Poly1305), key by Argon2id from the passphrase. Throws Error for an empty passphrase or
// when there is not enough memory.
QByteArray seal(const QByteArray& plain, const QString& passphrase, SealCost cost = SealCost::Moderate);

// The same with a key of 32 secret bytes at hand: for what is opened together with a mapping. Throws Error as unseal() does.
QByteArray sealWithKey(const QByteArray& plain, const QByteArray& key);
QByteArray unsealWithKey(const QByteArray& sealed, const QByteArray& key);

// Throws Error when the passphrase is wrong or a byte was changed; the two cannot be told apart.
QByteArray unseal(const QByteArray& sealed, const QString& passphrase);

}  // namespace quantspot::study
