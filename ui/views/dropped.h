// What a file or folder is that was dragged onto the window.
#pragma once

#include <QString>

namespace quantspot::views {

enum class Dropped { Nothing, Model, Lora, Picture, Pictures, Bundle, Policy };

// By its ending and, of folders and .safetensors files, by what is in them. Pictures: what History imports, a folder of folders or a list.
Dropped whatIs(const QString& path);

}  // namespace quantspot::views
