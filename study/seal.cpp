#include "study/seal.h"

#include "study/error.h"

#include <sodium.h>

namespace quantspot::study {
namespace {

// magic ‖ cost ‖ salt ‖ nonce ‖ box
constexpr char kMagic[] = "QSSEAL1";
constexpr qsizetype kMagicSize = sizeof kMagic - 1;
constexpr qsizetype kHead = kMagicSize + 1 + static_cast<qsizetype>(crypto_pwhash_SALTBYTES) + static_cast<qsizetype>(crypto_secretbox_NONCEBYTES);

const unsigned char* bytes(const QByteArray& array) { return reinterpret_cast<const unsigned char*>(array.constData()); }
unsigned char* bytes(QByteArray& array) { return reinterpret_cast<unsigned char*>(array.data()); }

// A key that is wiped when it goes.
class Key {
 public:
  Key(const QString& passphrase, const QByteArray& salt, char cost) {
    if (sodium_init() < 0) throw Error(QStringLiteral("libsodium cannot be started"));
    if (passphrase.isEmpty()) throw Error(QStringLiteral("the passphrase is empty"));
    QByteArray text = passphrase.toUtf8();
    const bool moderate = cost == 'm';
    const int failed = crypto_pwhash(key_, sizeof key_, text.constData(), static_cast<unsigned long long>(text.size()), bytes(salt),
                                     moderate ? crypto_pwhash_OPSLIMIT_MODERATE : crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                     moderate ? crypto_pwhash_MEMLIMIT_MODERATE : crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13);
    sodium_memzero(text.data(), static_cast<std::size_t>(text.size()));
    if (failed) throw Error(QStringLiteral("the passphrase's key needs %1 MiB of free memory").arg(moderate ? 256 : 64));
  }
  ~Key() { sodium_memzero(key_, sizeof key_); }
  Key(const Key&) = delete;
  Key& operator=(const Key&) = delete;
  const unsigned char* data() const { return key_; }

 private:
  unsigned char key_[crypto_secretbox_KEYBYTES];
};

}  // namespace

QByteArray seal(const QByteArray& plain, const QString& passphrase, SealCost cost) {
  if (sodium_init() < 0) throw Error(QStringLiteral("libsodium cannot be started"));
  QByteArray salt(crypto_pwhash_SALTBYTES, '\0'), nonce(crypto_secretbox_NONCEBYTES, '\0');
  randombytes_buf(salt.data(), static_cast<std::size_t>(salt.size()));
  randombytes_buf(nonce.data(), static_cast<std::size_t>(nonce.size()));
  const char strength = cost == SealCost::Moderate ? 'm' : 'i';
  const Key key(passphrase, salt, strength);
  QByteArray box(plain.size() + static_cast<qsizetype>(crypto_secretbox_MACBYTES), '\0');
  crypto_secretbox_easy(bytes(box), bytes(plain), static_cast<unsigned long long>(plain.size()), bytes(nonce), key.data());
  return QByteArray(kMagic, kMagicSize) + strength + salt + nonce + box;
}

QByteArray unseal(const QByteArray& sealed, const QString& passphrase) {
  if (!sealed.startsWith(kMagic) || sealed.size() < kHead + static_cast<qsizetype>(crypto_secretbox_MACBYTES))
    throw Error(QStringLiteral("the sealed mapping is damaged: it has no header"));
  const char strength = sealed[kMagicSize];
  if (strength != 'm' && strength != 'i') throw Error(QStringLiteral("the sealed mapping is damaged: its header is unknown"));
  const QByteArray salt = sealed.mid(kMagicSize + 1, crypto_pwhash_SALTBYTES), nonce =
      sealed.mid(kHead - static_cast<qsizetype>(crypto_secretbox_NONCEBYTES), crypto_secretbox_NONCEBYTES);
  const QByteArray box = sealed.mid(kHead);
  const Key key(passphrase, salt, strength);
  QByteArray plain(box.size() - static_cast<qsizetype>(crypto_secretbox_MACBYTES), '\0');
  if (crypto_secretbox_open_easy(bytes(plain), bytes(box), static_cast<unsigned long long>(box.size()), bytes(nonce), key.data()))
    throw Error(QStringLiteral("the mapping cannot be opened: the passphrase is wrong, or the file was changed"));
  return plain;
}

namespace {

constexpr qsizetype kKeyHead = kMagicSize + 1 + static_cast<qsizetype>(crypto_secretbox_NONCEBYTES);

void checkKey(const QByteArray& key) {
  if (sodium_init() < 0) throw Error(QStringLiteral("libsodium cannot be started"));
  if (key.size() != static_cast<qsizetype>(crypto_secretbox_KEYBYTES)) throw Error(QStringLiteral("the seal's key has the wrong length"));
}

}  // namespace

QByteArray sealWithKey(const QByteArray& plain, const QByteArray& key) {
  checkKey(key);
  QByteArray nonce(crypto_secretbox_NONCEBYTES, '\0'), box(plain.size() + static_cast<qsizetype>(crypto_secretbox_MACBYTES), '\0');
  randombytes_buf(nonce.data(), static_cast<std::size_t>(nonce.size()));
  crypto_secretbox_easy(bytes(box), bytes(plain), static_cast<unsigned long long>(plain.size()), bytes(nonce), bytes(key));
  return QByteArray(kMagic, kMagicSize) + 'k' + nonce + box;
}

QByteArray unsealWithKey(const QByteArray& sealed, const QByteArray& key) {
  checkKey(key);
  const qsizetype least = kKeyHead + static_cast<qsizetype>(crypto_secretbox_MACBYTES);
  if (sealed.size() < least || !sealed.startsWith(QByteArray(kMagic, kMagicSize) + 'k'))
    throw Error(QStringLiteral("the seal is damaged: it has no header"));
  const QByteArray nonce = sealed.mid(kMagicSize + 1, crypto_secretbox_NONCEBYTES), box = sealed.mid(kKeyHead);
  QByteArray plain(box.size() - static_cast<qsizetype>(crypto_secretbox_MACBYTES), '\0');
  if (crypto_secretbox_open_easy(bytes(plain), bytes(box), static_cast<unsigned long long>(box.size()), bytes(nonce), bytes(key)))
    throw Error(QStringLiteral("the seal cannot be opened: it is another study's, or was changed"));
  return plain;
}

}  // namespace quantspot::study
