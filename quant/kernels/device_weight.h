// How the numbers of a packed weight lie in the memory of a device: all that kernels know of a precision. Plain C++.
#pragma once

#include "quant/ggml_types.h"

#include <cstdint>

namespace quantspot::quant {

enum class Packing : std::uint8_t {
  FourBit,  // 16 values times a scale for each block of the flattened weight (bitsandbytes)
  Bytes,    // one byte each, with a scale for each row or without
  Halves,   // 4 bits; a group's first half lies in the low nibbles (torchao)
  Fields,   // 2 or 4 bits; groups that share their bytes lie far apart (Quanto)
  Blocks    // ggml's
};
enum class ByteCode : std::uint8_t { Signed, E4m3, E5m2 };
enum class RowScale : std::uint8_t { None, Fp32, Bf16 };  // with one, a value is bf16(code · scale)

// Pointers are not owned; bf16 numbers are given by their bits. Which members count depends on `packing`.
struct DeviceWeight {
  Packing packing = Packing::Bytes;
  std::int64_t rows = 0, columns = 0;
  const std::uint8_t* codes = nullptr;

  GgmlType ggml = GgmlType::Q8_0;                  // Blocks
  ByteCode byteCode = ByteCode::Signed;            // Bytes
  RowScale rowScale = RowScale::None;              // Bytes: of `scales` (rows)
  const void* scales = nullptr;

  float table[16] = {};                            // FourBit, and Blocks with uneven levels: the value of each code
  int blockShift = 6;                              // FourBit: 2^this elements share a scale, f32 in `scales`,
  const std::uint8_t* scaleCodes = nullptr;        // or, where this is given, nestedMap[code] · nested[block / 256] + *offset
  const float *nestedMap = nullptr, *nested = nullptr, *offset = nullptr;

  int bits = 4;                                    // Fields
  std::int64_t group = 0, packedRows = 0;          // Halves, Fields: elements that share a scale; Fields: groups in one layer of bits
  const std::uint16_t* pairs = nullptr;            // Halves, Fields: scale and midpoint, (columns / group, rows, 2);
  const std::uint16_t* shifts = nullptr;           // Fields, or, where this is given, `scales` and these, one for each group
};

}  // namespace quantspot::quant
