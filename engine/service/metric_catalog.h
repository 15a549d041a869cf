// The real weights that metrics ask for: where they come from, where they are kept. Nothing is fetched unless it is asked for.
#pragma once

#include "engine/service/service.h"

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace quantspot::service {

struct MetricFile {
  std::string_view name, url;            // name: in the metric's folder
  std::string_view sha256;               // its first digits, where the makers' file name tells them; empty: unknown
};
struct MetricEntry {
  std::string_view name, what;           // what: the metrics that it serves, for people
  std::string_view repo;                 // of a Hugging Face hub (a CLIPModel); empty: files
  std::string_view license;              // as the makers state it
  double mebibytes;                      // about, of all that is fetched
  std::vector<MetricFile> files;
};

const std::vector<MetricEntry>& metricCatalog();
const MetricEntry* findMetric(std::string_view name);

// $QUANTSPOT_METRICS, else quantspot/metrics in the user's data folder.
std::filesystem::path metricsFolder();
// Its files, in the catalogue's order (a CLIPModel: its folder); empty while one is missing.
std::vector<std::filesystem::path> installedMetric(std::string_view name);

protocol::MetricsListResult listMetrics();   // the catalogue and what of it is here

// Fetches what is missing, resuming what broke off; files get their name when they are whole and, where known, have the right hash. A CLIPModel
// comes through the hub's cache; weights in pytorch_model.bin alone are written anew as safetensors. Progress in MiB, stage "download".
// → the folder. Throws invalid_argument (the names there are), HubError, hub::Cancelled, ModelError.
std::filesystem::path downloadMetric(const std::string& name, const Control& control);

}  // namespace quantspot::service
