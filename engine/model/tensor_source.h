// One file whose tensors stand for those of a component under diffusers' names.
#pragma once

#include "engine/model/single/views.h"
#include "quant/quantizer.h"

#include <optional>

namespace quantspot::model {

class TensorSource {
 public:
  virtual ~TensorSource() = default;
  virtual const std::filesystem::path& path() const = 0;
  virtual std::vector<std::int64_t> shape(const std::string& name) const = 0;   // diffusers' own; here and below `name` must be there
  virtual at::Tensor read(const std::string& name) const = 0;                  // an owned copy; throws ModelError
  virtual void willNeed(const std::string& name) const = 0;                    // read() or packed() comes soon
  virtual void checkType(const std::string& /*name*/) const {}                 // throws as read() would
  // The id of a weight's blocks as it is stored, and the weight in them; empty and nothing for plain types.
  virtual std::string_view blocksOf(const std::string& /*name*/) const { return {}; }
  virtual std::optional<quant::QuantizedTensor> packed(const std::string& /*name*/) const { return {}; }
  // The id of the block type that most bytes of the file have; empty when it has none.
  virtual std::string_view mainPrecision() const { return {}; }

  bool has(const std::string& name) const { return views_.contains(name); }
  std::vector<std::string> names() const;

 protected:
  Views views_;
};

// Throws ModelError: a view of a tensor that is not there, or of rows that it does not have.
void checkViews(const Views& views, const Shapes& file, const std::filesystem::path& path);

}  // namespace quantspot::model
