// A product on the tensor cores whose weight is expanded on the way to shared memory: blocks of 128 × 128 results, K in steps of
// 32. Eight warps of 64 × 32 results each; mma.sync.m16n8k16 on bf16. The phases of a thread are plain functions, so that a test
// runs them one thread after the other.
#pragma once

#include "quant/kernels/few_body.cuh"

namespace quantspot::quant::fused {

inline constexpr int tileRows = 128, tileDepth = 32, threads = 256;
inline constexpr int pitch = tileDepth + 8;  // of a row in shared memory: eight rows then begin at different banks
inline constexpr int warpRows = 64, warpColumns = 32, mSteps = warpRows / 16, nSteps = warpColumns / 8;
inline constexpr int runsOfThread = tileRows * tileDepth / runLength / threads;

// Eight bf16 numbers, which move together.
struct alignas(16) Run {
  std::uint32_t pair[runLength / 2];
};

struct Tiles {
  Run x[2][tileRows * pitch / runLength], weight[2][tileRows * pitch / runLength];
};

// Two bf16 numbers, the first in the lower half.
QUANTSPOT_HD inline std::uint32_t pairOf(float low, float high) { return bitsOfBf16(low) | bitsOfBf16(high) << 16; }

// What a thread carries from global to shared memory in one step.
struct Staged {
  Run x[runsOfThread], weight[runsOfThread];
};

inline std::int64_t tilesOf(std::int64_t rows) { return (rows + tileRows - 1) / tileRows; }  // blocks along one side

struct Place {
  int row, column;
};
QUANTSPOT_HD inline Place placeOfRun(int thread, int run) {
  const int at = thread + run * threads, perRow = tileDepth / runLength;
  return {at / perRow, at % perRow * runLength};
}

// The runs of the block at (firstX, firstWeight) that begin at depth k; zeros outside of the matrices.
template <class Decoder>
QUANTSPOT_HD inline void fetch(const Decoder& decoder, const FewJob& job, std::int64_t firstX, std::int64_t firstWeight, std::int64_t k, int thread,
                               Staged& staged) {
  const std::int64_t columns = decoder.w.columns;
  const bool whole = wholeRuns(job, columns);
  QUANTSPOT_UNROLL for (int run = 0; run < runsOfThread; ++run) {
    const Place place = placeOfRun(thread, run);
    const std::int64_t left = columns - k - place.column, at = k + place.column;
    float x[runLength] = {}, weight[runLength] = {};
    if (left > 0 && firstX + place.row < job.count) loadRun(job.x + (firstX + place.row) * columns + at, left, whole, x);
    if (left > 0 && firstWeight + place.row < decoder.w.rows) decodeRun(decoder, firstWeight + place.row, at, left, weight);
    for (int i = 0; i < 4; ++i) {
      staged.x[run].pair[i] = pairOf(x[2 * i], x[2 * i + 1]);
      staged.weight[run].pair[i] = pairOf(weight[2 * i], weight[2 * i + 1]);
    }
  }
}

QUANTSPOT_HD inline void put(const Staged& staged, int thread, int buffer, Tiles& tiles) {
  QUANTSPOT_UNROLL for (int run = 0; run < runsOfThread; ++run) {
    const Place place = placeOfRun(thread, run);
    const int at = (place.row * pitch + place.column) / runLength;
    tiles.x[buffer][at] = staged.x[run];
    tiles.weight[buffer][at] = staged.weight[run];
  }
}

QUANTSPOT_HD inline std::uint32_t pairAt(const Run* tile, int row, int column) {
  const int at = row * pitch + column;
  return tile[at / runLength].pair[at % runLength / 2];
}

struct Fragments {
  std::uint32_t x[mSteps][4], weight[nSteps][2];
};

// As PTX lays out mma.m16n8k16 for 16-bit floats: a lane holds row lane / 4 and columns 2 · (lane % 4) and the next.
QUANTSPOT_HD inline void loadFragments(const Tiles& tiles, int buffer, int warp, int lane, int k, Fragments& to) {
  const int row = lane / 4, column = k + lane % 4 * 2;
  for (int m = 0; m < mSteps; ++m) {
    const int at = warp % 2 * warpRows + m * 16 + row;
    to.x[m][0] = pairAt(tiles.x[buffer], at, column);
    to.x[m][1] = pairAt(tiles.x[buffer], at + 8, column);
    to.x[m][2] = pairAt(tiles.x[buffer], at, column + 8);
    to.x[m][3] = pairAt(tiles.x[buffer], at + 8, column + 8);
  }
  for (int n = 0; n < nSteps; ++n) {
    const int at = warp / 2 * warpColumns + n * 8 + row;
    to.weight[n][0] = pairAt(tiles.weight[buffer], at, column);
    to.weight[n][1] = pairAt(tiles.weight[buffer], at, column + 8);
  }
}

using Sums = float[mSteps][nSteps][4];

QUANTSPOT_HD inline void store(const FewJob& job, std::int64_t rows, std::int64_t firstX, std::int64_t firstWeight, int warp, int lane,
                               const Sums& sums) {
  for (int m = 0; m < mSteps; ++m)
    for (int n = 0; n < nSteps; ++n)
      for (int i = 0; i < 4; ++i) {
        const std::int64_t x = firstX + warp % 2 * warpRows + m * 16 + lane / 4 + i / 2 * 8;
        const std::int64_t w = firstWeight + warp / 2 * warpColumns + n * 8 + lane % 4 * 2 + i % 2;
        if (x < job.count && w < rows) job.sums[x * rows + w] = sums[m][n][i];
      }
}

}  // namespace quantspot::quant::fused
