// Runs the parts of CUDA kernels on the CPU, one thread after the other, in the order in which a device would meet at its barriers.
#pragma once

#include "quant/kernels/expand_body.cuh"
#include "quant/kernels/few_body.cuh"
#include "quant/kernels/fused_body.cuh"
#include "quant/kernels/int8_body.cuh"
#include "quant/kernels/with_decoder.h"

#include <ATen/ATen.h>

#include <memory>
#include <vector>

namespace quantspot::quant::test {

// body(decoder) for any packing.
template <class Body>
void withDecoderOf(const DeviceWeight& weight, Body&& body) {
  const auto run = [&]<class Of>() { body(Of::on(weight, weight.table)); };
  if (!withPlainDecoder(weight, run)) withBlockDecoder(weight.ggml, run);
}

// Σ over lanes as a butterfly of shuffles adds them.
template <class Number>
Number butterfly(std::vector<Number> lane) {
  for (int step = lanes / 2; step > 0; step /= 2) {
    std::vector<Number> next(lane);
    for (int i = 0; i < lanes; ++i) next[i] = lane[i] + lane[i ^ step];
    lane = next;
  }
  return lane[0];
}

inline void emulateExpand(const DeviceWeight& weight, const ExpandJob& job, int threads = 128) {
  withDecoderOf(weight, [&](const auto& decoder) {
    for (std::int64_t row = 0; row < job.count; ++row)
      for (int thread = 0; thread < threads; ++thread) expandRow(decoder, job, row, thread, threads);
  });
}

// Every warp of every block that few_launch.cuh starts.
template <int Most>
void emulateFewOf(const DeviceWeight& weight, const FewJob& job) {
  constexpr int rows = rowsOfWarp<Most>;
  withDecoderOf(weight, [&](const auto& decoder) {
    for (std::int64_t warp = 0; warp < fewBlocks<Most>(weight.rows) * fewWarps; ++warp) {
      const std::int64_t first = firstRowOf<Most>(warp / fewWarps, static_cast<int>(warp % fewWarps));
      if (first >= weight.rows) continue;
      struct Part {
        float sums[Most][rows] = {};
      };
      std::vector<Part> parts(lanes);
      for (int lane = 0; lane < lanes; ++lane) addLane<Most>(decoder, job, first, lane, parts[lane].sums);
      Part total;
      for (int m = 0; m < Most; ++m)
        for (int r = 0; r < rows; ++r) {
          std::vector<float> values;
          for (const Part& part : parts) values.push_back(part.sums[m][r]);
          total.sums[m][r] = butterfly(values);
        }
      storeSums<Most>(job, first, weight.rows, total.sums);
    }
  });
}

inline void emulateFew(const DeviceWeight& weight, const FewJob& job) {
  if (job.count <= 1) emulateFewOf<1>(weight, job);
  else if (job.count <= 4) emulateFewOf<4>(weight, job);
  else emulateFewOf<16>(weight, job);
}

// mma.sync.m16n8k16 on bf16 as the PTX manual lays out its operands, for a whole warp at once.
struct WarpProduct {
  const fused::Fragments* lane;
  static float half(std::uint32_t pair, int which) { return widen(static_cast<Bf16>(pair >> 16 * which)); }
  // A is row-major: register r of lane l holds row l / 4 (+ 8 for r = 1, 3), columns 2 · (l % 4) (+ 8 for r = 2, 3).
  float a(int m, int row, int k) const { return half(lane[row % 8 * 4 + k % 8 / 2].x[m][row / 8 + k / 8 * 2], k % 2); }
  // B: register r holds rows 2 · (l % 4) (+ 8 for r = 1) of column l / 4.
  float b(int n, int k, int column) const { return half(lane[column * 4 + k % 8 / 2].weight[n][k / 8], k % 2); }

