#include "evaluation/tables.h"

#include "evaluation/figures.h"
#include "evaluation/files.h"

namespace quantspot::evaluation {
namespace {

using nlohmann::json;

// As report.json writes it, so that both hold the same number.
std::string text(const json& value) {
  if (value.is_null()) return "";
  return value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, json::error_handler_t::replace);
}

void addEstimate(std::vector<std::string>& row, const json& estimate) {
  row.push_back(text(estimate["value"]));
  for (int side = 0; side < 2; ++side) row.push_back(estimate["ci95"].is_array() ? text(estimate["ci95"][side]) : "");
  row.push_back(text(estimate["n"]));
}

Table samples(const json& report) {
  Table table{"samples", {{"prompt", "category", "seed", "precision", "image", "error"}}};
  for (const FigureInfo& info : figures())
    if (info.source != Source::Set) table.rows[0].push_back(columnOf(report, info.id));
  for (const json& comparison : report["comparisons"])
    for (const json& sample : comparison["samples"]) {
      std::vector<std::string> row = {text(comparison["recipe"]["prompt"]), comparison.value("category", ""), text(comparison["recipe"]["seed"]),
                                      text(sample["precision"]), sample.value("image", ""), sample.value("error", "")};
      for (const FigureInfo& info : figures()) {
        if (info.source == Source::Set) continue;
        const auto value = figureOf(sample, info.id);
        row.push_back(value ? text(json(*value)) : "");
      }
      table.rows.push_back(std::move(row));
    }
  return table;
}

Table summary(const json& report) {
  Table table{"summary", {{"precision", "figure", "kind", "value", "low", "high", "n"}}};
  for (const json& precision : report["summary"])
    for (const char* kind : {"figures", "changes"})
      for (const auto& [figure, estimate] : precision[kind].items()) {
        std::vector<std::string> row = {text(precision["precision"]), columnOf(report, figure), kind == std::string("figures") ? "mean" : "change"};
        addEstimate(row, estimate);
        table.rows.push_back(std::move(row));
      }
  const json sets = report.value("sets", json()), published = sets.is_object() ? sets.value("published", json::object()) : json::object();
  for (const auto& [precision, all] : published.items())
    for (const auto& [figure, value] : all.items())
      table.rows.push_back({precision, columnOf(report, figure), "published", text(value), "", "", text(sets["n"])});
  return table;
}

Table thresholds(const json& report) {
  Table table{"thresholds", {{"precision", "threshold", "verdict", "value", "low", "high", "sentence"}}};
  for (const json& cell : report["judged"])
    table.rows.push_back({text(cell["precision"]), text(cell["threshold"]), text(cell["verdict"]), text(cell["value"]),
                          cell["ci95"].is_array() ? text(cell["ci95"][0]) : "", cell["ci95"].is_array() ? text(cell["ci95"][1]) : "",
                          text(cell["sentence"])});
  return table;
}

Table estimates(const json& report, const char* part, const std::string& name, std::vector<std::string> keys) {
  Table table{name, {keys}};
  for (const char* column : {"value", "low", "high", "n"}) table.rows[0].emplace_back(column);
  for (const json& entry : report.value(part, json::array())) {   // reports of earlier versions lack some
    std::vector<std::string> row;
    for (const std::string& key : keys) row.push_back(key == "figure" ? columnOf(report, text(entry[key])) : text(entry[key]));
    addEstimate(row, entry);
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table memory(const json& report) {
  Table table{"memory", {{"precision", "seconds", "bytes"}}};
  for (const json& trace : report["memory_over_time"])
    for (const json& point : trace["points"]) table.rows.push_back({text(trace["precision"]), text(point[0]), text(point[1])});
  return table;
}

// What the engine counted for one picture (or batch) of a precision.
Table flops(const json& report) {
  Table table{"flops", {{"precision", "counted", "value"}}};
  const json all = report.value("flops", json::object());   // items() keeps a reference
  for (const auto& [precision, counted] : all.items())
    for (const auto& [name, value] : counted.items())
      if (value.is_number()) table.rows.push_back({precision, name, text(value)});
  return table;
}

// The rows of a preset: the same keys in each.
Table preset(const json& report, const char* name) {
  Table table{name, {}};
  for (const json& row : report.value(name, json::array())) {
    if (table.rows.empty())
      for (const auto& [key, value] : row.items()) table.rows.resize(1), table.rows[0].push_back(key);
    std::vector<std::string> cells;
    for (const std::string& key : table.rows[0]) cells.push_back(row.contains(key) ? text(row[key]) : "");
    table.rows.push_back(std::move(cells));
  }
  return table;
}

std::string quoted(const std::string& field) {
  if (field.find_first_of(",\"\n\r") == std::string::npos) return field;
  std::string out = "\"";
  for (const char c : field) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

}  // namespace

std::vector<Table> tablesOf(const json& report) {
  std::vector<Table> all = {samples(report), summary(report), thresholds(report),
                            estimates(report, "categories", "categories", {"category", "precision", "figure"}),
                            estimates(report, "step_seconds", "steps", {"precision", "step"}),
                            estimates(report, "growth", "growth", {"precision", "call"}),
                            estimates(report, "growth_cosine", "growth_cosine", {"precision", "call"}),
                            memory(report), flops(report), preset(report, "dit")};
  std::erase_if(all, [](const Table& table) { return table.rows.size() <= 1; });
  return all;
}

std::string csvText(const Table& table) {
  std::string out;
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out += ',';
      out += quoted(row[i]);
    }
    out += "\r\n";
  }
  return out;
}

std::vector<std::filesystem::path> writeTables(const json& report, const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const Table& table : tablesOf(report)) {
    paths.push_back(folder / (table.name + ".csv"));
    writeWhole(paths.back(), csvText(table));
  }
  return paths;
}

}  // namespace quantspot::evaluation
