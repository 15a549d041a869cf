// PNG files as a study stores them: alike in all but their pixels.
#pragma once

#include <QByteArray>
#include <QJsonObject>
#include <QString>

namespace quantspot::study {

// The same pixels and colours without text, times, EXIF and what else a PNG may carry; the pixel data in one chunk. Throws Error
// for what is no whole PNG file (its pixels are not looked at).
QByteArray barePicture(const QByteArray& png);

// A bare picture made `bytes` long by a chunk of zeros that every reader skips (PNG, section 14: ancillary, private). Throws Error
// unless there is room for one: bytes ≥ size + 12.
QByteArray paddedPicture(const QByteArray& bare, qsizetype bytes);

// SHA-256 by which a picture of the history is known again, in hex: of its pixels as the report has it (`image_sha256`), else of the bare file.
QString contentOf(const QJsonObject& report, const QByteArray& png);
QString bareHash(const QByteArray& png);   // of the bare file, or of the bytes where it is no PNG

// Width and height as the file's header has them, eight bytes.
QByteArray pictureSize(const QByteArray& bare);

}  // namespace quantspot::study
