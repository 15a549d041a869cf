// What is asked of a precision: where it runs, and how far memory, time, quality and what people notice may go.
#pragma once

#include "decision/decide.h"

#include <QWidget>

class QCheckBox;
class QComboBox;

namespace quantspot::views {

class LimitSlider;

class DecideLimits : public QWidget {
  Q_OBJECT
 public:
  explicit DecideLimits(QWidget* parent = nullptr);

  decision::Constraints limits() const;
  void setLimits(const decision::Constraints& limits);   // to the nearest stops; changed() is not sent
  void nameClip(const QString& score);                   // "CLIP-tiny score"
  void listHardware(const std::vector<decision::Hardware>& hardware, int index);

  QComboBox* hardware() { return hardware_; }
  LimitSlider* memory() { return memory_; }
  LimitSlider* time() { return time_; }
  LimitSlider* clip() { return clip_; }
  LimitSlider* psnr() { return psnr_; }
  LimitSlider* lpips() { return lpips_; }
  LimitSlider* rating() { return rating_; }
  LimitSlider* visibility() { return visibility_; }

 Q_SIGNALS:
  void changed();
  void hardwareChosen(int index);

 private:
  QComboBox* hardware_;
  LimitSlider *memory_, *time_, *clip_, *psnr_, *lpips_, *visibility_, *rating_;
  QCheckBox* offload_;
};

}  // namespace quantspot::views
