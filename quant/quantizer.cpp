#include "quant/quantizer.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace quantspot::quant {

std::int64_t QuantizedTensor::bytes() const {
  std::int64_t total = 0;
  for (const auto& [name, tensor] : parts) total += static_cast<std::int64_t>(tensor.nbytes());
  return total;
}

const at::Tensor& QuantizedTensor::part(std::string_view name) const {
  for (const auto& [known, tensor] : parts)
    if (known == name) return tensor;
  throw std::invalid_argument(precision + " weight has no part \"" + std::string(name) + "\"");
}

at::Tensor Quantizer::unpackRows(const QuantizedTensor& packed, std::int64_t begin, std::int64_t count) const {
  const std::int64_t rows = packed.shape[0];
  QuantizedTensor part = packed;
  part.shape[0] = count;
  for (auto& [name, tensor] : part.parts) {
    if (tensor.dim() == 0 || tensor.size(0) != rows) return unpack(packed).narrow(0, begin, count);
    tensor = tensor.narrow(0, begin, count);
  }
  return unpack(part);
}

std::vector<std::pair<std::string, at::Tensor>> Quantizer::onDisk(const std::string& layer, const QuantizedTensor& packed) const {
  std::vector<std::pair<std::string, at::Tensor>> tensors;
  for (const auto& [name, tensor] : packed.parts) tensors.emplace_back(layer + ".weight" + (name.empty() ? "" : "." + name), tensor);
  return tensors;
}

std::unique_ptr<Quantizer> Quantizer::with(std::string_view option, std::string_view) const {
  std::string known;
  for (const std::string_view name : options()) known.append(known.empty() ? "; it has " : ", ").append(name);
  throw std::invalid_argument(std::string(name()) + " has no option \"" + std::string(option) + "\"" + known);
}

std::int64_t choose(std::string_view id, std::string_view option, std::string_view text, const std::vector<std::int64_t>& choices) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool number = error == std::errc() && end == text.data() + text.size();
  if (number && std::find(choices.begin(), choices.end(), value) != choices.end()) return value;
  std::string list;
  for (const std::int64_t choice : choices) list.append(list.empty() ? "" : ", ").append(std::to_string(choice));
  throw std::invalid_argument(std::string(id) + ": " + std::string(option) + "=" + std::string(text) + " is not one of " + list);
}

}  // namespace quantspot::quant
