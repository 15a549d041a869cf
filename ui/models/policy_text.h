// The one-line form of a policy as the screen edits it: `id?skip=pattern,…&pattern=id2`. The engine has the last word on what a text
// means (quant/policy.h states the grammar); this side only has to write texts that mean what a table says.
#pragma once

#include <QStringList>

#include <optional>
#include <vector>

namespace quantspot::ui {

struct PolicyRule {
  QString pattern, precision;
  bool operator==(const PolicyRule&) const = default;
};

struct PolicyText {
  QString base;                       // precision of the layers that nothing below names, with its options
  QStringList skip;                   // patterns of layers that stay in the compute type
  std::vector<PolicyRule> rules;      // the last match wins, also over skip

  QString text() const;
  PolicyText frame() const;           // the base and the rules for whole text encoders: what single layers are then changed against
  bool operator==(const PolicyText&) const = default;
};

// Nothing, and one line on what is wrong, when the text has not the form of a policy. A key whose value is none of `precisions` is taken
// for an option of the base: the engine knows better and says so.
std::optional<PolicyText> parsePolicyText(const QString& text, const QStringList& precisions, QString* problem = nullptr);

QString baseId(const QString& precision);         // without options; of one that changes over the steps, that of its last steps
bool isPlain(const QString& precision);           // fp32, bf16, fp16: nothing is quantized

// How layers are written where rules are resolved: the name, with "conv:" in front of a convolution's.
QString layerKey(const QString& name, bool convolution);
// Whether the engine finds the pattern in the layer's name (or key): a piece of it, tied to its ends by ^ and $, numbers at its end whole.
// Patterns that begin with text_encoder or vae speak of those parts, and only they do; those that begin with conv: of convolutions alone.
bool matchesLayer(const QString& pattern, const QString& layer);
// "softmax": no layer's; the type of attention's softmax.
bool isSoftmax(const QString& pattern);
// "text_encoder", "text_encoder_2": names whole encoders, so that what the reference leaves out of them stays out.
bool namesWholeEncoder(const QString& pattern);

// What the engine says of a text's frame(): the precision of each layer, and that of what is skipped (the base's compute type).
struct FrameAnswer {
  QStringList precisions;
  QString plain = QStringLiteral("bf16");
  QStringList reaching = {};          // precisions whose rules reach convolutions without "conv:"
};
// Whether a rule that matches the layer is for it: of convolutions only some are.
bool ruleReaches(const QString& pattern, const QString& precision, const QString& key, const QStringList& reaching);
// What each layer is asked to be, in the order of `layers` (keys) and of frame.precisions.
QStringList resolve(const PolicyText& text, const QStringList& layers, const FrameAnswer& frame);

}  // namespace quantspot::ui
