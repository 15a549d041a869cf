// Pictures made elsewhere, decoded: pixels and nothing else that their files say.
#pragma once

#include <QByteArray>
#include <QImage>
#include <QString>

namespace quantspot::ui {

// PNG, JPEG or WebP as 8-bit RGB; null with the reason (evaluation/picture_file.h, or that it cannot be decoded). Needs no QGuiApplication.
QImage barePixels(const QByteArray& file, QString& reason);
// Of any format; a picture in which the numbers broke down often is.
bool isOneColour(const QImage& image);
// As PNG of our own, without text, times or colour profile.
QByteArray pngOf(const QImage& bare);
// SHA-256 in hex: of bytes, and of the pixels of an RGB888 picture, row by row without padding.
QString sha256Of(const QByteArray& bytes);
QString pixelHash(const QImage& bare);

}  // namespace quantspot::ui
