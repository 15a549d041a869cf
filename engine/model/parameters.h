// Reads one component's parameters in the compute type and keeps the ledger of what rests in memory.
#pragma once

#include "engine/model/components.h"
#include "engine/model/ops.h"
#include "engine/model/weights.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace quantspot::model {

// A Linear layer as the models hold it.
class Linear {
 public:
  Linear() = default;
  explicit Linear(std::shared_ptr<const quant::Linear> layer) : layer_(std::move(layer)) {}
  at::Tensor operator()(const at::Tensor& x) const { return layer_->forward(x); }

 private:
  std::shared_ptr<const quant::Linear> layer_;
};

struct LayerNorm {           // weight and bias may be undefined
  at::Tensor weight, bias;
  double eps = 1e-5;
  at::Tensor operator()(const at::Tensor& x) const;
};

struct RmsNorm {             // torch.nn.RMSNorm
  at::Tensor weight;
  double eps = 1e-6;
  at::Tensor operator()(const at::Tensor& x) const;
};

struct GroupNorm {           // (B, C, …)
  at::Tensor weight, bias;
  std::int64_t groups = 32;
  double eps = 1e-6;
  at::Tensor operator()(const at::Tensor& x) const;
};

struct Conv {                // plain, or what a policy made of it
  at::Tensor weight, bias;
  ConvOptions options;
  std::shared_ptr<const quant::Convolution> packed = nullptr;
  at::Tensor operator()(const at::Tensor& x) const;
};

// Names given to the methods are relative to the component; every method throws ModelError as Weights does.
// `prefix` goes before the names in the ledger and in what the factory gets ("text_encoder_2.").
class Parameters {
 public:
  Parameters(const std::filesystem::path& folder, const LoadOptions& options, std::size_t linears, std::string prefix = {});

  const LoadOptions& options() const { return options_; }

  Linear linear(const std::string& name, std::int64_t in, std::int64_t out, bool bias = true);
  LayerNorm layerNorm(const std::string& name, std::int64_t width, double eps);
  RmsNorm rmsNorm(const std::string& name, std::int64_t width, double eps);
  GroupNorm groupNorm(const std::string& name, std::int64_t channels, std::int64_t groups, double eps);
  Conv conv(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t kernel, bool bias = true, const ConvOptions& options = {});
  at::Tensor embedding(const std::string& name, std::int64_t rows, std::int64_t width);  // "<name>.weight"
  at::Tensor tensor(const std::string& name, const std::vector<std::int64_t>& shape);    // one that is no layer's, by its whole name
  // The bias of the linear layer that was loaded last, without one, for a caller who adds it in a step of its own.
  at::Tensor biasOf(const std::string& name, std::int64_t width);

  bool has(const std::string& tensor) const { return weights_ ? weights_->has(tensor) : options_.catalog->has(tensor); }
  at::ScalarType compute() const { return options_.compute; }
  std::vector<LayerInfo> takeLedger() { return std::move(ledger_); }

 private:
  // The layer as a GGUF file holds it; null where it holds plain numbers or the policy wants something else.
  std::unique_ptr<quant::Linear> keepStored(const std::string& name, const std::vector<std::int64_t>& shape, std::optional<at::Tensor> bias) const;
  std::unique_ptr<quant::Linear> make(const LayerWeight& weight, std::optional<at::Tensor> bias) const;
  // The weight is read when it is asked for.
  LayerWeight weightOf(const std::string& name, std::vector<std::int64_t> shape) const;
  // Runs `work`, whose std::invalid_argument is the weight's fault, not the program's: a ModelError with the layer.
  template <class Work>
  auto blaming(const std::string& name, Work&& work) const;
  at::Tensor read(const std::string& tensor, const std::vector<std::int64_t>& shape) const;  // compute type, device
  at::Tensor load(const std::string& tensor, const std::vector<std::int64_t>& shape) const;  // the file's type, device
  void record(const std::string& name, const at::Tensor& weight, const at::Tensor& bias = {});

  void check(const std::string& tensor, const std::vector<std::int64_t>& shape) const;

  std::filesystem::path folder_;
  std::shared_ptr<const Weights> weights_;       // none where a catalog stands in
  const LoadOptions& options_;
  std::size_t done_ = 0, total_;
  std::string prefix_;
  std::vector<LayerInfo> ledger_;
};

std::int64_t totalBytes(const std::vector<LayerInfo>& layers);

}  // namespace quantspot::model
