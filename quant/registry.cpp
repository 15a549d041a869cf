#include "quant/bnb_4bit.h"
#include "quant/bnb_int8.h"
#include "quant/fp8_layerwise.h"
#include "quant/gguf.h"
#include "quant/plain.h"

#include <stdexcept>

namespace quantspot::quant {
namespace {

std::vector<std::unique_ptr<Quantizer>> makeQuantizers() {  // display order: by reference, from the most bits to the fewest
  std::vector<std::unique_ptr<Quantizer>> all;
  all.push_back(std::make_unique<Plain>("fp32", at::kFloat));
  all.push_back(std::make_unique<Plain>("bf16", at::kBFloat16));
  all.push_back(std::make_unique<Plain>("fp16", at::kHalf));
  all.push_back(std::make_unique<Fp8Layerwise>("fp8-layerwise", at::kFloat8_e4m3fn));
  all.push_back(std::make_unique<Fp8Layerwise>("fp8-layerwise-e5m2", at::kFloat8_e5m2));
  all.push_back(std::make_unique<BnbInt8>("bnb-int8"));
  all.push_back(std::make_unique<Bnb4Bit>("bnb-nf4", Bnb4BitOptions{.map = &nf4Map()}));
  all.push_back(std::make_unique<Bnb4Bit>("bnb-nf4-dq", Bnb4BitOptions{.map = &nf4Map(), .doubleQuant = true}));
  all.push_back(std::make_unique<Bnb4Bit>("bnb-fp4", Bnb4BitOptions{.map = &fp4Map()}));
  all.push_back(std::make_unique<Bnb4Bit>("bnb-fp4-dq", Bnb4BitOptions{.map = &fp4Map(), .doubleQuant = true}));
  for (const GgmlType type : {GgmlType::Q8_0, GgmlType::Q6_K, GgmlType::Q5_K, GgmlType::Q5_1, GgmlType::Q5_0, GgmlType::Q4_K, GgmlType::Q4_1,
                              GgmlType::Q4_0, GgmlType::Q3_K, GgmlType::Q2_K})
    all.push_back(std::make_unique<Gguf>(type));
  return all;
}

}  // namespace

const std::vector<std::unique_ptr<Quantizer>>& quantizers() {
  static const std::vector<std::unique_ptr<Quantizer>> all = makeQuantizers();
  return all;
}

const Quantizer& quantizer(std::string_view id) {
  std::string choices;
  for (const auto& known : quantizers()) {
    if (known->name() == id) return *known;
    choices.append(choices.empty() ? "" : ", ").append(known->name());
  }
  throw std::invalid_argument("unknown precision \"" + std::string(id) + "\"; choose from " + choices);
}

}  // namespace quantspot::quant
