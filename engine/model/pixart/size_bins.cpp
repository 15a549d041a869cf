#include "engine/model/pixart/pixart.h"

#include <cmath>
#include <stdexcept>

namespace quantspot::model {
namespace {

// Height and width in sixteenths of the model's side (ASPECT_RATIO_*_BIN of diffusers' PixArt pipelines); some are for the largest model alone.
struct Bin {
  int height, width;
  bool ofLargestOnly = false;
};
constexpr Bin kBins[] = {
    {8, 32},  {8, 31, true}, {8, 30, true}, {8, 29},  {9, 28},  {9, 27},       {9, 26},  {10, 25}, {10, 24},       {11, 23},       {11, 22},
    {11, 21}, {12, 21},      {12, 20},      {13, 19}, {13, 18}, {14, 18},      {14, 17}, {15, 17}, {15, 16},       {16, 16},       {16, 15},
    {17, 15}, {17, 14},      {18, 14},      {18, 13}, {19, 13}, {20, 12},      {21, 12}, {22, 11}, {23, 11},       {24, 10},       {25, 10},
    {26, 9, true},           {27, 9},       {28, 9, true},      {29, 8, true}, {30, 8, true},      {31, 8, true},  {32, 8}};

// The reference keeps ratios with two digits.
double ratioOf(const Bin& bin) { return std::round(100.0 * bin.height / bin.width) / 100; }

}  // namespace

std::array<int, 2> pixArtBin(int width, int height, std::int64_t sampleSize) {
  if (sampleSize != 32 && sampleSize != 64 && sampleSize != 128 && sampleSize != 256) throw std::out_of_range("sample_size");
  const double asked = static_cast<double>(height) / width;
  const Bin* nearest = nullptr;
  for (const Bin& bin : kBins) {
    if (bin.ofLargestOnly && sampleSize != 256) continue;
    if (!nearest || std::abs(ratioOf(bin) - asked) < std::abs(ratioOf(*nearest) - asked)) nearest = &bin;
  }
  const int unit = static_cast<int>(sampleSize) / 2;   // 8 pixels per latent
  return {unit * nearest->width, unit * nearest->height};
}

}  // namespace quantspot::model
