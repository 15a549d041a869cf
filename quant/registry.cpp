#include "quant/bnb_4bit.h"
#include "quant/bnb_int8.h"
#include "quant/fp8_layerwise.h"
#include "quant/gguf.h"
#include "quant/int8_dynamic.h"
#include "quant/plain.h"
#include "quant/quanto_bits.h"
#include "quant/quanto_bytes.h"
#include "quant/torchao_fp8.h"
#include "quant/torchao_int4.h"
#include "quant/torchao_int8.h"

#include <map>
#include <mutex>
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
  all.push_back(std::make_unique<TorchAoFp8>("torchao-fp8wo", false));
  all.push_back(std::make_unique<TorchAoFp8>("torchao-fp8dq", true));
  all.push_back(std::make_unique<QuantoBytes>("quanto-fp8", QuantoBytes::Kind::Fp8));
  all.push_back(std::make_unique<BnbInt8>("bnb-int8"));
  all.push_back(std::make_unique<TorchAoInt8>("torchao-int8wo", false));
  all.push_back(std::make_unique<TorchAoInt8>("torchao-int8dq", true));
  all.push_back(std::make_unique<QuantoBytes>("quanto-int8", QuantoBytes::Kind::Int8));
  all.push_back(std::make_unique<QuantoBytes>("quanto-int8a8", QuantoBytes::Kind::Int8Activations));
  all.push_back(std::make_unique<Int8Dynamic>());
  all.push_back(std::make_unique<Bnb4Bit>("bnb-nf4", Bnb4BitOptions{.map = &nf4Map()}));
  all.push_back(std::make_unique<Bnb4Bit>("bnb-nf4-dq", Bnb4BitOptions{.map = &nf4Map(), .doubleQuant = true}));
  all.push_back(std::make_unique<Bnb4Bit>("bnb-fp4", Bnb4BitOptions{.map = &fp4Map()}));
  all.push_back(std::make_unique<Bnb4Bit>("bnb-fp4-dq", Bnb4BitOptions{.map = &fp4Map(), .doubleQuant = true}));
  all.push_back(std::make_unique<TorchAoInt4>());
  all.push_back(std::make_unique<QuantoBits>("quanto-int4", 4));
  all.push_back(std::make_unique<QuantoBits>("quanto-int2", 2));
  for (const GgmlType type : {GgmlType::Q8_0, GgmlType::Q6_K, GgmlType::Q5_K, GgmlType::Q5_1, GgmlType::Q5_0, GgmlType::Q4_K, GgmlType::Q4_1,
                              GgmlType::Q4_0, GgmlType::Q3_K, GgmlType::Q2_K})
    all.push_back(std::make_unique<Gguf>(type));
  return all;
}

// "id?name=value&name=value", made once and kept.
const Quantizer& withOptions(std::string_view id) {
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<Quantizer>, std::less<>> made;
  const std::lock_guard lock(mutex);
  if (const auto known = made.find(id); known != made.end()) return *known->second;
  const std::size_t question = id.find('?');
  const Quantizer* current = &quantizer(id.substr(0, question));
  std::unique_ptr<Quantizer> changed;
  for (std::string_view rest = id.substr(question + 1);;) {
    const std::string_view option = rest.substr(0, rest.find('&'));
    const std::size_t equals = option.find('=');
    if (equals == std::string_view::npos)
      throw std::invalid_argument("\"" + std::string(id) + "\": \"" + std::string(option) + "\" is not option=value");
    changed = current->with(option.substr(0, equals), option.substr(equals + 1));
    current = changed.get();
    if (option.size() == rest.size()) break;
    rest.remove_prefix(option.size() + 1);
  }
  return *made.emplace(id, std::move(changed)).first->second;
}

}  // namespace

const std::vector<std::unique_ptr<Quantizer>>& quantizers() {
  static const std::vector<std::unique_ptr<Quantizer>> all = makeQuantizers();
  return all;
}

const Quantizer& quantizer(std::string_view id) {
  if (id.find('?') != std::string_view::npos) return withOptions(id);
  std::string choices;
  for (const auto& known : quantizers()) {
    if (known->name() == id) return *known;
    choices.append(choices.empty() ? "" : ", ").append(known->name());
  }
  throw std::invalid_argument("unknown precision \"" + std::string(id) + "\"; choose from " + choices);
}

}  // namespace quantspot::quant
