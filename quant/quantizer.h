// The contract of a precision: how it holds a Linear weight and how it multiplies with it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace quantspot::quant {

// A packed weight: named tensors (the names that the reference library uses on disk) and what is needed to undo it.
struct QuantizedTensor {
  std::string precision;                                   // id, e.g. "bnb-nf4"
  std::vector<std::int64_t> shape;                         // of the unpacked weight
  at::ScalarType dtype = at::kFloat;                       // compute type of the unpacked weight
  std::vector<std::pair<std::string, at::Tensor>> parts;   // "" is the codes; others "absmax", "SCB", …

  std::int64_t bytes() const;                              // resident bytes of all parts
  const at::Tensor& part(std::string_view name) const;     // throws std::invalid_argument when absent
};

// One y = x·Wᵀ + b at some precision. forward() is const and safe from several threads.
class Linear {
 public:
  virtual ~Linear() = default;
  virtual at::Tensor forward(const at::Tensor& x) const = 0;  // (…, in) in the compute type → (…, out), same type
  virtual std::string_view precision() const = 0;
  virtual std::int64_t bytes() const = 0;                     // weight, scales and bias as they rest in memory
  virtual std::int64_t inFeatures() const = 0;
  virtual std::int64_t outFeatures() const = 0;
};

// Packs a weight once, at load. Stateless: one instance serves every layer and every thread.
class Quantizer {
 public:
  virtual ~Quantizer() = default;
  virtual std::string_view name() const = 0;                // stored in studies: never rename
  virtual at::ScalarType computeType() const = 0;           // dtype of activations and of parameters that are not packed
  // weight (out, in), any floating dtype; it is first cast to computeType(), as the references do.
  // Throws std::invalid_argument for inf/NaN or a shape that no format can hold.
  virtual QuantizedTensor pack(const at::Tensor& weight) const = 0;
  virtual at::Tensor unpack(const QuantizedTensor& packed) const = 0;  // (out, in) in computeType()
  // Rows begin … begin + count − 1 of it. Here: of the parts, where each has a row for each of the weight's, else of the whole.
  virtual at::Tensor unpackRows(const QuantizedTensor& packed, std::int64_t begin, std::int64_t count) const;
  // Whether the reference gives it to convolutions, too, when it is given to a whole model.
  virtual bool reachesConvolutions() const { return false; }
  // pack() for a convolution's weight (out, in, kh, kw), as (out, in · kh · kw).
  virtual QuantizedTensor packConvolution(const at::Tensor& weight) const { return pack(weight.flatten(1)); }
  virtual std::unique_ptr<Linear> linear(QuantizedTensor weight, std::optional<at::Tensor> bias) const = 0;
  virtual bool skips(std::string_view /*layer*/) const { return false; }  // what the reference skips by default
  // The id that a weight of this shape gets: another one where the format cannot hold it and the reference has a rule for that.
  // pack() itself throws.
  virtual std::string_view precisionFor(at::IntArrayRef /*shape*/) const { return name(); }

  // The weight's tensors under the keys that the reference library writes and reads, e.g. "layer.weight.absmax".
  virtual std::vector<std::pair<std::string, at::Tensor>> onDisk(const std::string& layer, const QuantizedTensor& packed) const;

  // The names that `id?name=value` may set, such as "group".
  virtual std::vector<std::string_view> options() const { return {}; }
  // The same precision with one option changed; its name() then holds every option that is not the default. Throws
  // std::invalid_argument that names the option, the value and the choices.
  virtual std::unique_ptr<Quantizer> with(std::string_view option, std::string_view value) const;
};

// The whole number that `text` is, when it is one of `choices`; throws std::invalid_argument as with() does.
std::int64_t choose(std::string_view id, std::string_view option, std::string_view text, const std::vector<std::int64_t>& choices);

// Every precision that this build knows, in display order.
const std::vector<std::unique_ptr<Quantizer>>& quantizers();
// `id` may carry options, "bnb-nf4?blocksize=128"; safe from several threads, and the result lives as long as the program.
// Throws std::invalid_argument that names the id and lists the choices.
const Quantizer& quantizer(std::string_view id);

}  // namespace quantspot::quant