  void addTo(int m, int n, int of, float (&sums)[4]) const {  // of: the lane whose four results are wanted
    for (int i = 0; i < 4; ++i)
      for (int k = 0; k < 16; ++k) sums[i] += a(m, of / 4 + i / 2 * 8, k) * b(n, k, of % 4 * 2 + i % 2);
  }
};

inline void emulateFused(const DeviceWeight& weight, const FewJob& job) {
  using namespace fused;
  constexpr int warps = threads / lanes;
  withDecoderOf(weight, [&](const auto& decoder) {
    for (std::int64_t down = 0; down < tilesOf(job.count); ++down)
      for (std::int64_t across = 0; across < tilesOf(weight.rows); ++across) {
        const std::int64_t firstX = down * tileRows, firstWeight = across * tileRows;
        struct Thread {
          Staged staged;
          Sums sums = {};
        };
        const auto tiles = std::make_unique<Tiles>();
        std::vector<Thread> all(threads);
        const auto fill = [&](std::int64_t k, int buffer) {
          for (int thread = 0; thread < threads; ++thread) fetch(decoder, job, firstX, firstWeight, k, thread, all[thread].staged);
          for (int thread = 0; thread < threads; ++thread) put(all[thread].staged, thread, buffer, *tiles);
        };
        fill(0, 0);
        int buffer = 0;
        for (std::int64_t k = 0; k < weight.columns; k += tileDepth, buffer ^= 1) {
          for (int warp = 0; warp < warps; ++warp)
            for (int step = 0; step < tileDepth; step += 16) {
              std::vector<Fragments> fragments(lanes);
              for (int lane = 0; lane < lanes; ++lane) loadFragments(*tiles, buffer, warp, lane, step, fragments[lane]);
              for (int lane = 0; lane < lanes; ++lane)
                for (int m = 0; m < mSteps; ++m)
                  for (int n = 0; n < nSteps; ++n) WarpProduct{fragments.data()}.addTo(m, n, lane, all[warp * lanes + lane].sums[m][n]);
            }
          if (k + tileDepth < weight.columns) fill(k + tileDepth, buffer ^ 1);
        }
        for (int thread = 0; thread < threads; ++thread)
          store(job, weight.rows, firstX, firstWeight, thread / lanes, thread % lanes, all[thread].sums);
      }
  });
}

inline void emulateRowScales(const RowsJob& job, int threads = 256) {
  for (std::int64_t row = 0; row < job.rows; ++row) {
    std::uint32_t largest = 0;
    for (int thread = 0; thread < threads; ++thread) largest = std::max(largest, largestBits(job, row, thread, threads));
    job.scales[row] = rowScaleFrom(job.rule, largest);
  }
}

inline void emulateRowCodes(const RowsJob& job) {
  for (std::int64_t row = 0; row < job.rows; ++row)
    for (std::int64_t column = 0; column < job.columns; ++column)
      job.codes[row * job.columns + column] = rowCode(job, row, column, RowFactor(job, row).value);
}

inline void emulateInt8Sums(const Int8SumsJob& job) {
  const std::int64_t down = int8BlocksDown(job.count);
  for (std::int64_t warp = 0; warp < int8BlocksAcross(job.rows) * int8Warps; ++warp) {
    const std::int64_t first = int8FirstRow(warp / int8Warps, static_cast<int>(warp % int8Warps));
    if (first >= job.rows) continue;
    for (std::int64_t block = 0; block < down; ++block)
      for (std::int64_t begin = block * mostFewRows; begin < job.count; begin += down * mostFewRows) {
        std::int32_t sums[mostFewRows][int8RowsOfWarp] = {};  // whole numbers: the order of lanes does not matter
        for (int lane = 0; lane < lanes; ++lane) addInt8Lane(job, begin, first, lane, sums);
        storeInt8Sums(job, begin, first, sums);
      }
  }
}

inline void emulateFinish(const FinishJob& job) {
  for (std::int64_t row = 0; row < job.count; ++row)
    for (std::int64_t column = 0; column < job.rows; ++column) finishOneSum(job, row, column);
}

}  // namespace quantspot::quant::test
