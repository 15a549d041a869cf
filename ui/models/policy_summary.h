// What a policy comes to, in figures and in one sentence.
#pragma once

#include "ui/models/policy_layers.h"
#include "ui/models/policy_rules.h"

namespace quantspot::ui {

struct PolicySummary {
  qint64 before = 0, after = 0;       // bytes of the whole model, in bf16 and under the policy; after is -1 while it is not known
  double quantized = 0;               // share of the model's parameters that rest in fewer than 16 bits, 0…1
};

PolicySummary summarize(const std::vector<PolicyLayer>& layers);
QString quantizedText(const PolicySummary& summary);   // "82.4 % of parameters quantized", and below it "49 % of the bytes"
QString policySizeText(qint64 bytes);                  // "11.1 MB": with a digit more than fileSizeText(), for small changes

// "NF4 for 57 of 60 layers; proj_out and norm stay BF16; 6.1 MB instead of 16.4 MB". finder: of the quantizable layers.
QString policySentence(const PolicyLayersModel& model, const RuleFinder& finder);

}  // namespace quantspot::ui
