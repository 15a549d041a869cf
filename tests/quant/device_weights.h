// Packed weights of every format that device kernels read, each with what describes it to them.
#pragma once

#include "quant/bnb_4bit.h"
#include "quant/device_weights.h"
#include "quant/double_quant.h"
#include "quant/gguf.h"
#include "tests/quant/support.h"

#include <QTest>

#include <cmath>

namespace quantspot::quant::test {

// (out, in / 32 · bytes) of ggml's blocks with random bits in all codes and scales of ordinary size.
inline at::Tensor randomBlocks(const GgmlTypeInfo& info, std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  const at::Tensor bytes = at::randint(0, 256, {rows * columns / info.elements, info.bytes}, generator, at::kByte);
  const auto halvesAt = [&](std::int64_t place) {  // two bytes of fp16, of either sign
    const at::Tensor values = at::randn({bytes.size(0), 1}, generator, at::kFloat).to(at::kHalf);
    bytes.narrow(1, place, 2).copy_(values.view(at::kByte));
  };
  switch (info.type) {
    case GgmlType::Q6_K: halvesAt(208); break;
    case GgmlType::Q3_K: halvesAt(108); break;
    case GgmlType::Q2_K: halvesAt(80), halvesAt(82); break;
    case GgmlType::Q4_1:
    case GgmlType::Q5_1:
    case GgmlType::Q4_K:
    case GgmlType::Q5_K: halvesAt(0), halvesAt(2); break;
    default: halvesAt(0);
  }
  return bytes.view({rows, columns / info.elements * info.bytes});
}

struct Described {
  QuantizedTensor packed;
  at::Tensor unpacked;    // by the CPU, (out, in) bf16
  DeviceWeight weight;    // points into `packed`, or into `owned`
  std::vector<at::Tensor> owned = {};
};

// What QuantoBits::unpack() reads: a shift in either form.
inline Described describedFields(const Quantizer& q, QuantizedTensor packed, int bits) {
  const auto stored = q.onDisk("", packed);
  QuantizedTensor shifted = packed;
  shifted.parts = {packed.parts[0], {"_scale", stored[1].second}, {"_shift", stored[2].second}};
  const DeviceWeight weight = fieldsWeight(shifted, bits);
  return {shifted, q.unpack(packed), weight};
}

// The weights that unpack() of `id` (options and all) expands on a device. Blocks of GGUF have ids of their own, packed or read.
inline Described described(const std::string& id, std::int64_t rows, std::int64_t columns, std::uint64_t seed = 7) {
  if (id.starts_with("gguf-")) {
    const Gguf& q = storedQuantizer(id);
    QuantizedTensor packed = q.adopt(randomBlocks(q.type(), rows, columns, seed), {rows, columns});
    const DeviceWeight weight = blocksWeight(packed, q.type().type);
    return {packed, q.unpack(packed), weight};
  }
  const Quantizer& q = quantizer(id);
  at::Tensor source = randomMatrix(rows, columns, seed);
  source[0].zero_();  // a row of zeros, and rows of very different sizes
  source.mul_(at::linspace(-8, 3, rows).exp2().view({-1, 1}));
  QuantizedTensor packed = q.pack(source);
  if (id.starts_with("bnb-")) {
    const std::size_t option = id.find("blocksize=");
    const std::int64_t block = option == std::string::npos ? 64 : std::stoll(id.substr(option + 10));
    const DeviceWeight weight = fourBitWeight(packed, id.starts_with("bnb-nf4") ? nf4Map() : fp4Map(), block, dynamicMap());
    return {packed, q.unpack(packed), weight};
  }
  if (id.starts_with("torchao-int4wo")) {
    const std::size_t option = id.find("group=");
    const DeviceWeight weight = halvesWeight(packed, option == std::string::npos ? 128 : std::stoll(id.substr(option + 6)));
    return {packed, q.unpack(packed), weight};
  }
  if (id == "quanto-int4" || id == "quanto-int2") return describedFields(q, packed, id == "quanto-int4" ? 4 : 2);
  const DeviceWeight weight = byteWeight(packed, id.starts_with("torchao") ? "scale" : id.starts_with("quanto") ? "_scale" : "");
  return {packed, q.unpack(packed), weight};
}

// A row for every format and shape: one element, odd widths, whole runs, more than a tile.
inline void addFormats() {
  QTest::addColumn<QString>("id");
  QTest::addColumn<int>("rows");
  QTest::addColumn<int>("columns");
  const auto add = [](const QString& id, int rows, int columns) {
    QTest::addRow("%s %dx%d", qPrintable(id), rows, columns) << id << rows << columns;
  };
  for (const char* id : {"bnb-nf4", "bnb-nf4-dq", "bnb-fp4", "bnb-fp4-dq", "bnb-nf4?blocksize=256", "bnb-fp4-dq?blocksize=4096", "torchao-int8wo",
                         "torchao-fp8wo", "quanto-int8", "quanto-fp8", "quanto-int4", "quanto-int2", "fp8-layerwise", "fp8-layerwise-e5m2"})
    for (const auto& [rows, columns] : {std::pair{2, 1}, {5, 7}, {3, 100}, {33, 72}, {9, 256}, {140, 328}, {17, 384}}) add(id, rows, columns);
  for (const char* id : {"torchao-int4wo", "torchao-int4wo?group=32", "torchao-int4wo?group=64"})
    for (const auto& [rows, columns] : {std::pair{1, 128}, {33, 256}, {140, 384}}) add(id, rows, columns);
  for (const GgmlTypeInfo& info : ggmlTypes)
    if (!info.id.empty())
      for (const int rows : {1, 5, 135}) add(QString::fromUtf8(info.id.data()), rows, static_cast<int>(info.elements) * (rows == 5 ? 3 : 2));
}

}  // namespace quantspot::quant::test
