#include "engine/protocol/report_fields.h"

#include "engine/protocol/fields.h"

namespace quantspot::protocol {
namespace {

using Whole = std::int64_t;

struct Engine { std::string version, libtorch, device; std::vector<std::string> cpu_features; Whole threads = 0; };
struct Model { std::string name, family, weights_sha256; };
struct Policy { std::vector<std::string> skip; nlohmann::json layers; std::string text; };
struct Layer { std::string name, precision; std::vector<Whole> shape; Whole bytes = 0; };
struct Component { Whole bytes = 0; std::vector<Layer> layers; };
struct Seconds { double load = 0, quantize = 0, load_text = 0, encode = 0, calibrate = 0; std::vector<double> steps; double decode = 0, total = 0; };
struct Flops { Whole linear = 0, attention = 0, convolution = 0, total = 0, calls = 0; };
struct LoraEffect { std::string file; double scale = 0; Whole layers = 0; std::vector<std::string> unmatched; double effect = 0; };
struct Fallback { std::string layer, asked, used, why; };
struct Scale { double input = 0, output = 0; };
struct Auto { std::string precision, why; Whole limit_bytes = 0, needs_bytes = 0; std::vector<std::string> failed; };
struct Report {
  Whole schema = 0, floor_bytes = 0, batch = 0, calibration_prompts = 0;
  Engine engine;
  Model model;
  Policy policy;
  std::string precision, noise_sha256, image_sha256;
  std::map<std::string, Component> weights;
  Seconds seconds;
  std::map<std::string, Whole> peak_bytes, device_peak_bytes;
  std::vector<std::vector<double>> memory_over_time;
  bool prompt_reused = false;
  Flops flops;
  std::vector<LoraEffect> loras;
  std::vector<Fallback> fallbacks;
  std::map<std::string, std::string> packed_cache;
  std::map<std::string, Scale> activation_scales;
  Auto choice;
  std::vector<std::string> truncated;
};

QUANTSPOT_READS_FIELDS(Engine, version, libtorch, device, cpu_features, threads)
QUANTSPOT_READS_FIELDS(Model, name, family, weights_sha256)
QUANTSPOT_READS_FIELDS(Policy, skip, layers, text)
QUANTSPOT_READS_FIELDS(Layer, name, precision, shape, bytes)
QUANTSPOT_READS_FIELDS(Component, bytes, layers)
QUANTSPOT_READS_FIELDS(Seconds, load, quantize, load_text, encode, calibrate, steps, decode, total)
QUANTSPOT_READS_FIELDS(Flops, linear, attention, convolution, total, calls)
QUANTSPOT_READS_FIELDS(LoraEffect, file, scale, layers, unmatched, effect)
QUANTSPOT_READS_FIELDS(Fallback, layer, asked, used, why)
QUANTSPOT_READS_FIELDS(Scale, input, output)
QUANTSPOT_READS_FIELDS(Auto, precision, why, limit_bytes, needs_bytes, failed)
QUANTSPOT_READS_FIELDS(Report, schema, floor_bytes, batch, calibration_prompts, engine, model, policy, precision, noise_sha256, image_sha256, weights,
                       seconds, peak_bytes, device_peak_bytes, memory_over_time, prompt_reused, flops, loras, fallbacks, packed_cache,
                       activation_scales, truncated)

}  // namespace

void checkReport(const nlohmann::json& report) {
  Report read;
  readValue(report, read);
  readField(report, "auto", read.choice);
}

}  // namespace quantspot::protocol
