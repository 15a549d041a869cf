// From a weight's description to the decoder that reads it, once for each launch.
#pragma once

#include "quant/kernels/decode.cuh"
#include "quant/kernels/gguf_decode.cuh"

#include <stdexcept>

namespace quantspot::quant {

// What makes a decoder inside a kernel: Of<…>::on(weight, table).
template <class Decoder>
struct WithTable {
  using Type = Decoder;
  QUANTSPOT_HD static Decoder on(const DeviceWeight& w, const float* table) { return {w, table}; }
};
template <class Decoder>
struct WithoutTable {
  using Type = Decoder;
  QUANTSPOT_HD static Decoder on(const DeviceWeight& w, const float*) { return {w}; }
};

// body.operator()<Of>() for the packings that are not ggml's; false for those.
template <class Body>
bool withPlainDecoder(const DeviceWeight& w, Body&& body) {
  switch (w.packing) {
    case Packing::FourBit: return body.template operator()<WithTable<FourBitDecoder>>(), true;
    case Packing::Bytes: return body.template operator()<WithoutTable<BytesDecoder>>(), true;
    case Packing::Halves: return body.template operator()<WithoutTable<HalvesDecoder>>(), true;
    case Packing::Fields: return body.template operator()<WithoutTable<FieldsDecoder>>(), true;
    case Packing::Blocks: return false;
  }
  return false;
}

// The same for ggml's blocks. Throws std::invalid_argument for the plain types, which are no blocks.
template <class Body>
void withBlockDecoder(GgmlType type, Body&& body) {
  using namespace device;
  switch (type) {
    case GgmlType::Q8_0: return body.template operator()<WithTable<BlocksDecoder<Q8_0>>>();
    case GgmlType::Q5_0: return body.template operator()<WithTable<BlocksDecoder<Q5_0>>>();
    case GgmlType::Q5_1: return body.template operator()<WithTable<BlocksDecoder<Q5_1>>>();
    case GgmlType::Q4_0: return body.template operator()<WithTable<BlocksDecoder<Q4_0>>>();
    case GgmlType::Q4_1: return body.template operator()<WithTable<BlocksDecoder<Q4_1>>>();
    case GgmlType::Q6_K: return body.template operator()<WithTable<BlocksDecoder<Q6_K>>>();
    case GgmlType::Q5_K: return body.template operator()<WithTable<BlocksDecoder<Q5_K>>>();
    case GgmlType::Q4_K: return body.template operator()<WithTable<BlocksDecoder<Q4_K>>>();
    case GgmlType::Q3_K: return body.template operator()<WithTable<BlocksDecoder<Q3_K>>>();
    case GgmlType::Q2_K: return body.template operator()<WithTable<BlocksDecoder<Q2_K>>>();
    case GgmlType::IQ4_NL: return body.template operator()<WithTable<BlocksDecoder<IQ4_NL>>>();
    case GgmlType::IQ4_XS: return body.template operator()<WithTable<BlocksDecoder<IQ4_XS>>>();
    case GgmlType::F32:
    case GgmlType::F16:
    case GgmlType::BF16: break;
  }
  throw std::invalid_argument("a plain ggml type has no blocks to expand");
}

}  // namespace quantspot::quant
