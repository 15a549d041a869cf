// PNG files as a study stores them: alike in all but their pixels.
#pragma once

#include <QByteArray>

namespace quantspot::study {

// The same pixels and colours without text, times, EXIF and what else a PNG may carry; the pixel data in one chunk. Throws Error
// for what is no whole PNG file (its pixels are not looked at).
QByteArray barePicture(const QByteArray& png);

// A bare picture made `bytes` long by a chunk of zeros that every reader skips (PNG, section 14: ancillary, private). Throws Error
// unless there is room for one: bytes ≥ size + 12.
QByteArray paddedPicture(const QByteArray& bare, qsizetype bytes);

// Width and height as the file's header has them, eight bytes.
QByteArray pictureSize(const QByteArray& bare);

}  // namespace quantspot::study
