// Studies that ask which layers people can see: one group of layers at a lower precision in each variant, the rest as in the reference. Their
// ranking becomes a policy.
#pragma once

#include "study/protocol.h"

namespace quantspot::study {

struct LayerGroup {
  QStringList patterns;                 // of a policy (quant/policy.h): pieces of layers' names
  QString name() const { return patterns.join(QLatin1Char('+')); }
};

// "attn,ff+proj_out": groups with commas between, patterns of one group with '+'. Throws Error for nothing, for a pattern twice and for
// what a policy cannot hold.
std::vector<LayerGroup> layerGroups(const QString& text);

// "bf16?attn=bnb-nf4": this group alone at the lower precision.
QString ablationVariant(const QString& reference, const LayerGroup& group, const QString& low);

// The protocol with the reference and a variant for each group in place of its variants. Throws Error where validate does.
Protocol ablationProtocol(Protocol protocol, const std::vector<LayerGroup>& groups, const QString& low);

// Whether every tested variant is a group of layers at one and the same lower precision.
bool isAblation(const Protocol& protocol);

struct VisibilityPolicy {
  QStringList kept, lowered;            // groups, most visible first
  QJsonObject policy;                   // as resources/policies: schema, name, family, about, base, skip, layers
};

// Keeps the most visible groups in the reference's precision until each of the rest is shown not to be noticeable; those go down. Groups were
// tested one at a time, not together: the policy's `about` says so. analysis: of study/analysis. Throws Error when the study is no ablation.
VisibilityPolicy policyFromVisibility(const Protocol& protocol, const QJsonObject& analysis);

}  // namespace quantspot::study
