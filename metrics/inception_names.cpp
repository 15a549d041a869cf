#include "metrics/inception.h"

#include <array>
#include <string_view>
#include <utility>

namespace quantspot::metrics {
namespace {

using Names = std::pair<std::string_view, std::string_view>;

constexpr std::array kParts = {Names{"Conv2d_1a_3x3", "conv"}, Names{"Conv2d_2a_3x3", "conv_1"}, Names{"Conv2d_2b_3x3", "conv_2"},
                               Names{"Conv2d_3b_1x1", "conv_3"},
                               Names{"Conv2d_4a_3x3", "conv_4"}, Names{"Mixed_5b", "mixed"}, Names{"Mixed_5c", "mixed_1"},
                                   Names{"Mixed_5d", "mixed_2"},
                               Names{"Mixed_6a", "mixed_3"}, Names{"Mixed_6b", "mixed_4"}, Names{"Mixed_6c", "mixed_5"}, Names{"Mixed_6d", "mixed_6"},
                               Names{"Mixed_6e", "mixed_7"}, Names{"Mixed_7a", "mixed_8"}, Names{"Mixed_7b", "mixed_9"},
                                   Names{"Mixed_7c", "mixed_10"}};

// Of the blocks A to D; those of the last two (E) are flat.
constexpr std::array kBranches = {
    Names{"branch1x1", "conv"}, Names{"branch5x5_1", "tower.conv"}, Names{"branch5x5_2", "tower.conv_1"}, Names{"branch_pool", "tower_2.conv"},
    Names{"branch7x7_1", "tower.conv"}, Names{"branch7x7_2", "tower.conv_1"}, Names{"branch7x7_3", "tower.conv_2"},
    Names{"branch7x7dbl_1", "tower_1.conv"}, Names{"branch7x7dbl_2", "tower_1.conv_1"}, Names{"branch7x7dbl_3", "tower_1.conv_2"},
    Names{"branch7x7dbl_4", "tower_1.conv_3"}, Names{"branch7x7dbl_5", "tower_1.conv_4"}, Names{"branch3x3_1", "tower.conv"},
        Names{"branch3x3_2", "tower.conv_1"},
    Names{"branch7x7x3_1", "tower_1.conv"}, Names{"branch7x7x3_2", "tower_1.conv_1"}, Names{"branch7x7x3_3", "tower_1.conv_2"},
        Names{"branch7x7x3_4", "tower_1.conv_3"},
    Names{"branch3x3", "conv"}, Names{"branch3x3dbl_1", "tower_1.conv"}, Names{"branch3x3dbl_2", "tower_1.conv_1"},
        Names{"branch3x3dbl_3", "tower_1.conv_2"}};
constexpr std::array kFlat = {Names{"branch1x1", "conv"}, Names{"branch3x3_1", "tower_conv"}, Names{"branch3x3_2a", "tower_mixed_conv"},
                              Names{"branch3x3_2b", "tower_mixed_conv_1"},
                              Names{"branch3x3dbl_1", "tower_1_conv"}, Names{"branch3x3dbl_2", "tower_1_conv_1"},
                                  Names{"branch3x3dbl_3a", "tower_1_mixed_conv"},
                              Names{"branch3x3dbl_3b", "tower_1_mixed_conv_1"}, Names{"branch_pool", "tower_2_conv"}};
constexpr std::array kTensors = {Names{"conv.weight", "weight"}, Names{"bn.bias", "beta"}, Names{"bn.running_mean", "mean"},
                                 Names{"bn.running_var", "var"}};

template <std::size_t N>
std::string find(const std::array<Names, N>& names, std::string_view name) {
  for (const auto& [theirs, script] : names)
    if (theirs == name) return std::string(script);
  return {};
}

}  // namespace

std::string torchScriptName(const std::string& name) {
  const std::size_t first = name.find('.');
  const std::string part = name.substr(0, first);
  const bool mixed = part.starts_with("Mixed");
  const std::size_t second = mixed && first != name.npos ? name.find('.', first + 1) : first;
  if (second == name.npos) return {};
  std::string script = find(kParts, part);
  if (mixed) {
    const std::string branch = name.substr(first + 1, second - first - 1);
    std::string inner = part == "Mixed_7b" || part == "Mixed_7c" ? find(kFlat, branch) : find(kBranches, branch);
    if (part == "Mixed_6a" && inner.starts_with("tower_1.")) inner.erase(5, 2);   // its only tower has no number
    if (inner.empty()) return {};
    script += "." + inner;
  }
  const std::string tensor = find(kTensors, std::string_view(name).substr(second + 1));
  return tensor.empty() ? std::string() : "layers." + script + "." + tensor;
}

}  // namespace quantspot::metrics
