// A FLUX transformer's tensors in a GGUF file under the names that diffusers gives them, whichever naming the file has.
#pragma once

#include "engine/model/gguf.h"
#include "quant/quantizer.h"

#include <optional>

namespace quantspot::model {

class GgufWeights {
 public:
  // Throws ModelError: what GgufFile throws, and a file that holds no FLUX transformer.
  explicit GgufWeights(const std::filesystem::path& path);

  bool has(const std::string& name) const { return places_.contains(name); }
  std::vector<std::string> names() const;
  const std::filesystem::path& path() const { return file_.path(); }
  std::vector<std::int64_t> shape(const std::string& name) const;   // diffusers' own; `name` must be there

  // The values: plain types as they are, blocks as ggml's fp32 values. `name` must be there.
  at::Tensor read(const std::string& name) const;
  // A weight in blocks as it is stored; nothing for plain types.
  std::optional<quant::QuantizedTensor> packed(const std::string& name) const;
  // The id of the block type that most bytes of the file have; empty when it has none.
  std::string_view mainPrecision() const;

 private:
  struct Place {
    std::string tensor;
    std::int64_t firstRow, rows;
    bool swapsHalves;
  };
  void addBfl(const std::string& prefix);
  void add(const std::string& name, Place place);
  at::Tensor rowsOf(const Place& place) const;   // bytes

  GgufFile file_;
  std::map<std::string, Place> places_;          // diffusers' name → where it lies
};

}  // namespace quantspot::model
